/*
 * signature - X-Twilio-Signature (twiml-and-webhooks.md §3.3, vectors §5.5). Pure.
 */
#ifndef HOOKSWITCH_PROTO_SIGNATURE_H
#define HOOKSWITCH_PROTO_SIGNATURE_H

struct form;

#define SIGNATURE_SIZE 32

/* sign_url as struct url's; post is the form of a POST body, NULL for GET. ret is base64 and a NUL.
 */
int signature_make(char ret[SIGNATURE_SIZE], const char *auth_token, const char *sign_url,
		   const struct form *post);

#endif
