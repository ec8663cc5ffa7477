/* Rows of the database as the API shows them. */
#include "api/resource.h"

#include "base/clock.h"
#include "io/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *property_json(enum property_type type, const char *value)
{
	char date[CLOCK_RFC2822_SIZE];

	if (!value)
		return json_null();
	switch (type) {
	case PROPERTY_INT:
		return json_integer(strtoll(value, NULL, 10));
	case PROPERTY_BOOL:
		return json_boolean(*value == 't');
	case PROPERTY_DATE:
		clock_rfc2822(date, (time_t)strtoll(value, NULL, 10));
		return json_string(date);
	case PROPERTY_JSON:
		return json_loads(value, JSON_DECODE_ANY, NULL);
	case PROPERTY_TEXT:
		break;
	}
	return json_string(value);
}

static const char *const extensions[] = {
	[FORMAT_JSON] = ".json",
	[FORMAT_XML] = "",
	[FORMAT_CSV] = ".csv",
};

/* The instance's URI without extension: the list's path with its SIDs filled in, and the SID. */
static void uri_of(char *ret, size_t size, const struct api_request *q, const struct resource *r,
		   const char *sid)
{
	const char *at = strchr(r->path, '@');

	if (r->top)
		snprintf(ret, size, API_ROOT "%s", sid);
	else if (r->singleton)
		snprintf(ret, size, API_ROOT "%s%s", q->account_sid, r->path);
	else if (at)
		snprintf(ret, size, API_ROOT "%s%.*s%s%s/%s", q->account_sid, (int)(at - r->path),
			 r->path, q->parent_sid, at + 1, sid);
	else
		snprintf(ret, size, API_ROOT "%s%s/%s", q->account_sid, r->path, sid);
}

static json_t *subresources_json(const struct api_request *q, const struct resource *r,
				 const char *uri)
{
	json_t *json = json_object();
	char sub[500];

	for (size_t i = 0; i < r->n_subresources; i++) {
		snprintf(sub, sizeof(sub), "%s%s%s", uri, r->subresources[i].tail,
			 extensions[q->format]);
		json_object_set_new(json, r->subresources[i].name, json_string(sub));
	}
	return json;
}

json_t *row_json(const struct api_request *q, const struct resource *r, const struct db_result *res,
		 int row, bool instance)
{
	json_t *json = json_object();
	char uri[400], file[410];

	for (size_t i = 0; i < r->n_properties; i++) {
		const struct property *p = &r->properties[i];

		if (instance || !p->instance_only)
			json_object_set_new(json, p->name,
					    property_json(p->type, db_value(res, row, (int)i)));
	}
	uri_of(uri, sizeof(uri), q, r, db_value(res, row, (int)r->n_properties));
	if (r->subresources)
		json_object_set_new(json, "subresource_uris", subresources_json(q, r, uri));
	if (r->shows_uri) {
		snprintf(file, sizeof(file), "%s%s", uri, extensions[q->format]);
		json_object_set_new(json, "uri", json_string(file));
	}
	return json;
}
