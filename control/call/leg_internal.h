/*
 * leg_internal - what the files of a leg share; nobody else includes it.
 *
 * leg.c: lifetime, states, the owner's calls
 * leg_invite.c: the party's INVITEs: answer, CANCEL, ACK
 * leg_outbound.c: an INVITE of ours: where it goes, what answers it, CANCEL
 * leg_tls.c: over TLS, whose certificate it has to be
 * leg_check.c: what is refused, and how
 * leg_media.c: offers and answers towards RTPengine, and the `i` socket
 * leg_ng.c: the commands themselves
 * leg_proof.c: what RTPengine counted of a secure leg
 * leg_join.c: two legs whose parties hear each other
 * leg_link.c: the short way, within one NG call
 * leg_resume.c: joined legs outlive the process
 * leg_request.c: in-dialog requests of the party
 * leg_send.c: in-dialog requests of ours
 * leg_transfer.c: REFER of the party
 * leg_refer.c: REFER of ours, and the party's NOTIFYs
 * leg_session.c: the session timer (RFC 4028)
 *
 * A leg lives until its owner freed it and the protocol is done with it: our BYE after the end is
 * still answered and repeated.
 */
#ifndef HOOKSWITCH_CALL_LEG_INTERNAL_H
#define HOOKSWITCH_CALL_LEG_INTERNAL_H

#include "base/sid.h"
#include "call/leg.h"
#include "call/leg_state.h"
#include "call/world.h"
#include "proto/sdp.h"
#include "proto/sdp_crypto.h"
#include "proto/sip_target.h"
#include "proto/tls_peer.h"

#include <uthash.h>

#define LEG_TRANSACTION_SIZE 32
#define LEG_NO_REPLY_MS	     4000 /* an address that says nothing for so long is not there */
#define LEG_TAG_PREFIX	     "hs-"
#define LEG_ALLOW	     "INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, UPDATE, INFO"
#define LEG_REASON_NORMAL    "Reason: Q.850;cause=16;text=\"Normal call clearing\"\r\n"
#define LEG_MIN_SE	     "Min-SE: 90\r\n" /* the least that RFC 4028 allows */

/* What a session timer was agreed to be (RFC 4028). */
struct leg_session {
	int interval_s; /* 0: none */
	bool we_refresh;
};

/* A transaction of the party that waits for media before it is answered: the initial INVITE, a
 * re-INVITE or an UPDATE. */
struct leg_exchange {
	char transaction[LEG_TRANSACTION_SIZE]; /* "": none */
	bool initial, update;
	bool offerless; /* our offer goes into the 200, the party's answer comes in the ACK */
	bool early;	/* of the initial one: media for a 183, the answer waits for leg_answer */
	bool waits;	/* for RTPengine, which is told of something else */
	char *offer;	/* the party's SDP; NULL when offerless */
	struct sdp_info info;
	/* What the 200 makes true; a refusal leaves everything as it was. */
	char *target, *next_hop; /* of a re-INVITE or UPDATE; NULL: unchanged */
	struct leg_session session;
	char headers[128]; /* the session timer's lines */
};

/* A request of ours that waits for its final response. */
struct leg_pending {
	char method[8]; /* "": none */
	unsigned cseq;
	unsigned tries;
	bool again; /* a BYE that Kamailio did not take: sent once more when the timer runs */
	void *timer;
};

/* A REFER of the party (leg_transfer.c). */
struct leg_transfer {
	char transaction[LEG_TRANSACTION_SIZE]; /* not answered yet; "": none */
	bool open;				/* NOTIFYs are expected */
	unsigned id, count; /* of its subscription; 0: the first of the dialog */
};

/* A REFER of ours (leg_refer.c). */
struct leg_referral {
	char *header;  /* waits for the ACK; NULL: it is sent */
	bool running;  /* its end is not told yet */
	bool open;     /* NOTIFYs are taken */
	bool notified; /* one came */
	bool over;     /* the last one came */
	unsigned cseq;
	int refer_code, notify_code; /* 0: none yet */
	void *timer;		     /* NULL until the first */
};

/* An outbound leg's INVITE (leg_outbound.c). */
struct leg_outbound {
	struct sip_target target;
	char *account_sid, *username, *password;
	char *to;	    /* whom it was for, whoever a redirect named since */
	unsigned redirects; /* followed */
	int redirect_code;
	char *ruri;		  /* of a registered phone; NULL: the target's */
	char shown_sid[SID_SIZE]; /* of its call */
	struct resolver_query *query;
	struct resolver_target *targets; /* that may be called, in order */
	unsigned n_targets, next_target; /* the next one to be tried */
	char *authorization;		 /* line that answers a challenge; NULL: none yet */
	int connection;			 /* TLS whose peer was looked at; 0: none */
	bool connecting;
	unsigned connects; /* that were asked for */
	unsigned cseq;
	bool open;	  /* sent, and no final answer to it came */
	bool provisional; /* of it: only then it can be cancelled */
	bool cancel, cancelled;
	bool overdue; /* no address answered in time, but the last one still may */
	bool rang;
	bool one_host;	  /* no redirect to another one is followed */
	bool early_media; /* wanted: a description in a 18x is taken */
	char *party_tag;  /* of the dialog that the 200 made; NULL: none yet */
	void *timer;	  /* for any answer; after CANCEL, for the final one */
};

struct buf;
struct leg_invite;

struct leg {
	struct legs *legs;
	struct world *world;
	const struct leg_events *events; /* NULL once the owner freed it */
	void *arg;
	bool registered; /* in the switchboard */
	enum leg_state state;
	enum leg_end end;
	int end_code;
	void *end_timer; /* runs `ended` in a turn of its own */
	bool end_told;

	/* dialog (RFC 3261 §12) */
	char call_sid[SID_SIZE];
	char *key; /* of the switchboard: Call-ID, a space, the party's tag */
	char *call_id;
	char local_tag[24];
	char *local, *remote; /* To and From of the INVITE: our From (with tag) and To in requests
				 of ours */
	char *target;	      /* remote target */
	char *route_set;      /* "" when none */
	char *next_hop;	      /* for a party behind NAT, or NULL */
	char *socket;	      /* where the INVITE arrived */
	char *proto;
	unsigned invite_cseq, remote_cseq, local_cseq;
	bool peer_update; /* its Allow lists UPDATE */
	UT_hash_handle hh;

	struct leg_outbound *outbound; /* NULL: the party called us */
	struct leg_exchange exchange;
	bool invite_replied; /* a final response to the initial INVITE is out */
	int invite_code;
	bool ack_due;
	unsigned ack_cseq; /* INVITE whose ACK is due */
	void *ack_timer;
	bool answer_in_ack; /* that ACK brings the party's SDP */

	struct leg_pending pending;
	struct leg_transfer transfer;
	struct leg_referral referral;

	/* media */
	struct media_port *port;
	uint64_t ng_id; /* running command; 0: none */
	struct leg_ng_call *ng;
	char ng_ours[SID_SIZE + 1]; /* tag of our side; the party's is call_sid */
	/* The tag that RTPengine knows us by, which must be deleted; NULL: it knows neither. */
	const char *ng_known;
	uint64_t sdp_id, sdp_version;
	char media_ip[INET6_ADDRSTRLEN];
	uint16_t media_number;
	int dtmf_pt; /* of telephone-event towards RTPengine, as its description says */
	bool answered_told;
	bool held;		   /* by the party */
	enum sdp_direction theirs; /* as the party's last description says it */
	bool muted;		   /* the media worker sends nothing */
	bool party_sends;	   /* both ways: silence from the party means that it is gone */
	bool info_digits;	   /* no telephone-event was agreed on: digits may come by INFO */
	char *sent_sdp;		   /* our last description towards the party, for refreshes */
	char *taken_offer; /* the party's offer that sent_sdp answered; NULL when we offered last */
	char *party_answer;	    /* the party's last answer to an offer of ours */
	bool changed;		    /* what leg_save has, and the owner was not told of it */
	bool answer_waits;	    /* party_answer is newer than what RTPengine is being told */
	unsigned media_lines;	    /* of the party's last description */
	enum leg_security security; /* LEG_EITHER until its first one */
	const char *suite;	    /* of the party's SRTP: sdp_crypto.h; NULL: it has none */

	/* leg_join.c */
	struct leg *peer;    /* joined to it; NULL: our side is the media worker */
	bool relink;	     /* RTPengine is to be told of our side anew */
	struct leg *linking; /* ng_id is a command for both of us */
	bool links;	     /* which is ours to complete */
	bool blocked;	     /* RTPengine drops, or was told to drop, what the party sends */
	bool block_due;
	void *block_timer;	    /* NULL until the first */
	bool linked;		    /* RTPengine was told of both parties last, not of our sides */
	enum sdp_direction towards; /* what we offer the party: the peer's hold is shown to it */
	bool reoffer;		    /* a re-INVITE with it is due */
	char *reoffered;	    /* our offer in one that waits for its answer */
	bool glare;		    /* it waits for the timer */
	void *reoffer_timer;	    /* after a glare; NULL until the first */

	/* session timer */
	struct leg_session session;
	uint64_t session_ends_ms;
	void *session_timer;

	UT_hash_handle sid_hh; /* by call_sid, for DTMF events */
};

/* leg.c */
/* With its timers, in the NG call of beside (NULL: its own). NULL: out of memory. */
struct leg *leg_alloc(struct world *world, struct legs *legs, const char *call_sid,
		      const struct leg *beside);
void leg_make_tag(struct leg *leg); /* local_tag, which says whose it is (base/process.h) */
bool leg_set(struct leg *leg, enum leg_event event); /* the one setter; false: not allowed here */
void leg_end(
	struct leg *leg, enum leg_end why,
	int code); /* decides the end; sends BYE as needed; `ended` follows in a turn of its own */
void leg_tell_change(struct leg *leg); /* leg_events.changed, if it has */
void leg_final(struct leg *leg, int code, const char *reason, const char *headers,
	       enum leg_end why); /* refuses the initial INVITE; the end */
void leg_release(
	struct leg *leg); /* destroys it when owner, protocol and RTPengine are done with it */
void leg_destroy(struct leg *leg); /* at once */
int leg_reply(struct leg *leg, const char *transaction, int code, const char *reason,
	      const char *headers, const char *body);
const char *leg_shown_sid(const struct leg *leg);	    /* of its call, in X-Twilio-CallSid */
void leg_add_contact(const struct leg *leg, struct buf *b); /* our Contact line */

/* leg_invite.c */
void leg_on_cancel(struct leg *leg);
void leg_on_ack(struct leg *leg, const struct sip_msg *msg);
void leg_on_ack_deadline(void *leg);
void leg_no_ack_needed(struct leg *leg);
void leg_exchange_done(struct leg *leg, int r,
		       const char *sdp);  /* media answered: the 200, or 488/500 */
void leg_exchange_start(struct leg *leg); /* leg_exchange_done follows, now or later */
void leg_exchange_clear(struct leg *leg);

/* leg_outbound.c */
/* What a TLS connection came to, that the leg waits for. */
int leg_outbound_send(struct leg *leg); /* the INVITE, to the target that is tried */
/* The next target, or the end with what the last one came to. */
void leg_outbound_next(struct leg *leg, enum leg_end why, int code);

/* leg_tls.c */
/* The INVITE to the target that is tried: now, or when its TLS connection is known. */
int leg_tls_reach(struct leg *leg);
/* Whose certificate the connection has that was asked for as this one of the leg's. */
void leg_tls_peer(struct leg *leg, unsigned connect, const struct tls_peer *peer);

void leg_outbound_response(struct leg *leg, const struct sip_msg *msg,
			   const char *source);			    /* source: URI, or NULL */
void leg_outbound_offered(struct leg *leg, int r, const char *sdp); /* RTPengine took our offer */
void leg_outbound_cancel(struct leg *leg); /* nobody wants the answer any more */
int leg_outbound_resume(struct leg *leg, const char *to, const char *party_tag, unsigned cseq);
bool leg_outbound_has_tag(const struct leg *leg, const char *party_tag);
void leg_outbound_tell(struct leg *leg, const struct sip_msg *msg); /* leg_events.heard */
void leg_outbound_free(struct leg *leg);

/* leg_check.c: what an INVITE or UPDATE may ask of us */
struct leg_refusal {
	int code, error; /* error: of the dictionary, or 0 */
	const char *reason;
	char headers[320];
};
/* What every request that opens or changes a session must keep; a Contact may be absent. */
bool leg_check_request(const struct leg_invite *request, struct leg_refusal *ret);
bool leg_check_invite(const struct leg_invite *invite,
		      struct leg_refusal *ret); /* false: refused */
/* An offer, as leg->security allows it. */
bool leg_check_offer(const struct leg *leg, const struct sip_msg *msg, struct sdp_info *info,
		     struct leg_refusal *ret);
/* An answer to our last description, as JSON can carry it, cleaned (sdp_clean), malloced; NULL: it
 * is none, with what the leg ends with in *why. */
char *leg_take_answer(const struct leg *leg, const struct sip_msg *msg, enum leg_end *why);
char *leg_copy_offer(const struct sip_msg *msg);   /* the same of an offer */
char *leg_next_hop(const struct leg_invite *from); /* where our requests go instead of the Contact,
						      or NULL; malloced */

/* leg_media.c */
int leg_media_offer(struct leg *leg);	 /* of an outbound leg; leg_outbound_offered follows */
int leg_media_exchange(struct leg *leg); /* NG for leg->exchange; leg_exchange_done follows */
void leg_media_run(struct leg *leg,
		   const struct sdp_info *theirs); /* the stream by the party's description */
void leg_media_answer(struct leg *leg,
		      const char *sdp); /* the party's answer to our offer (in the ACK) */
void leg_media_refreshed(struct leg *leg,
			 const char *sdp); /* the party's answer to our re-INVITE */
void leg_media_close(struct leg *leg);

/* The party's description in a 18x; leg_events.progress follows. */
void leg_media_early(struct leg *leg, const char *sdp);
void leg_media_mute(struct leg *leg, bool muted); /* the media worker sends nothing */
/* RTPengine is told of our side again: the media worker, or the peer. Now, or when it is free. */
void leg_media_relink(struct leg *leg);
int leg_media_resume(struct leg *leg);	  /* a socket for what the leg may play later */
void leg_media_rejoined(struct leg *leg); /* RTPengine relays already */

/* What waited for RTPengine goes on. The owner may have ended or freed the leg when it returns. */
void leg_media_settle(struct leg *leg);

/* leg_link.c */
bool leg_links(const struct leg *leg); /* joined, and RTPengine can be told of both parties */
void leg_link(struct leg *leg);	       /* it is told, now or when it is free; leg_links holds */
void leg_link_done(struct leg *leg);   /* RTPengine relays between the parties */
void leg_link_forget(struct leg *leg); /* before its command is cancelled */

/* leg_join.c */
void leg_join_held(struct leg *leg); /* leg->theirs changed */
/* A final response to a re-INVITE of ours; false: that was no offer of leg_join_settled. */
bool leg_join_answered(struct leg *leg, int status);
void leg_join_settled(struct leg *leg); /* nothing is being negotiated any more */
void leg_join_free(struct leg *leg);

/* leg_block.c */
void leg_block_later(struct leg *leg);	/* the party hears the media worker from now on */
void leg_block_settle(struct leg *leg); /* nothing is being told to RTPengine */
/* Before it is joined. True: it is blocked, and leg_media_relink follows when it is no more. */
bool leg_block_lift(struct leg *leg);
void leg_block_free(struct leg *leg);

/* leg_request.c */
void leg_on_request(struct leg *leg, const struct leg_invite *request);

/* leg_send.c */
int leg_send(struct leg *leg, const char *method, const char *headers,
	     const char *body); /* one at a time; BYE replaces */
/* Not one of those that are sent one at a time: who cares for its answer looks for it by
 * leg->local_cseq. type and body may be NULL, done too; its argument is the leg. */
int leg_send_beside(struct leg *leg, const char *method, const char *headers, const char *type,
		    const char *body, sip_sent_fn *done);
/* Hangs up the dialog that a 2xx to an INVITE of ours made and nobody wants; tm has acknowledged
 * it. source: URI of where it came from; NULL: not known, the routes count. */
void leg_send_stray_bye(struct world *world, const struct sip_msg *answer, const char *source);
void leg_on_response(struct leg *leg, const struct sip_msg *msg);
void leg_on_send_timer(void *leg);

/* leg_transfer.c */
void leg_on_refer(struct leg *leg, const struct leg_invite *request);

/* leg_refer.c */
void leg_refer_acked(struct leg *leg);
void leg_refer_answered(struct leg *leg, const struct sip_msg *msg);
void leg_on_notify(struct leg *leg, const struct leg_invite *request);
void leg_refer_free(struct leg *leg);

/* leg_proof.c: asked of all legs of a switchboard, which has one */
struct leg_proof;
struct leg_proofs {
	struct world *world;
	void (*tell)(void *arg, const struct leg_media_report *report);
	void *arg;
	struct leg_proof *first;
	bool closed;
};
/* Takes deletion, which is sent when RTPengine has answered; false: it is not taken. */
bool leg_proof_ask(struct leg_proofs *all, const struct leg *leg, json_t *deletion);
void leg_proofs_close(struct leg_proofs *all); /* what was asked is deleted now, nothing is told */

/* leg_session.c: RFC 4028 */
int leg_session_take(struct leg *leg, const struct sip_msg *msg, struct leg_session *ret,
		     char *headers, size_t size); /* 0 or 422 */
void leg_session_start(struct leg *leg);
void leg_session_answered(struct leg *leg, const char *method,
			  const struct sip_msg *msg); /* a final response to our refresh */
void leg_session_retry(struct leg *leg);	      /* Kamailio did not take our refresh */
void leg_on_session_timer(void *leg);

/* legs.c */
struct leg_proofs *legs_proofs(struct legs *legs);
void legs_add(struct legs *legs, struct leg *leg);
void legs_remove(struct leg *leg);

#endif
