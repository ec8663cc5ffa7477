/*
 * leg_ng - the commands of a leg to RTPengine (NG): one call a leg, one command at a time. Tag p is
 * the party, tag i is our side, plain RTP on loopback. Internal to the leg.
 */
#ifndef HOOKSWITCH_CALL_LEG_NG_H
#define HOOKSWITCH_CALL_LEG_NG_H

#include "call/world.h"

#include <jansson.h>
#include <stdbool.h>

struct leg;

enum leg_side { LEG_PARTY, LEG_OURS };

/*
 * The description is of side; done follows with the leg as its argument, and begins with
 * leg_ng_over. Not while leg->ng_id is set. An answer is to the last offer of the other side.
 * -ENOMEM.
 */
int leg_ng_offer(struct leg *leg, enum leg_side side, const char *sdp, ng_done_fn *done);
int leg_ng_answer(struct leg *leg, enum leg_side side, const char *sdp, ng_done_fn *done);
int leg_ng_query(struct leg *leg, ng_done_fn *done);
void leg_ng_delete(struct leg *leg); /* its call, with nobody waiting; none: as it was */

/* Begins every completion. True: the leg ended meanwhile, and may be gone now. */
bool leg_ng_over(struct leg *leg);
const char *leg_ng_sdp(const json_t *reply); /* NULL: none */
/* When the last packet of the party came, in seconds since the epoch, of a query; 0: not known. */
int64_t leg_ng_last_packet(const json_t *reply);

#endif
