/*
 * leg_internal - what the files of a leg share; nobody else includes it.
 *
 * leg.c	lifetime, states, the owner's calls		leg_request.c	in-dialog requests of the party
 * leg_invite.c	the initial INVITE: checks, answers, CANCEL, ACK	leg_send.c	in-dialog requests of ours
 * leg_media.c	RTPengine and the `i` socket			leg_session.c	session timer (RFC 4028)
 *
 * A leg lives until its owner freed it and the protocol is done with it: our BYE after the end is still answered and repeated.
 */
#ifndef HOOKSWITCH_CALL_LEG_INTERNAL_H
#define HOOKSWITCH_CALL_LEG_INTERNAL_H

#include "base/sid.h"
#include "call/leg.h"
#include "call/leg_state.h"
#include "call/world.h"
#include "proto/sdp.h"

#include <uthash.h>

#define LEG_TRANSACTION_SIZE 32
#define LEG_TAG_PREFIX	     "hs-"
#define LEG_ALLOW	     "INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE, INFO"
#define LEG_REASON_NORMAL    "Reason: Q.850;cause=16;text=\"Normal call clearing\"\r\n"
#define LEG_SERVER	     "Server: Hookswitch\r\n"

/* A transaction of the party that waits for media before it is answered: the initial INVITE, a re-INVITE or an UPDATE. */
struct leg_exchange {
	char transaction[LEG_TRANSACTION_SIZE]; /* "": none */
	bool initial, update;
	bool offerless;		/* our offer goes into the 200, the party's answer comes in the ACK */
	char *offer;		/* the party's SDP; NULL when offerless, or an UPDATE without SDP */
	struct sdp_info info;
	char headers[256];	/* session timer's lines for the 200 */
};

/* A request of ours that waits for its final response. */
struct leg_pending {
	char method[8]; /* "": none */
	unsigned cseq;
	unsigned tries;
	bool again;	/* send it once more when the timer runs: Kamailio did not take it */
	void *timer;
};

struct leg {
	struct legs *legs;
	struct world *world;
	const struct leg_events *events; /* NULL once the owner freed it */
	void *arg;
	bool registered;	/* in the switchboard */
	enum leg_state state;
	enum leg_end end;
	int end_code;
	void *end_timer;	/* runs `ended` in a turn of its own */
	bool end_told;

	/* dialog (RFC 3261 §12) */
	char call_sid[SID_SIZE];
	char *key;		/* of the switchboard: Call-ID, a space, the party's tag */
	char *call_id;
	char local_tag[24];
	char *local, *remote;	/* To and From of the INVITE: our From (with tag) and To in requests of ours */
	char *target;		/* remote target */
	char *route_set;	/* "" when none */
	char *next_hop;		/* for a party behind NAT, or NULL */
	char *socket;		/* where the INVITE arrived */
	char *proto;
	unsigned invite_cseq, remote_cseq, local_cseq;
	bool peer_update;	/* its Allow lists UPDATE */
	UT_hash_handle hh;

	struct leg_exchange exchange;
	bool invite_replied;	/* a final response to the initial INVITE is out */
	int invite_code;
	unsigned ack_cseq;	/* INVITE whose ACK is awaited; 0: none */
	void *ack_timer;
	bool answer_in_ack;	/* that ACK brings the party's SDP */

	struct leg_pending pending;

	/* media */
	struct media_port *port;
	uint64_t ng_id;		/* running command; 0: none */
	bool ng_call;		/* RTPengine knows the call: it must be deleted */
	uint64_t sdp_id, sdp_version;
	char media_ip[INET6_ADDRSTRLEN];
	uint16_t media_number;
	bool held;		/* by the party */
	char *sent_sdp;		/* our last description towards the party, for refreshes */

	/* session timer */
	int session_s;		/* 0: none */
	bool we_refresh;
	void *session_timer;

	UT_hash_handle sid_hh;	/* by call_sid, for DTMF events */
};

/* leg.c */
struct leg *leg_alloc(struct world *world, struct legs *legs, const char *call_sid); /* with its timers; NULL: out of memory */
bool leg_set(struct leg *leg, enum leg_event event);	/* the one setter; false: not allowed here */
void leg_end(struct leg *leg, enum leg_end why, int code); /* decides the end; sends BYE or the final response as needed */
void leg_release(struct leg *leg);			/* frees it when owner and protocol are done */
void leg_reply(struct leg *leg, const char *transaction, int code, const char *reason, const char *headers, const char *body);

/* leg_invite.c */
void leg_on_cancel(struct leg *leg);
void leg_on_ack(struct leg *leg, const struct sip_msg *msg);
void leg_await_ack(struct leg *leg, unsigned cseq);
void leg_on_ack_deadline(void *leg);
void leg_exchange_done(struct leg *leg, int r, const char *sdp); /* media answered: the 200, or 488/500 */
void leg_exchange_clear(struct leg *leg);
int leg_check_sdp(const struct sip_msg *msg, struct sdp_info *info, const char **reason, int *error); /* SIP code, 0 = fine */

/* leg_media.c */
int leg_media_exchange(struct leg *leg);		/* NG for leg->exchange; leg_exchange_done follows */
void leg_media_answer(struct leg *leg, const char *sdp); /* the party's answer to our offer (in the ACK) */
void leg_media_close(struct leg *leg);

/* leg_request.c */
void leg_on_request(struct leg *leg, const char *transaction, const struct sip_msg *msg);

/* leg_send.c */
void leg_send(struct leg *leg, const char *method, const char *headers, const char *body);
void leg_on_response(struct leg *leg, const struct sip_msg *msg);
void leg_on_send_timer(void *leg);

/* leg_session.c: 0, or 422; fills the lines for the 200 */
int leg_session_take(struct leg *leg, const struct sip_msg *msg, char *headers, size_t size);
void leg_session_start(struct leg *leg);
void leg_on_session_timer(void *leg);

/* legs.c */
void legs_add(struct legs *legs, struct leg *leg);
void legs_remove(struct leg *leg);

#endif
