/* The part of control.h that happens on the loop. */
#include "call/control.h"

#include "call/call.h"
#include "call/control_run.h"
#include "call/dial.h"
#include "call/transfer.h"
#include "proto/twiml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define INLINE_MAX    4000
#define CODE_TOO_LONG 32018
#define CODE_RELATIVE 15004
#define CODE_SCHEMA   12100

/* A URL that would need a document's address to resolve against; an inline document has none. */
static bool relative(const char *url)
{
	return url && *url && strncasecmp(url, "http://", 7) && strncasecmp(url, "https://", 8);
}

static bool has_relative_action(const struct twiml_node *n)
{
	for (; n; n = n->next)
		if (n->type == TWIML_ELEMENT &&
		    (relative(twiml_attr(n, "action")) || has_relative_action(n->first)))
			return true;
	return false;
}

static int parse_inline(struct twiml **ret, const char *text, int *error_code)
{
	struct twiml_error error = { .code = CODE_SCHEMA };
	struct twiml *doc;
	int r;

	if (strlen(text) > INLINE_MAX) {
		*error_code = CODE_TOO_LONG;
		return -EBADMSG;
	}
	r = twiml_parse(&doc, &error, text, strlen(text), "UTF-8", INLINE_MAX);
	if (r < 0) {
		*error_code = error.code;
		return r == -ENOMEM ? r : -EBADMSG;
	}
	if (has_relative_action(doc->response->first)) {
		twiml_free(doc);
		*error_code = CODE_RELATIVE;
		return -EBADMSG;
	}
	*ret = doc;
	return 0;
}

/* Status=canceled has no effect on an answered call, completed ends any. */
static void set_status(struct call *c, const char *status)
{
	if (!call_answered(c))
		call_hangup(c, CALL_EV_CANCELED);
	else if (!strcmp(status, "completed"))
		call_hangup(c, CALL_EV_HUNG_UP);
}

/* It goes on alone, with a document of its own. */
static void leave_others(struct call *c)
{
	transfer_leave(c);
	dial_released(c);
	call_part(c);
}

int control_run(struct calls *calls, const struct call_command *cmd, int *error_code)
{
	struct call *c = calls_find(calls, cmd->call_sid, cmd->account_sid);
	struct twiml *doc = NULL;
	int r = 0;

	if (!c || c->ending || !c->stored)
		return -ENOENT;
	/* Before the answer a call of ours has no document that another could replace. */
	if (c->order && !call_answered(c) && !cmd->status && (cmd->url || cmd->twiml))
		return -ENOENT;
	if (cmd->twiml && !cmd->url)
		r = parse_inline(&doc, cmd->twiml, error_code);
	if (r == 0 && cmd->fallback_url)
		r = hook_set(&c->fallback, cmd->fallback_url, cmd->fallback_method);
	if (r == 0 && cmd->status_callback)
		r = hook_set(&c->status_callback, cmd->status_callback,
			     cmd->status_callback_method);
	if (r < 0) {
		twiml_free(doc);
		return r;
	}
	if (cmd->status_callback)
		call_update_callback(c, 0);
	if (cmd->time_limit > 0)
		call_set_limit(c, cmd->time_limit);
	if (cmd->url || cmd->twiml)
		c->digits_play = 0; /* the order's document is not what follows them any more */
	if (cmd->status) {
		twiml_free(doc);
		set_status(c, cmd->status);
	} else if (cmd->url) {
		leave_others(c);
		interp_fetch_first(c, cmd->url, cmd->method);
	} else if (doc) {
		leave_others(c);
		interp_run_inline(c, doc);
	}
	return 0;
}
