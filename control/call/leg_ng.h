/*
 * leg_ng - the commands of a leg to RTPengine (NG), one at a time. A leg has two tags in an NG
 * call: its party's, which is the leg's call_sid, and our side's, the same behind an i, plain RTP
 * on loopback. A leg that is dialled for another one is in that one's NG call, which lives until
 * its last leg has left: both parties can be told of each other there (leg_link.c). Internal to the
 * leg.
 */
#ifndef HOOKSWITCH_CALL_LEG_NG_H
#define HOOKSWITCH_CALL_LEG_NG_H

#include "base/sid.h"
#include "call/world.h"

#include <jansson.h>
#include <stdbool.h>

struct leg;

enum leg_side { LEG_PARTY, LEG_OURS };

/* An NG call, and who is in it. */
struct leg_ng_call {
	char id[SID_SIZE];
	unsigned legs; /* that hold it */
	unsigned
		joins; /* legs that ever were in it: RTPengine keeps something of each to the end */
};

struct leg_ng_call *leg_ng_call_new(const char *id); /* held once; NULL: out of memory */
/* The call of beside, held once more; a new one when there have been enough in that. */
struct leg_ng_call *leg_ng_call_beside(const struct leg *beside, const char *id);
void leg_ng_call_release(struct leg_ng_call *call); /* NULL: as it was */

/*
 * The description is of side; done follows with the leg as its argument, and begins with
 * leg_ng_over. Not while leg->ng_id is set. An answer is to the last offer of the other side.
 * -ENOMEM.
 */
int leg_ng_offer(struct leg *leg, enum leg_side side, const char *sdp, ng_done_fn *done);
int leg_ng_answer(struct leg *leg, enum leg_side side, const char *sdp, ng_done_fn *done);
int leg_ng_query(struct leg *leg, ng_done_fn *done);
/* Nobody is sent what the party sends, or they are again. */
int leg_ng_block(struct leg *leg, bool block, ng_done_fn *done);
/* One party as the offer and the other one's as the answer to it, both in the same NG call. */
int leg_ng_link_offer(struct leg *leg, const struct leg *to, const char *sdp, ng_done_fn *done);
int leg_ng_link_answer(struct leg *leg, const struct leg *to, const char *sdp, ng_done_fn *done);
/* Its tags, or the whole call when nobody else is in it, with nobody waiting; none: as it was. */
void leg_ng_delete(struct leg *leg);

bool leg_is_dtls(const struct leg *leg); /* the party has DTLS-SRTP */

/* Begins every completion. True: the leg ended meanwhile, and may be gone now. */
bool leg_ng_over(struct leg *leg);
const char *leg_ng_sdp(const json_t *reply); /* NULL: none */
/* When the last packet of the party came, in seconds since the epoch, of a query; 0: not known. */
int64_t leg_ng_last_packet(const struct leg *leg, const json_t *reply);

#endif
