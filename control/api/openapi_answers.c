#include "api/openapi_answers.h"

#include "api/openapi_schema.h"
#include "api/paging.h"
#include "base/error_code.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define PATH_MAX_BYTES 1024
#define TEXT_MAX_BYTES 4096

/* -- names and addresses */

const char *openapi_name(const struct resource *r)
{
	return r->name ? r->name : r->element;
}

static const struct resource *parent_of(const struct resource *r)
{
	size_t n = (size_t)(strchr(r->path, '@') - r->path) - 1;
	const struct resource *p;

	for (size_t i = 0; (p = resource_at(i)); i++)
		if (strlen(p->path) == n && !strncmp(p->path, r->path, n))
			return p;
	return NULL;
}

void openapi_parent_parameter(char *ret, size_t size, const struct resource *r)
{
	snprintf(ret, size, "%s%s", r->parent_prefix ? parent_of(r)->element : "",
		 r->parent_prefix ? "Sid" : "");
}

/* A SID's place in an address: its parameter, or its regular expression. */
static void add_sid(struct buf *b, bool regex, const char *name, const char *prefix)
{
	if (regex)
		buf_addf(b, "%s" SID_DIGITS, prefix);
	else
		buf_addf(b, "{%s}", name);
}

json_t *openapi_address(const struct resource *r, bool instance, bool regex)
{
	const char *at = strchr(r->path, '@');
	char parent[80];
	struct buf b;
	json_t *json;

	buf_init(&b, PATH_MAX_BYTES);
	buf_addf(&b, "%s/" API_VERSION "/Accounts", regex ? "^" : "");
	if (!r->top) {
		buf_addc(&b, '/');
		add_sid(&b, regex, "AccountSid", "AC");
	}
	if (at) {
		openapi_parent_parameter(parent, sizeof(parent), r);
		buf_add(&b, r->path, (size_t)(at - r->path));
		add_sid(&b, regex, parent, r->parent_prefix);
	}
	buf_adds(&b, at ? at + 1 : r->path);
	if (instance && !r->singleton) {
		buf_addc(&b, '/');
		add_sid(&b, regex, "Sid", r->prefix);
	}
	buf_adds(&b, regex ? "\\.json$" : ".json");
	json = b.error ? NULL : json_string(b.data);
	buf_done(&b);
	return json;
}

/* -- schemas of answers */

json_t *openapi_ref(const char *kind, const char *name, const char *more)
{
	return json_with(json_object(), "$ref",
			 json_sprintf("#/components/%s/%s%s", kind, name, more));
}

static json_t *subresources_schema(const struct resource *r)
{
	json_t *properties = json_object();

	for (size_t i = 0; i < r->n_subresources; i++)
		properties = json_with(properties, r->subresources[i].name,
				       json_pack("{s:s}", "type", "string"));
	return object_schema(properties, NULL);
}

/* What row_json makes (represent.c). */
static json_t *row_schema(const struct resource *r, bool instance, const char *once)
{
	json_t *properties = json_object();

	for (size_t i = 0; i < r->n_properties; i++)
		if (instance || !r->properties[i].instance_only)
			properties = json_with(properties, r->properties[i].name,
					       property_schema(r, &r->properties[i]));
	if (r->subresources)
		properties = json_with(properties, "subresource_uris", subresources_schema(r));
	if (r->shows_uri)
		properties = json_with(properties, "uri",
				       json_with(json_pack("{s:s}", "type", "string"), "pattern",
						 openapi_address(r, true, true)));
	if (once)
		properties = json_with(properties, once, json_pack("{s:s}", "type", "string"));
	return object_schema(properties, once);
}

static json_t *created_schema(const struct resource *r)
{
	json_t *properties = json_object();

	for (size_t i = 0; i < r->n_created_properties; i++)
		properties = json_with(properties, r->created_properties[i].name,
				       property_schema(r, &r->created_properties[i]));
	return object_schema(properties, NULL);
}

/* What paging_envelope makes (paging.c). */
static json_t *list_schema(const struct resource *r, json_t *row)
{
	json_t *properties = json_pack(
		"{s:{s:s}, s:{s:s, s:b}, s:{s:s, s:b}, s:{s:s}, s:{s:s, s:i}, s:{s:s, s:i, s:i}, "
		"s:{s:s, s:i}, s:{s:s, s:i}}",
		"first_page_uri", "type", "string", "next_page_uri", "type", "string", "nullable",
		1, "previous_page_uri", "type", "string", "nullable", 1, "uri", "type", "string",
		"page", "type", "integer", "minimum", 0, "page_size", "type", "integer", "minimum",
		1, "maximum", PAGE_SIZE_MAX, "start", "type", "integer", "minimum", 0, "end",
		"type", "integer", "minimum", 0);

	properties = json_with(properties, r->list_key,
			       json_with(json_pack("{s:s}", "type", "array"), "items", row));
	return object_schema(properties, NULL);
}

void openapi_add_schema(struct openapi *d, const char *name, const char *more, json_t *schema)
{
	char whole[120];

	snprintf(whole, sizeof(whole), "%s%s", name, more);
	BUG_ON(json_object_get(d->schemas, whole) != NULL);
	d->schemas = json_with(d->schemas, whole, schema);
}

static bool has_details(const struct resource *r)
{
	for (size_t i = 0; i < r->n_properties; i++)
		if (r->properties[i].instance_only)
			return true;
	return false;
}

const char *openapi_create_name(const struct resource *r)
{
	return r->create_name ? r->create_name : openapi_name(r);
}

void openapi_add_schemas(struct openapi *d, const struct resource *r)
{
	const char *name = openapi_name(r), *row = has_details(r) ? "Row" : "";

	openapi_add_schema(d, name, "", row_schema(r, true, NULL));
	if (*row)
		openapi_add_schema(d, name, row, row_schema(r, false, NULL));
	if (!r->singleton)
		openapi_add_schema(d, name, "Page",
				   list_schema(r, openapi_ref("schemas", name, row)));
	if (r->created_properties)
		openapi_add_schema(d, openapi_create_name(r), "", created_schema(r));
	else if (r->shown_once)
		openapi_add_schema(d, openapi_create_name(r), "",
				   row_schema(r, true, r->shown_once));
}

/* -- responses */

static json_t *json_content(json_t *schema)
{
	return json_with(json_object(), "application/json",
			 json_with(json_object(), "schema", schema));
}

json_t *openapi_answer(const char *text, json_t *schema)
{
	return json_with(json_pack("{s:s}", "description", text), "content", json_content(schema));
}

void openapi_add_code(struct openapi_codes *c, int code)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->code[i] == code)
			return;
	BUG_ON(c->n == OPENAPI_CODES_MAX);
	if (code)
		c->code[c->n++] = code;
}

static int status_of(int code)
{
	const struct error_code *e = error_code_find(code);

	return e && e->http_status ? e->http_status : 400;
}

/* An error that has one of these codes; takes them. */
static json_t *error_schema_of(json_t *codes, int status)
{
	json_t *code = json_with(json_pack("{s:s}", "type", "integer"), "enum", codes);
	json_t *properties =
		json_pack("{s:{s:s, s:[i]}}", "status", "type", "integer", "enum", status);
	json_t *all = json_add(json_array(), openapi_ref("schemas", "Error", ""));

	properties = json_with(properties, "code", code);
	all = json_add(all,
		       json_with(json_pack("{s:s}", "type", "object"), "properties", properties));
	return json_with(json_object(), "allOf", all);
}

/* The response of the codes with this status; it stands once, under a name made of them. */
static json_t *error_response(struct openapi *d, const struct openapi_codes *c, int status)
{
	json_t *codes = json_array(), *response;
	struct buf name, text;

	buf_init(&name, TEXT_MAX_BYTES);
	buf_init(&text, TEXT_MAX_BYTES);
	buf_adds(&name, "Error");
	for (size_t i = 0; i < c->n; i++) {
		const struct error_code *e = error_code_find(c->code[i]);

		if (status_of(c->code[i]) != status)
			continue;
		codes = json_add(codes, json_integer(c->code[i]));
		buf_addf(&name, "_%d", c->code[i]);
		buf_addf(&text, "%s%d %s", text.len ? "; " : "", c->code[i], e ? e->text : "");
	}
	response = name.error || text.error ? NULL : openapi_ref("responses", name.data, "");
	if (response && !json_object_get(d->responses, name.data))
		d->responses = json_with(d->responses, name.data,
					 openapi_answer(text.data, error_schema_of(codes, status)));
	else
		json_decref(codes);
	buf_done(&name);
	buf_done(&text);
	return response;
}

json_t *openapi_error_responses(struct openapi *d, json_t *responses, const struct openapi_codes *c)
{
	char status[12];

	for (size_t i = 0; i < c->n; i++) {
		snprintf(status, sizeof(status), "%d", status_of(c->code[i]));
		if (!json_object_get(responses, status))
			responses = json_with(responses, status,
					      error_response(d, c, status_of(c->code[i])));
	}
	return responses;
}

/* What api/protocol.c answers, whatever the resource; docs/api.md has the table. */
json_t *openapi_protocol_responses(struct openapi *d, json_t *responses, unsigned takes)
{
	static const struct {
		int status;
		unsigned takes; /* of those that take this; 0: of all */
		const char *text;
	} table[] = {
		{ 304, OPENAPI_TAKES_ETAG, "What If-None-Match names; without a body" },
		{ 413, 0, "20422 The body is too large" },
		{ 414, 0, "20422 The URI is too long" },
		{ 415, OPENAPI_TAKES_BODY, "20422 The body is no form in UTF-8" },
		{ 417, 0, "20422 What Expect asks is not met" },
	};
	char status[12], name[24];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int n = table[i].status;

		if ((takes & table[i].takes) != table[i].takes)
			continue;
		snprintf(status, sizeof(status), "%d", n);
		snprintf(name, sizeof(name), "Status_%d", n);
		if (!json_object_get(d->responses, name))
			d->responses = json_with(
				d->responses, name,
				n < 400 ? json_pack("{s:s}", "description", table[i].text)
					: openapi_answer(
						  table[i].text,
						  error_schema_of(json_pack("[i]", 20422), n)));
		responses = json_with(responses, status, openapi_ref("responses", name, ""));
	}
	return responses;
}
