/*
 * leg - one SIP dialog of ours with one party, and its media: INVITE transaction, dialog,
 * offer/answer, RTPengine call, `i` socket, timers. It knows nothing of TwiML, webhooks or the
 * database; call/call.c owns it and hears of it through leg_events.
 *
 * Loop thread only. Owned by its call; leg_free at any instant is safe and sends what SIP still
 * requires (487/603, BYE, NG delete).
 */
#ifndef HOOKSWITCH_CALL_LEG_H
#define HOOKSWITCH_CALL_LEG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct leg;
struct legs;
struct world;
struct sip_msg;
struct sip_target;
struct prompt;

enum leg_state {
	LEG_INCOMING,
	LEG_RINGING,
	LEG_CALLING,  /* ours: the INVITE is on its way, or its address is looked for */
	LEG_ALERTING, /* ours: a 18x came */
	LEG_ANSWERING,
	LEG_ANSWERED,
	LEG_CONFIRMED,
	LEG_ENDED
};

enum leg_end {
	LEG_END_REMOTE_BYE,	 /* the party hung up */
	LEG_END_CANCELED,	 /* CANCEL before the answer: 487 was sent */
	LEG_END_LOCAL,		 /* leg_hangup or leg_reject */
	LEG_END_NO_ACK,		 /* 32022: BYE was sent */
	LEG_END_NO_RTP,		 /* 32014: BYE was sent */
	LEG_END_SESSION_EXPIRED, /* RFC 4028 */
	LEG_END_MEDIA_FAILURE,	 /* RTPengine or sockets: 500 or BYE was sent */
	LEG_END_TRANSPORT,	 /* a request of ours got no reply or 408/481 */
	LEG_END_REFUSED,	 /* the party's final answer to our INVITE, in sip_code */
	LEG_END_UNREACHABLE, /* our INVITE: no address that one may call, or none that answers */
	LEG_END_INSECURE,    /* the party's answer is not the SRTP that we offered: BYE was sent */
};

struct leg_events {
	void (*ringing)(void *arg);  /* the first 18x to our INVITE; not of an inbound leg */
	void (*progress)(void *arg); /* ours: early media of the party is there; may be NULL */
	/* ours: the party's final answer to the INVITE, or its BYE; borrowed; may be NULL */
	void (*heard)(void *arg, const struct sip_msg *msg);
	/* ours: what its account shall know, a code of the dictionary and a sentence; may be NULL
	 */
	void (*warned)(void *arg, int error, const char *text);
	void (*answered)(void *arg); /* the 200 is out, or came, and media runs */
	void (*digit)(void *arg, char digit, unsigned duration_ms); /* 0-9 * # A-D, once a key */
	/* REFER with this Refer-To; leg_refer_accept, or it is declined; may be NULL */
	void (*referred)(void *arg, const char *refer_to);
	/* What the party answered to leg_refer, and what its last NOTIFY said; 0: nothing yet.
	 * final: nothing more of it is told. May be NULL */
	void (*referral)(void *arg, int refer_code, int notify_code, bool final);
	void (*played)(void *arg, uint32_t play_id);
	void (*held)(void *arg, bool held); /* by the party's re-INVITE */
	/* Of an answered leg: the party's place or what was agreed on, as leg_save has it. May be
	 * NULL */
	void (*changed)(void *arg);
	/* Last event of the leg. sip_code: the final code of the INVITE that the party saw or
	 * caused (200, 486, 487 ...). */
	void (*ended)(void *arg, enum leg_end why, int sip_code);
};

/* What descriptions have to be. */
enum leg_security { LEG_RTP, LEG_SRTP, LEG_EITHER };

/* What identifies an inbound INVITE, from the sip.request event (docs/kamailio.md). */
struct leg_invite {
	struct legs *legs;	   /* the switchboard that the leg joins */
	const char *transaction;   /* "index:label" */
	const struct sip_msg *msg; /* borrowed during leg_new_inbound */
	const char *source_ip;
	int source_port;
	const char *proto;			       /* udp tcp tls */
	const char *socket;			       /* receiving socket "udp:ip:port" */
	const char *account_sid, *domain, *domain_sid; /* what the request's host belongs to */
	enum leg_security security; /* that the domain asks for (sip-and-rest.md §3.6) */
	const char *user;	    /* that authenticated by digest, "" without digest */
};

/*
 * A leg for an initial INVITE that passed authentication. call_sid names its RTPengine call. On a
 * refusal (420 for an unknown Require such as 100rel, 400/488 for SDP that cannot be used, 503 out
 * of resources) the reply is already sent, *ret_code is that code and *ret_error the dictionary
 * code (32102, 32105, 32207, 32208 ... or 0) and -EPROTO is returned. An INVITE without SDP is
 * taken: our offer goes into the 200 (RFC 3264 §5).
 */
int leg_new_inbound(struct leg **ret, struct world *world, const char *call_sid,
		    const struct leg_invite *invite, const struct leg_events *events, void *arg,
		    int *ret_code, int *ret_error);

/* Whom an outbound leg calls, and how. All copied. */
struct leg_call {
	const struct sip_target *target;
	const char *account_sid;
	const char *from_user; /* letters, digits and +-_. */
	const char *from_host;
	const char *username, *password; /* for a challenge; NULL: it is a refusal */
	const char *shown_sid;		 /* X-Twilio-CallSid */
	/* A place that is known already, no look-up: of a registered phone. All or none. */
	const char *ruri, *next_hop, *socket;
	/* The leg that this one will probably be joined to, which then costs RTPengine less; NULL:
	 * none is known. */
	const struct leg *beside;
	bool one_host;	  /* a redirect to another host is not followed */
	bool early_media; /* the party's media before its answer is wanted */
	int dtmf_pt; /* payload type of telephone-event to offer: that of the leg which this one
			will be joined to, since RTPengine relays it as it is; 0: 101 */
};

/*
 * A leg of ours: looks the host up, offers, sends the INVITE to one address after the other until
 * one answers, and tells its owner. call_sid as in leg_new_inbound. 0, or -ENOMEM. Before the
 * answer leg_hangup cancels (RFC 3261 §9.1); a 200 that crosses the CANCEL is ended by BYE.
 */
int leg_new_outbound(struct leg **ret, struct world *world, struct legs *legs, const char *call_sid,
		     const struct leg_call *call, const struct leg_events *events, void *arg);
int leg_dtmf_pt(const struct leg *leg); /* as the party of an inbound leg offered it; 0: none */
const char *leg_call_id(const struct leg *leg); /* of its dialog; lives as long as the leg */
/* Another owner: events and arg take the place of those that leg_new_ had. */
void leg_own(struct leg *leg, const struct leg_events *events, void *arg);
void leg_free(struct leg *leg);

enum leg_state leg_state(const struct leg *leg);
int leg_ring(struct leg *leg);	   /* 180 Ringing */
int leg_progress(struct leg *leg); /* 183 with SDP: what the leg is joined to is heard before the
				      answer (RFC 3960). -EINVAL: answered, or no SDP was offered */
int leg_answer(struct leg *leg);   /* 200 with SDP and X-Twilio-CallSid, once media is ready; then
				      `answered` or `ended` */
int leg_reject(struct leg *leg, int code, const char *reason,
	       int error_code /* X-Twilio-Error, or 0 */); /* then `ended` */
int leg_hangup(struct leg *leg); /* BYE; before the answer 603, or CANCEL of ours; then `ended` */

/* The party's REFER, within leg_events.referred: 202 and the first NOTIFY, or 603. */
void leg_refer_accept(struct leg *leg);
void leg_refer_refuse(struct leg *leg);
/* What became of it, the last NOTIFY (RFC 3515 §2.4.5). None is open: as it was. */
void leg_refer_notify(struct leg *leg, int code);

/*
 * REFER to the party of an answered leg (RFC 3515); refer_to is the whole value of Refer-To. It
 * waits for the ACK. leg_events.referral follows, never before this returned, with a final one in
 * 32 s without an answer or, after it, without a NOTIFY, and in 180 s after the first NOTIFY; a leg
 * that ends has only `ended`. -EINVAL: another one runs, or no dialog does; -ENOMEM; -EIO.
 */
int leg_refer(struct leg *leg, const char *refer_to);

/* Media of an answered leg: media/media.h. Return 0 (no play) when the leg has no media any more.
 */
uint32_t leg_play(struct leg *leg, struct prompt *p, unsigned loops);
uint32_t leg_play_digits(struct leg *leg, const char *digits);
void leg_stop(struct leg *leg);

/*
 * The parties of two legs hear each other: RTPengine relays, past the media worker; their session
 * descriptions stay as they are. What plays is dropped. A leg may be joined before its media runs,
 * which then takes effect when it does. A hold of one party is shown to the other (re-INVITE,
 * RFC 3264 §8.4). -EINVAL: one of them is joined already, or ended.
 */
int leg_join(struct leg *a, struct leg *b);
/* Both are ours again, and hear silence; a leg that ends leaves by itself. NULL or not joined: as
 * it was. */
void leg_leave(struct leg *leg);

/*
 * Joined legs outlive the process: saved as JSON, NULL when the leg has no dialog or its text
 * cannot be kept. A later process resumes both and rejoins them; RTPengine has relayed all the
 * while. What is saved is as of then: save again when the dialog has changed. leg_resume: -EINVAL,
 * -ENOMEM, or the errors of media_open. leg_abandon frees a leg without a word to anybody.
 */
json_t *leg_save(const struct leg *leg);
int leg_resume(struct leg **ret, struct world *world, struct legs *legs, const json_t *saved,
	       const struct leg_events *events, void *arg);
void leg_rejoin(struct leg *a, struct leg *b);
void leg_abandon(struct leg *leg);

/*
 * The switchboard: events from Kamailio and RTPengine find their leg here. app.c feeds it.
 */
struct leg_media_report;
struct legs_events {
	/* An initial INVITE that passed authentication: takes it (leg_new_inbound) or refuses it.
	 */
	void (*incoming)(void *arg, const struct leg_invite *invite);
	/* A refused attempt (docs/kamailio-events.md); msg is NULL when it could not be read. */
	void (*rejected)(void *arg, const json_t *params, const struct sip_msg *msg);
	/* Of a secure leg that is over; borrowed. */
	void (*media)(void *arg, const struct leg_media_report *report);
};

/*
 * What RTPengine counted of a party's RTP. A packet that does not decrypt, plain ones among them,
 * is rejected and goes nowhere: what was received was encrypted.
 */
struct leg_media_report {
	const char *call_sid, *protocol, *suite;
	int64_t received, rejected, sent; /* packets */
};
struct legs *legs_new(struct world *world, const struct legs_events *events, void *arg);
void legs_free(struct legs *legs);
void legs_sip_event(struct legs *legs, const char *json, size_t len); /* one evapi payload */
/* One dtmf-log datagram; the number of the process that has to hear of it (base/process.h). */
unsigned legs_dtmf_event(struct legs *legs, const char *json, size_t len);
unsigned legs_count(const struct legs *legs);
/* Whose leg a dialog is, of those with these events; NULL: nobody's. */
void *legs_find_owner(struct legs *legs, const char *call_id, const char *party_tag,
		      const char *our_tag, const struct leg_events *events);

#endif
