#include "call/members.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char **string_at(void *object, const struct member *m)
{
	return (const char **)((char *)object + m->at);
}

static const char *string_of(const void *object, const struct member *m)
{
	return *(const char *const *)((const char *)object + m->at);
}

static int number_of(const void *object, const struct member *m)
{
	return *(const int *)((const char *)object + m->at);
}

int members_own(const struct members *m, void *object)
{
	int r = 0;

	for (size_t i = 0; i < m->n; i++) {
		const char **s = m->list[i].number ? NULL : string_at(object, &m->list[i]);

		if (!s || !*s)
			continue;
		*s = strdup(*s);
		r = *s ? r : -ENOMEM;
	}
	return r;
}

void members_free(const struct members *m, void *object)
{
	for (size_t i = 0; i < m->n; i++)
		if (!m->list[i].number)
			free((void *)string_of(object, &m->list[i]));
}

json_t *members_pack(const struct members *m, const void *object)
{
	json_t *json = json_object();
	bool bad = !json;

	for (size_t i = 0; i < m->n && !bad; i++) {
		const struct member *one = &m->list[i];

		if (one->number)
			bad = json_object_set_new(json, one->name,
						  json_integer(number_of(object, one)));
		else if (string_of(object, one))
			bad = json_object_set_new(json, one->name,
						  json_string(string_of(object, one)));
	}
	if (!bad)
		return json;
	json_decref(json);
	return NULL;
}

void members_unpack(const struct members *m, void *object, const json_t *json)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct member *one = &m->list[i];
		const json_t *value = json_object_get(json, one->name);

		if (one->number)
			*(int *)((char *)object + one->at) = (int)json_integer_value(value);
		else
			*string_at(object, one) = json_string_value(value);
	}
}
