/* The verbs, and what each does to a leg that is not answered yet (twiml-and-webhooks.md §2.0). */
#include "call/prompt_verb.h"
#include "call/verb.h"

#include <stddef.h>
#include <string.h>

static const struct verb table[] = {
	{ .name = "Say", .answers = true, .run = verb_say_run, .cancel = prompt_verb_cancel },
	{ .name = "Play", .answers = true, .run = verb_play_run, .cancel = prompt_verb_cancel },
	{ .name = "Pause", .run = verb_pause_run, .cancel = prompt_verb_cancel },
	{ .name = "Gather",
	  .answers = true,
	  .run = verb_gather_run,
	  .digit = verb_gather_digit,
	  .cancel = verb_gather_cancel },
	{ .name = "Redirect", .run = verb_redirect_run },
	{ .name = "Reject", .run = verb_reject_run },
	{ .name = "Hangup", .run = verb_hangup_run },
	{ .name = "Dial",
	  .answers = true,
	  .unanswered = verb_dial_unanswered,
	  .run = verb_dial_run,
	  .digit = verb_dial_digit,
	  .cancel = verb_dial_cancel },
	{ .name = "Refer", .answers = true, .run = verb_refer_run, .cancel = verb_refer_cancel },
	/* Of later versions. */
	{ .name = "Record", .run = verb_later_run },
	{ .name = "Enqueue", .run = verb_later_run },
	{ .name = "Leave", .run = verb_later_run },
	{ .name = "Queue", .run = verb_later_run },
	{ .name = "Connect", .run = verb_later_run },
	{ .name = "Start", .run = verb_later_run },
	{ .name = "Stop", .run = verb_later_run },
	{ .name = "Pay", .run = verb_later_run },
	{ .name = "Prompt", .run = verb_later_run },
	{ .name = "Echo", .run = verb_later_run },
	{ .name = "Sms", .run = verb_later_run },
};

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}
