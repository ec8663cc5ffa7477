/* e164 - telephone numbers in international form (ITU-T E.164): + and 2 to 15 digits. */
#ifndef HOOKSWITCH_PROTO_E164_H
#define HOOKSWITCH_PROTO_E164_H

#include <stdbool.h>

#define E164_SIZE 17 /* +, digits, NUL */

bool e164_ok(const char *number);
/*
 * The number that the user part of a SIP URI is: without the visual separators (-.()) and the
 * parameters behind a semicolon that RFC 3966 §3 allows. 0; -EINVAL: it is no number in
 * international form.
 */
int e164_of_user(char ret[E164_SIZE], const char *user);
/*
 * A number as people write it: international form, or, of North America, ten digits or 1 and ten;
 * with spaces and -.()/ between. 0; -EINVAL: it is neither.
 */
int e164_of_text(char ret[E164_SIZE], const char *text);

#endif
