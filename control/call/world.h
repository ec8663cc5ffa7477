/*
 * world - all that the call engine can do to the outside, as one table of operations: SIP through
 * Kamailio, RTPengine, media, web, database, time. app.c fills it with the real ones; unit tests
 * with a recording fake and a fake clock.
 *
 * Loop thread only. Completion rules: every operation with a `done` completes exactly once, never
 * before its starter returned, never after its cancel. Strings are copied by the callee unless said
 * otherwise.
 */
#ifndef HOOKSWITCH_CALL_WORLD_H
#define HOOKSWITCH_CALL_WORLD_H

#include "io/http_client.h"
#include "io/resolver.h"
#include "media/media.h"
#include "media/speech.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "call/routes.h"

struct config;

/* An outbound request of tm.t_uac_start: headers are whole lines ending in CRLF, without
 * Content-Length. */
struct sip_out {
	const char *method, *ruri;
	const char *next_hop; /* sip URI, or NULL: by Route/R-URI */
	const char *socket;   /* "udp:ip:port", or NULL */
	const char *headers;
	const char *body; /* or NULL */
};

/* r < 0: Kamailio refused or is away; else 0 (it was accepted: replies come as sip.response
 * events). */
typedef void sip_sent_fn(void *arg, int r);
/* reply: RTPengine's dictionary, borrowed; NULL with r < 0 (-ETIMEDOUT, -EIO; "result":"error" is
 * -EPROTO with reply). */
typedef void ng_done_fn(void *arg, int r, const json_t *reply);

/* A row to write; see call/store.h. */
struct store_item;

/* What a call needs of its SIP domain and account; borrowed for the duration of done. NULL domain:
 * it is gone. */
struct call_domain {
	const char *sid, *name, *account_sid, *auth_token;
	bool account_active, secure;
	const char *voice_url, *voice_method, *voice_fallback_url, *voice_fallback_method;
	const char *status_callback_url, *status_callback_method;
	const char *owner_sid; /* of the account; its own when it is nobody's subaccount */
	/* Of call_limits in SQL; -1: what the settings say. The owner's a second. */
	int account_calls, owner_calls_per_second, domain_calls, domain_calls_per_second;
	const char *phone_number_sid; /* whose the hooks are; NULL: the domain's own */
};

struct world_ops {
	uint64_t (*now_ms)(void *w);
	void *(*timer_new)(void *w, void (*fn)(void *arg), void *arg);
	void (*timer_start)(void *w, void *timer, uint64_t delay_ms);
	void (*timer_stop)(void *w, void *timer);
	void (*timer_free)(void *w, void *timer);

	/* SIP: transaction is "index:label". headers/body may be NULL. No completion: Kamailio's tm
	 * owns it. */
	int (*sip_reply)(void *w, const char *transaction, int code, const char *reason,
			 const char *to_tag, const char *headers, const char *body);
	int (*sip_request)(void *w, const struct sip_out *out, sip_sent_fn *done, void *arg);
	/* Cancels the INVITE of ours with this Call-ID and CSeq, of which a provisional came. */
	int (*sip_cancel)(void *w, const char *call_id, unsigned cseq);
	/* A TLS connection to address ("ip:port") for name, whose peer is told by a tls.peer event
	 * with this id (of a Call-ID's characters), or never. */
	int (*tls_connect)(void *w, const char *id, const char *address, const char *name);
	void (*sip_forget)(void *w, const void *arg); /* no `done` with this arg runs any more */

	/* Where a request for a host goes: io/resolver.h. */
	int (*resolve)(void *w, struct resolver_query **ret, const struct resolver_request *request,
		       resolver_done_fn *done, void *arg);
	void (*resolve_cancel)(void *w, struct resolver_query *query);

	/* RTPengine: takes the dictionary's reference. Waits are bounded (2 s). cancel by id. */
	uint64_t (*ng)(void *w, json_t *command, ng_done_fn *done, void *arg);
	void (*ng_cancel)(void *w, uint64_t id);

	/* Web */
	int (*fetch)(void *w, struct http_fetch **ret, const struct http_request *request,
		     http_done_fn *done, void *arg);
	void (*fetch_cancel)(void *w, struct http_fetch *fetch);

	/* Media and speech: the functions of media/media.h and media/speech.h */
	int (*media_open)(void *w, struct media_port **ret, unsigned timeout_ms,
			  const struct media_events *ev, void *arg);
	void (*media_close)(void *w, struct media_port *port);
	uint16_t (*media_port_number)(void *w, const struct media_port *port);
	void (*media_start)(void *w, struct media_port *port, const char *ip, uint16_t number,
			    uint8_t event_type);
	void (*media_hold)(void *w, struct media_port *port, int sending);
	uint32_t (*media_play)(void *w, struct media_port *port, struct prompt *p, unsigned loops);
	uint32_t (*media_play_digits)(void *w, struct media_port *port, const char *digits);
	void (*media_stop)(void *w, struct media_port *port);
	const struct speech_voice *(*speech_voice)(void *w, const char *voice, const char *language,
						   bool *voice_known, bool *language_known);
	int (*speech_say)(void *w, struct speech_job **ret, const struct speech_voice *voice,
			  const char *ssml, speech_done_fn *done, void *arg);
	int (*speech_decode)(void *w, struct speech_job **ret, const void *data, size_t len,
			     const char *content_type, speech_done_fn *done, void *arg);
	void (*speech_cancel)(void *w, struct speech_job *job);

	/* Database: store queues a row for the store thread (takes ownership of item). domain_get:
	 * below. */
	int (*store)(void *w, struct store_item *item);
	int (*domain_get)(void *w, const char *domain_sid, const char *number,
			  void (*done)(void *arg, const struct call_domain *domain), void *arg,
			  uint64_t *ret_id);
	void (*domain_get_cancel)(void *w, uint64_t id);
	/* call/routes.h */
	int (*routes_get)(void *w, const struct route_want *want, routes_fn *done, void *arg,
			  uint64_t *ret_id);
	void (*routes_cancel)(void *w, uint64_t id);
};

struct world {
	const struct world_ops *ops;
	void *w;
	const struct config *config;
};

#endif
