/*
 * kamailio - the real SIP side of world.h: events from evapi, commands to jsonrpcs
 * (docs/kamailio-events.md). Loop thread only.
 */
#ifndef HOOKSWITCH_CALL_KAMAILIO_H
#define HOOKSWITCH_CALL_KAMAILIO_H

#include "call/world.h"

#include <stdbool.h>
#include <stddef.h>

struct config;
struct kamailio;
struct loop;

/* event: one evapi payload (a JSON-RPC notification), borrowed. */
struct kamailio *kamailio_new(struct loop *loop, const struct config *config,
			      void (*event)(void *arg, const char *json, size_t len), void *arg);
void kamailio_free(struct kamailio *k);
bool kamailio_connected(const struct kamailio *k);

/* tm.reply; see world_ops.sip_reply. -errno when the command could not be queued. */
int kamailio_reply(struct kamailio *k, const char *transaction, int code, const char *reason,
		   const char *to_tag, const char *headers, const char *body);
/* tm.t_uac_start; see world_ops.sip_request. done may be NULL; it runs within 5 s. */
int kamailio_request(struct kamailio *k, const struct sip_out *out, sip_sent_fn *done, void *arg);
/* See world_ops.tls_connect. -errno when it was not asked. */
int kamailio_tls_connect(struct kamailio *k, const char *call_id, const char *address,
			 const char *name);
/* tm.cancel of an INVITE of ours. */
int kamailio_cancel(struct kamailio *kamailio, const char *call_id, unsigned cseq);
/* No completion of arg runs any more. */
void kamailio_forget(struct kamailio *k, const void *arg);
/* Kamailio decides nothing any more by what it had of SQL before; done as of kamailio_request. */
int kamailio_forget_decisions(struct kamailio *k, sip_sent_fn *done, void *arg);

#endif
