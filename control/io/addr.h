/*
 * addr - what is said about an address: whether it means a host of the public Internet, and how it
 * is written in a URI. Pure.
 */
#ifndef HOOKSWITCH_IO_ADDR_H
#define HOOKSWITCH_IO_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDR_SIZE 48 /* an address by addr_format, with its NUL */

/* The IPv4 address, in host order, of an IPv4 or IPv4-mapped address; false for any other. */
bool addr_v4(uint32_t *ret, const struct sockaddr *sa);

uint16_t addr_port(const struct sockaddr *sa); /* host order; 0 for other families */

/*
 * False for global unicast addresses alone: loopback, private, link-local, shared (RFC 6598),
 * documentation, multicast, reserved and unspecified ones, those which carry an IPv4 address inside
 * (6to4, Teredo, NAT64), and other families are all private.
 */
bool addr_is_private(const struct sockaddr *sa);

/* "192.0.2.1" or "[2001:db8::1]", without the port; "" for other families or too small a size. */
void addr_format(char *ret, size_t size, const struct sockaddr *sa);

#endif
