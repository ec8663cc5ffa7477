#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "api/auth_tokens.h"
#include "api/openapi.h"
#include "base/error_code.h"
#include "request_kit.h"

static json_t *document;

static int load(void **state)
{
	char *text = openapi_document();

	(void)state;
	document = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	free(text);
	return document ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	json_decref(document);
	return 0;
}

static const json_t *at(const json_t *json, const char *name)
{
	const json_t *member = json_object_get(json, name);

	if (!member)
		fail_msg("there is no %s", name);
	return member;
}

static const char *text_at(const json_t *json, const char *name)
{
	return json_string_value(at(json, name));
}

/* Follows {"$ref": "#/a/b/c"}; anything else is itself. */
static const json_t *resolved(const json_t *json)
{
	const char *ref = json_string_value(json_object_get(json, "$ref"));
	const json_t *target = document;
	char name[200];

	if (!ref)
		return json;
	assert_memory_equal(ref, "#/", 2);
	for (ref++; *ref == '/'; ref += strlen(name) + 1) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(ref + 1, "/"), ref + 1);
		target = at(target, name);
	}
	return resolved(target);
}

static const json_t *operation(const char *path, const char *method)
{
	return json_object_get(json_object_get(json_object_get(document, "paths"), path), method);
}

/* The path of a resource as the document has it, by another way than the document's. */
static void path_of(char ret[300], const struct resource *r, const char *tail)
{
	const char *mark = strchr(r->path, '@'), *parent = "";

	if (mark)
		parent = !strcmp(r->parent_prefix, "SD")   ? "{DomainSid}"
			 : !strcmp(r->parent_prefix, "AL") ? "{IpAccessControlListSid}"
			 : !strcmp(r->parent_prefix, "CL") ? "{CredentialListSid}"
							   : "{CallSid}";
	snprintf(ret, 300, "/2010-04-01/Accounts%s%.*s%s%s%s.json", r->top ? "" : "/{AccountSid}",
		 mark ? (int)(mark - r->path) : 999, r->path, parent, mark ? mark + 1 : "", tail);
}

static size_t expect(const struct resource *r, const char *tail, const char *method, bool there)
{
	char path[300];

	path_of(path, r, tail);
	if (there != (operation(path, method) != NULL))
		fail_msg("%s %s is%s in the document", method, path, there ? " not" : "");
	return there;
}

static size_t count_operations(void)
{
	const json_t *item;
	const char *path;
	size_t n = 0;

	json_object_foreach((json_t *)at(document, "paths"), path, item)
	{
		n += json_object_size(item);
	}
	return n;
}

static void what_each_resource_can_is_in_the_document_and_nothing_else(void **state)
{
	const struct resource *r;
	size_t n = 0, i;

	(void)state;
	for (i = 0; (r = resource_at(i)); i++) {
		n += expect(r, "", "get", true); /* the list, or the only one */
		n += expect(r, "", "post", r->can & CAN_CREATE);
		n += expect(r, "", "delete", false);
		n += expect(r, "/{Sid}", "get", !r->singleton && !r->list_only);
		n += expect(r, "/{Sid}", "post", r->can & CAN_UPDATE);
		n += expect(r, "/{Sid}", "delete", r->can & CAN_DELETE);
	}
	for (i = 0; auth_tokens_at(i); i++)
		n++;
	assert_non_null(operation("/v1/AuthTokens/Secondary", "delete"));
	assert_non_null(operation("/healthz", "get"));
	assert_non_null(operation("/readyz", "get"));
	assert_non_null(operation("/metrics", "get"));
	assert_non_null(operation("/openapi.json", "get"));
	assert_int_equal(count_operations(), n + 4);
}

static void check_refs(const json_t *json)
{
	const char *name;
	json_t *member;
	size_t i;

	if (json_is_object(json))
		resolved(json);
	json_object_foreach((json_t *)json, name, member)
	{
		check_refs(member);
	}
	json_array_foreach(json, i, member)
	{
		check_refs(member);
	}
}

static void every_reference_leads_somewhere(void **state)
{
	(void)state;
	check_refs(document);
}

/* The parameters in the path are those that the path names. */
static void check_path_parameters(const char *path, const json_t *o)
{
	size_t named = 0, i;
	json_t *parameter;
	char mark[80];

	for (const char *c = path; (c = strchr(c, '{')); c++)
		named++;
	json_array_foreach(json_object_get(o, "parameters"), i, parameter)
	{
		const json_t *p = resolved(parameter);

		if (strcmp(text_at(p, "in"), "path"))
			continue;
		snprintf(mark, sizeof(mark), "{%s}", text_at(p, "name"));
		if (!strstr(path, mark))
			fail_msg("%s has no %s", path, mark);
		assert_true(json_is_true(at(p, "required")));
		named--;
	}
	if (named)
		fail_msg("%s: %zu parameters of the path are not told", path, named);
}

static void operations_have_ids_of_their_own_parameters_and_answers(void **state)
{
	json_t *ids = json_object(), *item, *o, *response;
	const char *path, *method, *status;

	(void)state;
	json_object_foreach((json_t *)at(document, "paths"), path, item)
	{
		json_object_foreach(item, method, o)
		{
			const char *id = text_at(o, "operationId");

			if (json_object_get(ids, id))
				fail_msg("%s is there twice", id);
			json_object_set_new(ids, id, json_true());
			check_path_parameters(path, o);
			assert_true(json_object_size(at(o, "responses")) > 0);
			json_object_foreach((json_t *)at(o, "responses"), status, response)
			{
				assert_int_equal(strlen(status), 3);
				assert_non_null(text_at(resolved(response), "description"));
			}
		}
	}
	json_decref(ids);
}

static void operations_are_named_as_clients_know_them(void **state)
{
	static const struct {
		const char *path, *method, *id;
	} known[] = {
		{ "SIP/Domains", "get", "ListSipDomain" },
		{ "SIP/Domains/{Sid}", "get", "FetchSipDomain" },
		{ "SIP/CredentialLists/{CredentialListSid}/Credentials", "post",
		  "CreateSipCredential" },
		{ "SIP/Domains/{DomainSid}/Auth/Calls/CredentialListMappings/{Sid}", "delete",
		  "DeleteSipAuthCallsCredentialListMapping" },
		{ "Calls/{CallSid}/Notifications/{Sid}", "get", "FetchCallNotification" },
		{ "Keys", "post", "CreateNewKey" },
		{ "OutgoingCallerIds", "post", "CreateValidationRequest" },
		{ "Balance", "get", "FetchBalance" },
		{ "Usage/Records", "get", "ListUsageRecord" },
	};
	char path[300];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		snprintf(path, sizeof(path), "/2010-04-01/Accounts/{AccountSid}/%s.json",
			 known[i].path);
		assert_string_equal(text_at(operation(path, known[i].method), "operationId"),
				    known[i].id);
	}
}

static const json_t *answer_of(const char *path, const char *method, const char *status)
{
	const json_t *response = resolved(at(at(operation(path, method), "responses"), status));

	return resolved(at(at(at(response, "content"), "application/json"), "schema"));
}

/* All members are there always, and there are no others; of a list, one is its own. */
static void check_closed(const json_t *schema, const char *path)
{
	if (!json_is_false(at(schema, "additionalProperties")) ||
	    json_array_size(at(schema, "required")) != json_object_size(at(schema, "properties")))
		fail_msg("%s: the answer may have more or fewer members", path);
}

static void answers_have_the_properties_of_their_table(void **state)
{
	const struct resource *r;
	char path[300];

	(void)state;
	for (size_t i = 0; (r = resource_at(i)); i++) {
		const json_t *schema, *row;
		size_t details = 0;

		path_of(path, r, "");
		schema = answer_of(path, "get", "200");
		check_closed(schema, path);
		for (size_t k = 0; k < r->n_properties; k++)
			details += r->properties[k].instance_only;
		if (r->singleton) {
			assert_int_equal(json_object_size(at(schema, "properties")),
					 r->n_properties);
			continue;
		}
		assert_int_equal(json_object_size(at(schema, "properties")), 9);
		row = resolved(at(at(at(schema, "properties"), r->list_key), "items"));
		check_closed(row, path);
		for (size_t k = 0; k < r->n_properties; k++)
			assert_int_equal(
				!json_object_get(at(row, "properties"), r->properties[k].name),
				r->properties[k].instance_only);
		assert_int_equal(json_object_size(at(row, "properties")),
				 r->n_properties - details + r->shows_uri + !!r->subresources);
	}
}

static const json_t *body_of(const char *path)
{
	return at(at(at(at(operation(path, "post"), "requestBody"), "content"),
		     "application/x-www-form-urlencoded"),
		  "schema");
}

static void parameters_have_the_rules_of_their_table(void **state)
{
	const json_t *domain = body_of("/2010-04-01/Accounts/{AccountSid}/SIP/Domains.json");
	const json_t *changed = body_of("/2010-04-01/Accounts/{AccountSid}/SIP/Domains/{Sid}.json");
	const json_t *properties = at(domain, "properties"), *name = at(properties, "DomainName");

	(void)state;
	assert_int_equal(json_array_size(at(domain, "required")), 1);
	assert_null(json_object_get(changed, "required"));
	assert_int_equal(json_integer_value(at(name, "minLength")), 1);
	assert_int_equal(json_integer_value(at(name, "maxLength")), 253);
	assert_string_equal(text_at(at(properties, "Secure"), "type"), "boolean");
	assert_true(json_is_false(at(at(properties, "Secure"), "default")));
	/* Nothing said of it, an update leaves it as it is. */
	assert_null(json_object_get(at(at(changed, "properties"), "Secure"), "default"));
	assert_string_equal(text_at(at(properties, "ByocTrunkSid"), "pattern"),
			    "^(BY[0-9a-fA-F]{32})?$");
	assert_int_equal(json_array_size(at(at(properties, "VoiceMethod"), "enum")), 3);
}

static bool may_answer(const char *path, const char *method, int code)
{
	const struct error_code *e = error_code_find(code);
	const json_t *list, *value;
	char status[12];
	size_t i;

	snprintf(status, sizeof(status), "%d", e->http_status ? e->http_status : 400);
	list = json_object_get(at(operation(path, method), "responses"), status);
	if (!list)
		return false;
	list = at(at(at(json_array_get(at(answer_of(path, method, status), "allOf"), 1),
			"properties"),
		     "code"),
		  "enum");
	json_array_foreach(list, i, value)
	{
		if (json_integer_value(value) == code)
			return true;
	}
	return false;
}

static void errors_are_those_of_the_table_and_its_hooks(void **state)
{
#define DOMAINS "/2010-04-01/Accounts/{AccountSid}/SIP/Domains"
	(void)state;
	assert_true(may_answer(DOMAINS ".json", "post", 21230));
	assert_true(may_answer(DOMAINS ".json", "post", 21232));
	assert_false(may_answer(DOMAINS ".json", "post", 21233));
	assert_true(may_answer(DOMAINS "/{Sid}.json", "delete", 21233));
	assert_false(may_answer(DOMAINS "/{Sid}.json", "delete", 21231));
	assert_true(may_answer(DOMAINS ".json", "get", 20007));
	assert_false(may_answer(DOMAINS ".json", "get", 20006));
	assert_true(may_answer("/2010-04-01/Accounts/{AccountSid}/Keys.json", "get", 20006));
	assert_true(
		may_answer("/2010-04-01/Accounts/{AccountSid}/Calls/{Sid}.json", "delete", 20009));
}

static long left; /* allocations of the library until one fails */

static void *failing(size_t n)
{
	return left-- == 0 ? NULL : malloc(n);
}

/* Every so often: the document takes tens of thousands, each of them costs a document. */
static void without_memory_there_is_no_document_rather_than_half_of_one(void **state)
{
	char *whole = openapi_document(), *text;
	long n = 0, refused = 0;

	(void)state;
	json_set_alloc_funcs(failing, free);
	do {
		left = n;
		text = openapi_document();
		if (text)
			assert_string_equal(text, whole);
		else
			refused++;
		free(text);
		n += n < 300 ? 1 : 211;
	} while (left < 0);
	json_set_alloc_funcs(malloc, free);
	assert_true(refused > 300);
	free(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_each_resource_can_is_in_the_document_and_nothing_else),
		cmocka_unit_test(every_reference_leads_somewhere),
		cmocka_unit_test(operations_have_ids_of_their_own_parameters_and_answers),
		cmocka_unit_test(operations_are_named_as_clients_know_them),
		cmocka_unit_test(answers_have_the_properties_of_their_table),
		cmocka_unit_test(parameters_have_the_rules_of_their_table),
		cmocka_unit_test(errors_are_those_of_the_table_and_its_hooks),
		cmocka_unit_test(without_memory_there_is_no_document_rather_than_half_of_one),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
