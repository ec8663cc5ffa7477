/*
 * rejected - attempts that Kamailio refused (sip.rejected, docs/kamailio-events.md) become
 * Notifications of the account. Bounded to some a second for an account, so that a flood fills
 * neither the table nor the queue. Loop thread only.
 */
#ifndef HOOKSWITCH_CALL_REJECTED_H
#define HOOKSWITCH_CALL_REJECTED_H

#include <jansson.h>
#include <stdint.h>

#define REJECTED_PER_SECOND 10

struct rejected;
struct sip_msg;
struct world;

struct rejected *rejected_new(struct world *world);
void rejected_free(struct rejected *rejected); /* NULL is fine */
/* The params of one sip.rejected, and its message when it could be read, else NULL; both borrowed.
 */
void rejected_event(struct rejected *rejected, const json_t *params, const struct sip_msg *msg);
/* The same bound for what the engine itself refuses before there is a call: no VoiceUrl, an SDP
 * that cannot be used ... */
void rejected_tell(struct rejected *rejected, const char *account_sid, int error_code,
		   const char *message);
uint64_t
rejected_dropped(const struct rejected *rejected); /* not told, because there were too many */

#endif
