/* addr - what an IP address is. Pure. */
#ifndef HOOKSWITCH_IO_ADDR_H
#define HOOKSWITCH_IO_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDR_SIZE 48 /* of a formatted one */

/* The IPv4 address, in host order, of an IPv4 or IPv4-mapped address; false for others. */
bool addr_v4(uint32_t *ret, const struct sockaddr *sa);
/* Loopback, private, link-local, shared, documentation, multicast ...: all that is not a public
 * unicast address (RFC 6890). IPv4-mapped addresses are what they map. */
bool addr_is_private(const struct sockaddr *sa);
/* "192.0.2.1" or "[2001:db8::1]", as in a URI. */
void addr_format(char *ret, size_t size, const struct sockaddr *sa);

#endif
