/*
 * transfer - a party of a <Dial> with referUrl sends REFER (sip-and-rest.md §4.2): blind, the other
 * party gets the document of referUrl; attended (Replaces), the parties that both of its calls are
 * with are joined, as a pair without a <Dial>. Loop thread only.
 */
#ifndef HOOKSWITCH_CALL_TRANSFER_H
#define HOOKSWITCH_CALL_TRANSFER_H

struct call;

/* The party of c sent REFER with this Refer-To; answers it. */
void call_referred(struct call *c, const char *refer_to);
/* c leaves its pair, the other of which is hung up. None: as it was. */
void call_part(struct call *c);

#endif
