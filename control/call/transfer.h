/*
 * transfer - a party of a <Dial> with referUrl sends REFER (sip-and-rest.md §4.2): blind, the other
 * party gets the document of referUrl; attended (Replaces), the parties that both of its calls are
 * with are joined, as a pair without a <Dial>. Loop thread only.
 */
#ifndef HOOKSWITCH_CALL_TRANSFER_H
#define HOOKSWITCH_CALL_TRANSFER_H

#include <stdbool.h>

struct call;

/* The party of c sent REFER with this Refer-To; answers it. */
void call_referred(struct call *c, const char *refer_to);

/*
 * With answerOnBridge on the <Dial> the transferor stays, apart, until somebody whom the document
 * of referUrl dials is connected; when that document fails or ends before, both are in their <Dial>
 * again. c is the transferee in both; no transfer of it is open: as it was, and false.
 */
void transfer_succeeded(struct call *c);
bool transfer_failed(struct call *c);
/* c, a party of such a transfer, ends or goes elsewhere: a transferee whose transferor did goes on
 * with its document; the transferor's <Dial> ends with the transferee. None is open: as it was. */
void transfer_leave(struct call *c);

/* The transferee c ends: its document is the one again from which it was transferred. false: there
 * is none, and it is as it was. */
bool transfer_take_back(struct call *c);

/* c leaves its pair, the other of which is hung up. None: as it was. */
void call_part(struct call *c);

#endif
