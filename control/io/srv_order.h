/*
 * srv_order - the order in which the targets of SRV records are tried. Pure.
 */
#ifndef HOOKSWITCH_IO_SRV_ORDER_H
#define HOOKSWITCH_IO_SRV_ORDER_H

#include "io/dns.h"

typedef uint32_t srv_random_fn(uint32_t bound); /* evenly 0 .. bound - 1 */

/*
 * RFC 2782: lower priorities first; among equal ones each next by lot, in proportion to its weight.
 * What has no weight comes before the others by the smallest chance only.
 */
void srv_order(struct dns_srv *list, unsigned n, srv_random_fn *random);

#endif
