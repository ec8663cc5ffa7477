/*
 * domain_name - the names that SIP domains may have (sip-and-rest.md §1.1). Pure.
 */
#ifndef HOOKSWITCH_API_DOMAIN_NAME_H
#define HOOKSWITCH_API_DOMAIN_NAME_H

#include <stdbool.h>

#define DOMAIN_NAME_SIZE 254

/*
 * A name below base: lower-cased to ret; *parent is the name that it is a subdomain of (in ret), or
 * NULL. Returns NULL, or what the name must be ("must be ..."), until the thread's next check.
 */
const char *domain_name_check(char ret[DOMAIN_NAME_SIZE], const char **parent, const char *name,
			      const char *base);
/* A checked name is an account's SID, right below base, and not this account's: nobody else has it.
 */
bool domain_name_reserved(const char *name, const char *base, const char *account_sid);

#endif
