/*
 * rtpengine - the NG client: commands as datagrams with cookies, sent again when no answer comes.
 * Loop thread only.
 */
#ifndef HOOKSWITCH_CALL_RTPENGINE_H
#define HOOKSWITCH_CALL_RTPENGINE_H

#include "call/world.h"

struct loop;
struct rtpengine;

struct rtpengine *rtpengine_new(struct loop *loop, const char *ng_addr);
void rtpengine_free(struct rtpengine *rtpengine);
/* world_ops.ng: takes command; done may be NULL; 0 when nothing was started (out of memory), else
 * an id. */
uint64_t rtpengine_command(struct rtpengine *rtpengine, json_t *command, ng_done_fn *done,
			   void *arg);
void rtpengine_cancel(struct rtpengine *rtpengine, uint64_t id);
/* Answered its last command, or not asked yet. */
bool rtpengine_alive(const struct rtpengine *rtpengine);

#endif
