/*
 * call - one call: its identity, its status, its leg, and the interpreter that runs its documents.
 * Internal to call/: the files of the engine share this struct, nobody else sees it. Loop thread
 * only.
 *
 * Owner: struct calls. Freed at the end of the loop turn in which its leg ended, never before.
 */
#ifndef HOOKSWITCH_CALL_CALL_H
#define HOOKSWITCH_CALL_CALL_H

#include "base/metrics.h"
#include "base/sid.h"
#include "call/calls.h"
#include "call/interp.h"
#include "call/leg.h"
#include "call/state.h"
#include "call/world.h"
#include "proto/e164.h"
#include "proto/form.h"

struct call_order;
struct call_forks;
struct callbacks;
struct dial_target;
struct media_cache;
struct playlist;
struct rejected;

/* Nobody rings for longer, whatever a document says; Kamailio's own limit lies beyond. */
#define CALL_RING_MAX_MS 180000

struct hook {
	char *url, *method; /* url NULL: none */
};

struct call {
	struct calls *calls;
	struct world *world;
	struct call *prev, *next;
	char sid[SID_SIZE];
	struct leg *leg;
	struct call_forks *forks; /* instead of it, until one of several phones answers */

	enum call_status status;
	const char *direction;	  /* as its row says it */
	struct call_order *order; /* of a call of ours; NULL: it came in */
	struct call *bridged;	  /* the other end, when the bridge is saved (bridge.h); or NULL */
	bool bridge_first;	  /* the row bears its name, not the other's */
	struct call *mate;	  /* joined with it without a <Dial> (transfer.h); or NULL */
	/* A transfer whose transferor stays until it succeeds (transfer.h): the other end, or NULL;
	 * and the document that the transferee is back in when it does not, when that was its own.
	 */
	struct call *transferor, *transferee;
	struct interp *suspended;
	struct dial_target *target; /* the <Dial> that it belongs to; NULL: none, or no more */
	uint32_t digits_play;	    /* of the order's digits; 0: not being sent */
	bool dialled;		    /* of ours: its turn has come */
	const char *answered_by;    /* constant; NULL: nobody asked */
	bool answering;		    /* the 200 was asked for */
	bool stored;		    /* its row exists: end it there and tell the status callback */
	bool finished; /* the leg ended: only the memory remains, until the end of the turn */
	bool ending;   /* we asked for the end, as end_event */
	enum call_event end_event;
	uint64_t started_ms; /* the INVITE came */
	uint64_t answered_ms;
	int64_t answered_wall_ms;

	/* who calls whom, from the INVITE and the domain */
	char *account_sid, *auth_token, *domain_sid, *domain_name;
	char *from, *to, *sip_call_id, *source_ip, *user;
	/* E.164: whom an INVITE to the account's gateway calls and who calls; "": not said */
	char called_number[E164_SIZE], caller_number[E164_SIZE];
	char phone_number_sid[SID_SIZE]; /* of the number that is called, when it is one's; "" */
	struct form sip_headers; /* SipHeader_X-... of the INVITE, or of what answered ours */

	struct hook voice, fallback, status_callback;
	unsigned callback_events;   /* bits of enum callback_event that are wanted */
	unsigned callback_sequence; /* of the next one */
	struct http_jar *jar;
	uint64_t routes_get;	/* what waits for the places that it may be called at; 0: nothing */
	uint64_t domain_get;	/* what waits for the domain's settings; 0: nothing */
	void *deadline;		/* ringing: CALL_RING_MAX_MS; answered: time_limit_s */
	int time_limit_s;	/* what REST asked for; 0: the platform's */
	unsigned notifications; /* written so far; bounded */
	struct playlist *playing;
	struct interp interp;
};

struct calls {
	struct world *world;
	struct loop *loop;
	struct domain_cache *domains;
	struct legs *legs;
	struct call *live, *dead;
	unsigned count;
	void *reaper;
	struct callbacks *callbacks;
	struct media_cache *media;
	struct rejected *rejected;
	struct call_limits *limits;
	uint64_t refused; /* INVITEs beyond max_calls */
	/* control_errand.c: what other processes were asked, by deadline */
	struct siblings *siblings;
	struct errand *errands;
	struct loop_timer *errand_timer;
	uint64_t errand_number;
};

/* call_new.c. -EPROTO: the leg refused the INVITE and answered it. */
int call_new(struct call **ret, struct calls *calls, const struct leg_invite *invite);
/* A queued call, among the live ones; takes the order, which it was made for. -ENOMEM. */
struct call *call_alloc(struct calls *calls, const char *sid); /* bare; NULL: out of memory */
int call_new_outbound(struct call **ret, struct calls *calls, struct call_order *order);
extern const struct leg_events call_leg_events;
void call_free(struct call *c);
void call_on_deadline(void *call); /* of its deadline timer: queued, ringing or answered too long */
void call_start(struct call *c);   /* looks the domain up, rings, asks the VoiceUrl */
bool call_answered(const struct call *c);
/* The 200; interp_answered follows, or the end. */
void call_answer(struct call *c);
void call_hangup(struct call *c, enum call_event why); /* BYE, or 603 before the answer */
void call_reject(struct call *c, int code, const char *reason, int error_code, enum call_event why);
/* The leg is over: final status, row and status callback. The leg's `ended` calls it, and the
 * shutdown. */
void call_end(struct call *c, enum call_event event, int sip_code);
void call_set_limit(struct call *c, int seconds); /* counts from the answer */
void call_insert_row(struct call *c);
/* What a start that closes the call tells of it; sequence: of the next callback, 0: as it was. */
void call_update_callback(struct call *c, unsigned sequence);
enum metric_direction call_metric_direction(const struct call *c);
int call_duration_s(const struct call *c);
struct http_jar *call_jar(struct call *c); /* made at first use; NULL: out of memory */
int hook_set(struct hook *h, const char *url, const char *method);
void hook_done(struct hook *h);

/* calls.c */
void calls_add(struct calls *calls, struct call *c); /* among the live ones, counted */
struct call *calls_find(struct calls *calls, const char *sid,
			const char *account_sid);     /* live ones; account_sid may be NULL */
void calls_bury(struct calls *calls, struct call *c); /* c goes at the end of this turn */

/* params.c: the parameters of every request about this call (§3.2), appended */
int params_standard(struct form *f, const struct call *c,
		    const char *status);			   /* status NULL: the call's */
int params_sip_headers(struct form *f, const struct sip_msg *msg); /* SipHeader_* of an INVITE */

#endif
