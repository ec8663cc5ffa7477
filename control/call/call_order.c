/* Orders that own their strings, and their way to the process that dials them. */
#define LOG_SUBSYSTEM "order"
#include "call/call_order.h"

#include "base/config.h"
#include "base/log.h"
#include "base/process.h"
#include "call/call.h"
#include "call/call_outbound.h"
#include "call/control_run.h"
#include "call/members.h"
#include "io/loop.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#define CODE_AWAY 20503

#define STRING(member) MEMBER_STRING(struct call_order, member)
#define NUMBER(member) MEMBER_NUMBER(struct call_order, member)

/* All that REST sets: what else there is, a <Dial> orders where it runs. */
static const struct member list[] = {
	STRING(sid),
	STRING(account_sid),
	STRING(auth_token),
	STRING(to),
	STRING(from),
	STRING(url),
	STRING(method),
	STRING(twiml),
	STRING(fallback_url),
	STRING(fallback_method),
	STRING(status_callback),
	STRING(status_callback_method),
	NUMBER(callback_events),
	STRING(send_digits),
	STRING(username),
	STRING(password),
	STRING(parent_sid),
	STRING(refer_url),
	STRING(refer_method),
	NUMBER(machine_detection),
	STRING(amd_callback),
	STRING(amd_callback_method),
	NUMBER(timeout_s),
	NUMBER(time_limit_s),
};
static const struct members members = MEMBERS(list);

struct owned_order {
	struct call_order order; /* first */
	struct calls *calls;
};

void call_order_free(struct call_order *order)
{
	if (order)
		members_free(&members, order);
	free(order);
}

struct call_order *call_order_copy(const struct call_order *order)
{
	struct owned_order *own = calloc(1, sizeof(*own));

	if (!own)
		return NULL;
	own->order = *order;
	if (members_own(&members, &own->order) == 0)
		return &own->order;
	call_order_free(&own->order);
	return NULL;
}

/* -- to another process */

static int tell(struct siblings *siblings, unsigned process, const struct call_order *order)
{
	json_t *json = members_pack(&members, order);
	int r = json ? siblings_tell_json(siblings, process, SIBLING_ORDER, json) : -ENOMEM;

	json_decref(json);
	return r;
}

void call_order_told(struct calls *calls, const json_t *json)
{
	struct call_order order = { 0 };

	members_unpack(&members, &order, json);
	if (order.sid && order.account_sid && order.auth_token && order.to && order.from)
		calls_order_run(calls, &order);
}

static void run_posted(void *arg)
{
	struct owned_order *own = arg;
	struct calls *calls = own->calls;
	unsigned process = process_of_call(own->order.sid);
	int r;

	if (process == process_index() || !calls->siblings) {
		call_order_run(calls, &own->order);
		return;
	}
	r = tell(calls->siblings, process, &own->order);
	if (r < 0)
		call_order_fail(calls, &own->order, CODE_AWAY,
				"The process that has the account's calls is away; try again");
	else
		call_order_free(&own->order);
}

int calls_order(struct calls *calls, const struct call_order *order)
{
	struct call_order *copy = call_order_copy(order);
	int r;

	if (!copy)
		return -ENOMEM;
	((struct owned_order *)copy)->calls = calls;
	r = loop_post(calls->loop, run_posted, copy);
	if (r < 0)
		call_order_free(copy);
	return r;
}

void calls_order_run(struct calls *calls, const struct call_order *order)
{
	struct call_order *copy = call_order_copy(order);

	if (copy)
		call_order_run(calls, copy);
	else
		log_error("%s: out of memory, it is not dialled", order->sid);
}
