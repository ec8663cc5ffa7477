/* Orders that own their strings, and their way to the process that dials them. */
#define LOG_SUBSYSTEM "order"
#include "call/call_order.h"

#include "base/config.h"
#include "base/log.h"
#include "base/process.h"
#include "call/call.h"
#include "call/call_outbound.h"
#include "call/control_run.h"
#include "io/loop.h"

#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define CODE_AWAY      20503
#define MEMBER(member) { #member, offsetof(struct call_order, member) }

struct member {
	const char *name;
	size_t at;
};

static const struct member strings[] = {
	MEMBER(sid),
	MEMBER(account_sid),
	MEMBER(auth_token),
	MEMBER(to),
	MEMBER(from),
	MEMBER(url),
	MEMBER(method),
	MEMBER(twiml),
	MEMBER(fallback_url),
	MEMBER(fallback_method),
	MEMBER(status_callback),
	MEMBER(status_callback_method),
	MEMBER(send_digits),
	MEMBER(username),
	MEMBER(password),
	MEMBER(parent_sid),
	MEMBER(refer_url),
	MEMBER(refer_method),
	MEMBER(amd_callback),
	MEMBER(amd_callback_method),
};

/* Those that REST sets: what else there is, a <Dial> orders where it runs. */
static const struct member numbers[] = {
	MEMBER(callback_events),
	MEMBER(machine_detection),
	MEMBER(timeout_s),
	MEMBER(time_limit_s),
};

#define STRINGS (sizeof(strings) / sizeof(strings[0]))
#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

struct owned_order {
	struct call_order order; /* first */
	struct calls *calls;
	char *strings[STRINGS];
};

static const char **string_of(struct call_order *order, size_t i)
{
	return (const char **)((char *)order + strings[i].at);
}

static int *number_of(struct call_order *order, size_t i)
{
	return (int *)((char *)order + numbers[i].at);
}

void call_order_free(struct call_order *order)
{
	struct owned_order *own = (struct owned_order *)order;

	for (size_t i = 0; own && i < STRINGS; i++)
		free(own->strings[i]);
	free(own);
}

struct call_order *call_order_copy(const struct call_order *order)
{
	struct owned_order *own = calloc(1, sizeof(*own));
	bool bad = false;

	if (!own)
		return NULL;
	own->order = *order;
	for (size_t i = 0; i < STRINGS; i++) {
		const char **s = string_of(&own->order, i);

		if (!*s)
			continue;
		*s = own->strings[i] = strdup(*s);
		bad |= !*s;
	}
	if (!bad)
		return &own->order;
	call_order_free(&own->order);
	return NULL;
}

/* -- to another process */

static int tell(struct siblings *siblings, unsigned process, struct call_order *order)
{
	json_t *json = json_object();
	char *text;
	int r;

	for (size_t i = 0; i < STRINGS; i++)
		if (*string_of(order, i))
			json_object_set_new(json, strings[i].name,
					    json_string(*string_of(order, i)));
	for (size_t i = 0; i < NUMBERS; i++)
		json_object_set_new(json, numbers[i].name, json_integer(*number_of(order, i)));
	text = json_dumps(json, JSON_COMPACT);
	r = text ? siblings_tell(siblings, process, SIBLING_ORDER, text, strlen(text)) : -ENOMEM;
	free(text);
	json_decref(json);
	return r;
}

void call_order_told(struct calls *calls, const json_t *json)
{
	struct call_order order = { 0 };

	for (size_t i = 0; i < STRINGS; i++)
		*string_of(&order, i) = json_string_value(json_object_get(json, strings[i].name));
	for (size_t i = 0; i < NUMBERS; i++)
		*number_of(&order, i) =
			(int)json_integer_value(json_object_get(json, numbers[i].name));
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
