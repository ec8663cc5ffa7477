/*
 * error_code - the dictionary of error and warning codes (sip-and-rest.md §1.11,
 * twiml-and-webhooks.md §1.5). One table; REST errors, Notifications, X-Twilio-Error and the
 * documents take code, level and text from it.
 */
#ifndef HOOKSWITCH_BASE_ERROR_CODE_H
#define HOOKSWITCH_BASE_ERROR_CODE_H

enum error_level {
	ERROR_LEVEL_ERROR = 0,
	ERROR_LEVEL_WARNING = 1
}; /* the values of Notification.log */

struct error_code {
	int code;
	enum error_level level;
	int http_status;  /* of a REST reply with this code; 0: never a REST reply */
	const char *text; /* short message, no trailing period */
};

/* NULL when the code is not in the table. */
const struct error_code *error_code_find(int code);

/* Walks the table in ascending order of code: index 0.. until NULL. */
const struct error_code *error_code_at(unsigned index);

#endif
