#include "api/path.h"

#include "api/resource.h"

#include <stdio.h>
#include <string.h>

/* The representation that the path asks for; the length of the path without it. */
static size_t take_extension(struct api_request *q, const char *path, bool *known)
{
	static const struct {
		const char *extension;
		enum api_format format;
	} table[] = { { ".json", FORMAT_JSON }, { ".xml", FORMAT_XML }, { ".csv", FORMAT_CSV } };
	const char *slash = strrchr(path, '/'), *dot = strchr(slash ? slash : path, '.');

	q->format = FORMAT_XML;
	*known = true;
	if (!dot)
		return strlen(path);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!strcmp(dot, table[i].extension)) {
			q->format = table[i].format;
			return (size_t)(dot - path);
		}
	}
	q->format = FORMAT_JSON;
	*known = false;
	return (size_t)(dot - path);
}

/* Whether what is left of the path names an account, or all; copies it and goes behind it. */
static bool take_account(struct api_request *q, struct path *path)
{
	size_t root = strlen(API_ROOT), account = root + SID_SIZE - 1;
	const char *text = path->rest;

	path->accounts = path->len == root - 1 && !strncmp(text, API_ROOT, root - 1);
	if (path->accounts) {
		path->rest = "";
		path->len = 0;
		return true;
	}
	if (path->len < account || strncmp(text, API_ROOT, root))
		return false;
	memcpy(q->account_sid, text + root, SID_SIZE - 1);
	path->rest += account;
	path->len -= account;
	return sid_valid(q->account_sid, "AC") && (!path->len || *path->rest == '/');
}

int path_take(struct path *path, struct api_request *q)
{
	bool known;

	path->rest = q->in->path;
	path->len = take_extension(q, q->in->path, &known);
	return take_account(q, path) && known ? 0 : api_not_found(q);
}

const struct resource *path_resource(const struct path *path, struct api_request *q, bool *instance)
{
	const struct resource *r = resource_find(q, path->rest, path->len, instance);

	if (r && r->top) {
		*instance = !path->accounts;
		snprintf(q->sid, sizeof(q->sid), "%s", *instance ? q->account_sid : "");
	}
	if (!r || (path->accounts && !r->top) || (q->format == FORMAT_CSV && *instance)) {
		api_not_found(q);
		return NULL;
	}
	q->resource = r;
	return r;
}
