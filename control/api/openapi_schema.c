#include "api/openapi_schema.h"

#include <stdio.h>
#include <string.h>

#define PATTERN_MAX_BYTES 512

json_t *json_with(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, value) == 0)
		return object;
	json_decref(object);
	return NULL;
}

json_t *json_add(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) == 0)
		return array;
	json_decref(array);
	return NULL;
}

json_t *sid_schema(const char *prefix)
{
	return json_with(json_pack("{s:s}", "type", "string"), "pattern",
			 json_sprintf("^%s" SID_DIGITS "$", prefix));
}

json_t *object_schema(json_t *properties, const char *optional)
{
	json_t *required = json_array(), *schema, *value;
	const char *name;

	json_object_foreach(properties, name, value)
	{
		if (!optional || strcmp(name, optional))
			required = json_add(required, json_string(name));
	}
	schema = json_with(json_pack("{s:s, s:b}", "type", "object", "additionalProperties", 0),
			   "properties", properties);
	/* The list may not be empty. */
	if (required && !json_array_size(required)) {
		json_decref(required);
		return schema;
	}
	return json_with(schema, "required", required);
}

/* -- parameters */

/* The words of "a|b" as an enum of strings, with what else is one (or NULL). */
static json_t *words(const char *pattern, const char *more)
{
	json_t *list = json_array();

	while (*pattern) {
		size_t n = strcspn(pattern, "|");

		list = json_add(list, json_stringn(pattern, n));
		pattern += n + (pattern[n] == '|');
	}
	if (more)
		list = json_add(list, json_string(more));
	return json_with(json_pack("{s:s}", "type", "string"), "enum", list);
}

/* Characters as a regular expression's class of them. */
static json_t *characters(const char *set)
{
	struct buf b;
	json_t *json;

	buf_init(&b, PATTERN_MAX_BYTES);
	buf_adds(&b, "^[");
	for (; *set; set++)
		buf_addf(&b, "%s%c", strchr("\\]^-", *set) ? "\\" : "", *set);
	buf_adds(&b, "]*$");
	json = b.error ? NULL : json_string(b.data);
	buf_done(&b);
	return json;
}

static json_t *text(const struct param *p)
{
	json_t *json = json_pack("{s:s, s:I, s:I}", "type", "string", "minLength",
				 (json_int_t)p->min, "maxLength", (json_int_t)p->max);

	return p->pattern ? json_with(json, "pattern", characters(p->pattern)) : json;
}

/* A string of this regular expression, in two parts; or an empty one. */
static json_t *matching(const char *first, const char *second, bool empty)
{
	return json_with(
		json_pack("{s:s}", "type", "string"), "pattern",
		json_sprintf("^%s%s%s%s$", empty ? "(" : "", first, second, empty ? ")?" : ""));
}

static json_t *type_schema(const struct param *p, bool empty)
{
	switch (p->type) {
	case PARAM_TEXT:
		return text(p);
	case PARAM_URL:
		return matching("[hH][tT][tT][pP][sS]?://", ".+", empty);
	case PARAM_METHOD:
		return words("GET|POST", empty ? "" : NULL);
	case PARAM_BOOL:
		return json_pack("{s:s}", "type", "boolean");
	case PARAM_INT:
		return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum",
				 (json_int_t)p->min, "maximum", (json_int_t)p->max);
	case PARAM_SID:
		return matching(p->pattern, SID_DIGITS, empty);
	case PARAM_ENUM:
		return words(p->pattern, empty ? "" : NULL);
	case PARAM_IP:
		return json_pack("{s:[{s:s, s:s}, {s:s, s:s}]}", "anyOf", "type", "string",
				 "format", "ipv4", "type", "string", "format", "ipv6");
	case PARAM_NUMBER:
		return matching("\\+", "[1-9][0-9]{1,14}", empty);
	case PARAM_PASSWORD:
		return json_pack("{s:s, s:s, s:i, s:i, s:s}", "type", "string", "format",
				 "password", "minLength", PASSWORD_MIN, "maxLength", PASSWORD_MAX,
				 "pattern", "^(?=.*[0-9])(?=.*[A-Z])(?=.*[a-z])");
	case PARAM_DATE:
		return matching("[0-9]{4}-[0-9]{2}-[0-9]{2}",
				"([T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]*)?"
				"(Z|[-+ ][0-9]{2}:?[0-9]{2})?)?",
				empty);
	}
	return NULL;
}

static json_t *default_value(const struct param *p)
{
	if (p->type == PARAM_BOOL)
		return json_boolean(!strcmp(p->def, "true"));
	return json_string(p->def);
}

json_t *param_schema(const struct param *p, int when)
{
	bool required = p->when & (when == ON_CREATE ? REQUIRED : NEEDED);
	json_t *json = type_schema(p, param_may_be_empty(p, required));

	if (p->when & REPEATED)
		json = json_with(json_pack("{s:s}", "type", "array"), "items", json);
	if (p->def && when == ON_CREATE)
		json = json_with(json, "default", default_value(p));
	return json_with(json, "description", json_sprintf("%d when it is bad", p->error));
}

json_t *filter_schema(const struct filter *f)
{
	const struct param rule = { .type = f->type, .max = FILTER_MAX, .pattern = f->pattern };

	return type_schema(&rule, false);
}

/* -- properties */

/* How long what stands behind the first quote is, when the expression is one quoted constant; 0. */
static size_t constant(const char *sql)
{
	size_t n = sql ? strlen(sql) : 0;

	return n > 2 && *sql == '\'' && strchr(sql + 1, '\'') == sql + n - 1 ? n - 2 : 0;
}

/* The schema of values such as this one. */
static json_t *like(const json_t *value)
{
	json_t *properties, *member;
	const char *name;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		properties = json_object();
		json_object_foreach((json_t *)value, name, member)
		{
			properties = json_with(properties, name, like(member));
		}
		return object_schema(properties, NULL);
	case JSON_TRUE:
	case JSON_FALSE:
		return json_pack("{s:s}", "type", "boolean");
	case JSON_INTEGER:
		return json_pack("{s:s}", "type", "integer");
	case JSON_STRING:
		return json_pack("{s:s}", "type", "string");
	default:
		return json_object();
	}
}

/* A constant shows what else it may look like; what is computed is an object. */
static json_t *json_schema(const struct property *p)
{
	size_t n = constant(p->sql);
	json_t *value, *json;

	if (!n)
		return json_pack("{s:s}", "type", "object");
	value = json_loadb(p->sql + 1, n, JSON_DECODE_ANY, NULL);
	json = value ? like(value) : NULL;
	json_decref(value);
	return json;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && !strcmp(s + n - k, end);
}

/* The parameter whose form a column's values have: one of a closed set, or of one shape. */
static const struct param *taken_by(const struct resource *r, const struct property *p)
{
	for (size_t i = 0; !p->sql && i < r->n_params; i++) {
		const struct param *of = &r->params[i];

		if (!of->column || strcmp(of->column, p->name))
			continue;
		if (of->type == PARAM_SID || of->type == PARAM_METHOD || of->type == PARAM_ENUM ||
		    of->type == PARAM_NUMBER)
			return of;
	}
	return NULL;
}

static json_t *text_schema(const struct resource *r, const struct property *p)
{
	const struct param *of = taken_by(r, p);
	size_t n = constant(p->sql);

	if (!strcmp(p->name, "sid"))
		return sid_schema(r->prefix);
	if (ends_with(p->name, "account_sid"))
		return sid_schema("AC");
	if (r->parent_column && !strcmp(p->name, r->parent_column))
		return sid_schema(r->parent_prefix);
	if (of)
		return type_schema(of, false);
	if (n)
		return json_with(json_pack("{s:s}", "type", "string"), "enum",
				 json_add(json_array(), json_stringn(p->sql + 1, n)));
	return json_pack("{s:s}", "type", "string");
}

json_t *property_schema(const struct resource *r, const struct property *p)
{
	json_t *json = NULL, *values;

	switch (p->type) {
	case PROPERTY_TEXT:
		json = text_schema(r, p);
		break;
	case PROPERTY_INT:
		json = json_pack("{s:s}", "type", "integer");
		break;
	case PROPERTY_BOOL:
		json = json_pack("{s:s}", "type", "boolean");
		break;
	case PROPERTY_DATE:
		json = json_pack("{s:s, s:s, s:s}", "type", "string", "pattern",
				 "^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} "
				 "[0-9]{2}:[0-9]{2}:[0-9]{2} \\+0000$",
				 "description", "RFC 2822, in UTC");
		break;
	case PROPERTY_JSON:
		json = json_schema(p);
		break;
	}
	if (!p->nullable)
		return json;
	values = json_object_get(json, "enum");
	if (values && json_array_append_new(values, json_null()) < 0) {
		json_decref(json);
		return NULL;
	}
	return json_with(json, "nullable", json_true());
}
