/*
 * content_type - what a Content-Type header says: how a reply to a TwiML request is taken
 * (twiml-and-webhooks.md §1.2). Pure.
 */
#ifndef HOOKSWITCH_CALL_CONTENT_TYPE_H
#define HOOKSWITCH_CALL_CONTENT_TYPE_H

enum content_kind {
	CONTENT_TWIML, /* text/xml, application/xml, text/html */
	CONTENT_TEXT,  /* text/plain: TwiML when it parses, else to be spoken */
	CONTENT_AUDIO, /* what <Play> takes (§2.2) */
	CONTENT_OTHER, /* 12300 */
};

enum content_kind content_kind(const char *content_type); /* NULL: other */
/* The charset parameter, unquoted. False when there is none, or one longer than size. */
_Bool content_charset(char *ret, unsigned size, const char *content_type);

#endif
