#include "api/openapi.h"

#include "api/auth_tokens.h"
#include "api/idempotency.h"
#include "api/openapi_answers.h"
#include "api/openapi_schema.h"
#include "api/paging.h"
#include "base/version.h"

#include <stdio.h>
#include <string.h>

#define ABOUT                                                                                      \
	"The same addresses answer in XML with .xml or without an extension, lists in CSV with "   \
	".csv. HEAD is as GET. An empty value of a form takes its parameter back to the default; " \
	"parameters that are not known are left out, and named in a Warning header. A path that "  \
	"is not here is 404 (20404), another method of one that is here 405 (20004); OPTIONS "     \
	"names the methods. X-HTTP-Method-Override makes a POST a GET or DELETE."

/* -- operations */

enum verb { LIST, FETCH, CREATE, UPDATE, DELETE };

static const struct operation {
	const char *name, *method;
	enum verb verb;
	int can, when;
	bool instance;
} operations[] = {
	{ "List", "get", LIST, 0, 0, false },
	{ "Create", "post", CREATE, CAN_CREATE, ON_CREATE, false },
	{ "Fetch", "get", FETCH, 0, 0, true },
	{ "Update", "post", UPDATE, CAN_UPDATE, ON_UPDATE, true },
	{ "Delete", "delete", DELETE, CAN_DELETE, 0, true },
};

static bool serves(const struct resource *r, const struct operation *o)
{
	return (r->can & o->can) == o->can && !(r->singleton && o->verb == LIST) &&
	       !(r->list_only && o->instance);
}

static json_t *success(const struct resource *r, const struct operation *o)
{
	const char *own =
		r->created_properties || r->shown_once ? openapi_create_name(r) : openapi_name(r);
	const char *status = "200";
	char created[12];
	json_t *json;

	switch (o->verb) {
	case LIST:
		json = openapi_answer("A page", openapi_ref("schemas", openapi_name(r), "Page"));
		break;
	case CREATE:
		snprintf(created, sizeof(created), "%d",
			 r->created_status ? r->created_status : 201);
		status = created;
		json = openapi_answer("Created", openapi_ref("schemas", own, ""));
		break;
	case DELETE:
		return json_pack("{s:{s:s}}", "204", "description", "Deleted");
	default:
		json = openapi_answer("The resource", openapi_ref("schemas", openapi_name(r), ""));
	}
	return json_with(json_object(), status, json);
}

/* What any request may be answered with, then what the rows of this resource add. */
static json_t *responses_of(struct openapi *d, const struct resource *r, const struct operation *o)
{
	struct openapi_codes c = { { 20422, 20003, 20005, 20404, 20429, 20500, 20503 }, 7 };

	if (r->main_only)
		openapi_add_code(&c, 20006);
	if (o->verb == LIST)
		openapi_add_code(&c, 20007);
	for (size_t i = 0; i < r->n_params; i++)
		if (r->params[i].when & o->when)
			openapi_add_code(&c, r->params[i].error);
	if (o->verb == CREATE) {
		openapi_add_code(&c, 20409); /* Idempotency-Key */
		openapi_add_code(&c, r->limit_error);
	}
	if (o->when)
		openapi_add_code(&c, r->duplicate_error);
	if (o->verb == DELETE)
		openapi_add_code(&c, r->in_use_error);
	for (size_t i = 0; i < r->n_hook_errors; i++)
		if (r->hook_errors[i].can & o->can)
			openapi_add_code(&c, r->hook_errors[i].code);
	return openapi_protocol_responses(d, openapi_error_responses(d, success(r, o), &c),
					  o->when	      ? OPENAPI_TAKES_BODY
					  : o->verb == DELETE ? 0
							      : OPENAPI_TAKES_ETAG);
}

static json_t *parameter(const char *name, const char *in, json_t *schema)
{
	return json_with(json_pack("{s:s, s:s, s:b}", "name", name, "in", in, "required",
				   !strcmp(in, "path")),
			 "schema", schema);
}

static json_t *parameters_of(const struct resource *r, const struct operation *o)
{
	json_t *list = json_array();
	char parent[80];

	if (!r->top)
		list = json_add(list, openapi_ref("parameters", "AccountSid", ""));
	if (r->parent_prefix) {
		openapi_parent_parameter(parent, sizeof(parent), r);
		list = json_add(list, parameter(parent, "path", sid_schema(r->parent_prefix)));
	}
	if (o->instance && !r->singleton)
		list = json_add(list, parameter("Sid", "path", sid_schema(r->prefix)));
	if (o->verb == CREATE)
		list = json_add(list, openapi_ref("parameters", "IdempotencyKey", ""));
	if (o->verb != LIST)
		return list;
	for (size_t i = 0; i < r->n_filters; i++)
		list = json_add(list, json_with(parameter(r->filters[i].name, "query",
							  filter_schema(&r->filters[i])),
						"allowEmptyValue", json_true()));
	list = json_add(list, openapi_ref("parameters", "PageSize", ""));
	list = json_add(list, openapi_ref("parameters", "Page", ""));
	return json_add(list, openapi_ref("parameters", "PageToken", ""));
}

static json_t *body_of(const struct resource *r, int when)
{
	json_t *properties = json_object(), *required = json_array(), *schema;
	bool needed;

	for (size_t i = 0; i < r->n_params; i++) {
		const struct param *p = &r->params[i];

		if (!(p->when & when))
			continue;
		properties = json_with(properties, p->name, param_schema(p, when));
		if (p->when & (when == ON_CREATE ? REQUIRED : NEEDED))
			required = json_add(required, json_string(p->name));
	}
	needed = json_array_size(required) > 0;
	schema = json_with(json_pack("{s:s}", "type", "object"), "properties", properties);
	if (needed || !required)
		schema = json_with(schema, "required", required);
	else
		json_decref(required);
	schema = json_with(json_object(), "schema", schema);
	schema = json_with(json_object(), "application/x-www-form-urlencoded", schema);
	return json_with(json_pack("{s:b}", "required", needed), "content", schema);
}

/* Puts an operation beside those that its path has already. */
static void add_operation(struct openapi *d, json_t *path, const char *method, json_t *operation)
{
	const char *key = json_string_value(path);
	json_t *item = key ? json_object_get(d->paths, key) : NULL;

	item = json_with(item ? json_incref(item) : json_object(), method, operation);
	if (!key) {
		json_decref(item);
		item = NULL;
	}
	d->paths = json_with(d->paths, key, item);
	json_decref(path);
}

static void add_resource(struct openapi *d, const struct resource *r)
{
	openapi_add_schemas(d, r);
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		const struct operation *o = &operations[i];
		json_t *json;

		if (!serves(r, o))
			continue;
		json = json_with(
			json_pack("{s:[s]}", "tags", openapi_name(r)), "operationId",
			json_sprintf("%s%s", o->name,
				     o->verb == CREATE ? openapi_create_name(r) : openapi_name(r)));
		json = json_with(json, "parameters", parameters_of(r, o));
		if (o->when)
			json = json_with(json, "requestBody", body_of(r, o->when));
		json = json_with(json, "responses", responses_of(d, r, o));
		add_operation(d, openapi_address(r, o->instance, false), o->method, json);
	}
}

/* -- what no resource is */

static json_t *token_response(const struct auth_tokens_operation *o)
{
	json_t *properties;

	if (!o->member)
		return json_pack("{s:s}", "description", "Deleted");
	properties =
		json_pack("{s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:[s]}}", o->member,
			  "type", "string", "pattern", "^[0-9a-f]{32}$", "date_created", "type",
			  "string", "format", "date-time", "date_updated", "type", "string",
			  "format", "date-time", "url", "type", "string", "enum", o->path);
	return openapi_answer(
		"The token",
		object_schema(json_with(properties, "account_sid", sid_schema("AC")), NULL));
}

static void add_tokens(struct openapi *d)
{
	const struct auth_tokens_operation *o;

	for (size_t i = 0; (o = auth_tokens_at(i)); i++) {
		struct openapi_codes c = { { 20422, 20003, 20005, 20006, 20429, 20500, 20503 }, 7 };
		char status[12];
		json_t *responses;

		openapi_add_code(&c, o->makes ? 20409 : 20404);
		snprintf(status, sizeof(status), "%d", o->status);
		responses = json_with(json_object(), status, token_response(o));
		responses = openapi_error_responses(d, responses, &c);
		responses = openapi_protocol_responses(d, responses, 0);
		add_operation(d, json_string(o->path),
			      strcmp(o->method, "POST") ? "delete" : "post",
			      json_with(json_pack("{s:s, s:[s]}", "operationId", o->name, "tags",
						  "AuthToken"),
					"responses", responses));
	}
}

/* Those that need no account. */
static void add_open(struct openapi *d, const char *path, const char *id, json_t *responses)
{
	const struct openapi_codes c = { { 20422, 20500 }, 2 };

	responses = openapi_error_responses(d, responses, &c);
	responses = openapi_protocol_responses(
		d, responses, strcmp(path, "/openapi.json") ? 0 : OPENAPI_TAKES_ETAG);
	add_operation(d, json_string(path), "get",
		      json_with(json_pack("{s:s, s:[s], s:[]}", "operationId", id, "tags",
					  "Service", "security"),
				"responses", responses));
}

static json_t *health(const char *text)
{
	return openapi_answer(text, openapi_ref("schemas", "Health", ""));
}

static json_t *readiness(const char *text)
{
	return openapi_answer(text, openapi_ref("schemas", "Readiness", ""));
}

static json_t *metrics_answer(void)
{
	return json_pack("{s:s, s:{s:{s:{s:s}}}}", "description", "Prometheus' text format 0.0.4",
			 "content", "text/plain", "schema", "type", "string");
}

/* Others than monitors get an error. */
static json_t *for_monitors(struct openapi *d, json_t *responses)
{
	struct openapi_codes c = { { 20403 }, 1 };

	return openapi_error_responses(d, responses, &c);
}

/* What api/health.c answers. */
static void add_service(struct openapi *d)
{
	json_t *properties = json_pack("{s:{s:s, s:[s, s]}, s:{s:s, s:s}}", "status", "type",
				       "string", "enum", "ok", "unavailable", "away", "type",
				       "string", "description", "Names of dependencies");

	properties = json_with(properties, "dependencies",
			       json_pack("{s:s, s:{s:s, s:[s, s]}}", "type", "object",
					 "additionalProperties", "type", "string", "enum", "up",
					 "down"));
	openapi_add_schema(d, "Readiness", "", object_schema(properties, "away"));
	openapi_add_schema(d, "Health", "",
			   object_schema(json_pack("{s:{s:s, s:[s]}}", "status", "type", "string",
						   "enum", "ok"),
					 NULL));
	add_open(d, "/healthz", "FetchHealth",
		 for_monitors(d, json_with(json_object(), "200", health("The process answers"))));
	add_open(d, "/readyz", "FetchReadiness",
		 for_monitors(d, json_with(json_with(json_object(), "200",
						     readiness("All dependencies are there")),
					   "503", readiness("Some dependencies are away"))));
	add_open(d, "/metrics", "FetchMetrics",
		 for_monitors(d, json_with(json_object(), "200", metrics_answer())));
	add_open(d, "/openapi.json", "FetchOpenapi",
		 json_with(json_object(), "200",
			   openapi_answer("This document", json_pack("{s:s}", "type", "object"))));
}

/* -- the document */

static json_t *error_schema(void)
{
	return object_schema(json_pack("{s:{s:s}, s:{s:s}, s:{s:s, s:s}, s:{s:s}}", "code", "type",
				       "integer", "message", "type", "string", "more_info", "type",
				       "string", "pattern",
				       "^https://www\\.twilio\\.com/docs/errors/[0-9]{5}$",
				       "status", "type", "integer"),
			     NULL);
}

static json_t *shared_parameters(void)
{
	json_t *json = json_object();

	json = json_with(json, "AccountSid", parameter("AccountSid", "path", sid_schema("AC")));
	json = json_with(json, "IdempotencyKey",
			 parameter("Idempotency-Key", "header",
				   json_pack("{s:s, s:s, s:i}", "type", "string", "pattern",
					     "^[!-~]+$", "maxLength", IDEMPOTENCY_KEY_MAX)));
	json = json_with(
		json, "PageSize",
		parameter("PageSize", "query",
			  json_pack("{s:s, s:i, s:i, s:i}", "type", "integer", "minimum", 1,
				    "maximum", PAGE_SIZE_MAX, "default", PAGE_SIZE_DEFAULT)));
	json = json_with(json, "Page",
			 parameter("Page", "query",
				   json_pack("{s:s, s:i}", "type", "integer", "minimum", 0)));
	return json_with(json, "PageToken",
			 parameter("PageToken", "query", json_pack("{s:s}", "type", "string")));
}

/* Of the document's parts, which it takes. */
static json_t *whole(struct openapi *d)
{
	json_t *json = json_pack("{s:s, s:{s:s, s:s, s:s}, s:[{s:[]}]}", "openapi", "3.0.3", "info",
				 "title", "Hookswitch", "version", HOOKSWITCH_VERSION,
				 "description", ABOUT, "security", "basic");
	json_t *components =
		json_pack("{s:{s:{s:s, s:s, s:s}}}", "securitySchemes", "basic", "type", "http",
			  "scheme", "basic", "description",
			  "An account's SID and auth token, or an API key's SID and secret");

	components = json_with(components, "parameters", shared_parameters());
	components = json_with(components, "schemas", d->schemas);
	components = json_with(components, "responses", d->responses);
	json = json_with(json, "paths", d->paths);
	return json_with(json, "components", components);
}

char *openapi_document(void)
{
	struct openapi d = { json_object(), json_object(), json_object() };
	const struct resource *r;
	json_t *json;
	char *text;

	openapi_add_schema(&d, "Error", "", error_schema());
	for (size_t i = 0; (r = resource_at(i)); i++)
		add_resource(&d, r);
	add_tokens(&d);
	add_service(&d);
	json = whole(&d);
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	return text;
}
