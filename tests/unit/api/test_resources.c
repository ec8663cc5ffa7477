#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "api/statements.h"
#include "base/error_code.h"
#include "request_kit.h"

#define SD "SD0123456789abcdef0123456789abcdef"
#define AL "AL0123456789abcdef0123456789abcdef"
#define AC "AC0123456789abcdef0123456789abcdef"
#define CA "CA0123456789abcdef0123456789abcdef"
#define NO "NO0123456789abcdef0123456789abcdef"

static const char *found(const char *path, bool *instance, char parent[SID_SIZE],
			 char sid[SID_SIZE])
{
	struct request_kit k;
	struct api_request *q = request_new(&k, "", "");
	const struct resource *r = resource_find(q, path, strlen(path), instance);

	strcpy(parent, q->parent_sid);
	strcpy(sid, q->sid);
	request_free(&k);
	return r ? r->path : "none";
}

static void paths_name_lists_and_instances(void **state)
{
	char parent[SID_SIZE], sid[SID_SIZE];
	bool instance;

	(void)state;
	assert_string_equal(found("/Calls", &instance, parent, sid), "/Calls");
	assert_false(instance);
	assert_string_equal(found("/Calls/" CA, &instance, parent, sid), "/Calls");
	assert_true(instance);
	assert_string_equal(sid, CA);
	assert_string_equal(parent, "");
	assert_string_equal(found("/Calls/" CA "/Notifications/" NO, &instance, parent, sid),
			    "/Calls/@/Notifications");
	assert_string_equal(parent, CA);
	assert_string_equal(sid, NO);
	assert_string_equal(found("/SIP/Domains/" SD "/Auth/Calls/IpAccessControlListMappings/" AL,
				  &instance, parent, sid),
			    "/SIP/Domains/@/Auth/Calls/IpAccessControlListMappings");
	assert_true(instance);
}

static void paths_that_are_nearly_right_name_nothing(void **state)
{
	static const char *const bad[] = { "/",
					   "/" AC,
					   "/Balance/" AC,
					   "/Usage/Records/" AC,
					   "/calls",
					   "/Calls/",
					   "/Calls/" CA "/",
					   "/Callsx",
					   "/Calls/" NO,
					   "/Calls/" CA "x",
					   "/Calls/" CA "/" CA,
					   "/SIP/Domains/" CA "/IpAccessControlListMappings",
					   "/SIP/Domains/" SD "/Auth/Calls",
					   "/SIP",
					   "/Calls/CA",
					   "/Calls//Notifications" };
	char parent[SID_SIZE], sid[SID_SIZE];
	bool instance;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (strcmp(found(bad[i], &instance, parent, sid), "none"))
			fail_msg("%s was found", bad[i]);
}

/* Every number of 1..n stands in the text, and none above. */
static void check_statement(const struct resource *r, const struct statement *s)
{
	char mark[16];

	assert_non_null(s->sql);
	for (int i = 1; i <= s->n + 1; i++) {
		snprintf(mark, sizeof(mark), "$%d::text", i);
		if (!!strstr(s->sql, mark) != (i <= s->n))
			fail_msg("%s: %s of %d: %s", r->path, mark, s->n, s->sql);
	}
}

static bool takes(const struct statement *s, int from)
{
	for (int i = 0; i < s->n; i++)
		if ((int)s->from[i] == from)
			return true;
	return false;
}

static void every_statement_is_of_one_account_and_takes_what_it_names(void **state)
{
	const struct resource *r;

	(void)state;
	assert_int_equal(statements_make(), 0);
	for (size_t i = 0; (r = resource_at(i)); i++) {
		const struct statements *s = statements_of(r);
		const struct statement *const all[] = {
			&s->fetch,	 &s->list,	  &s->list_back, &s->count,
			&s->find_parent, &s->lock_parent, &s->lock_row,	 &s->insert,
			&s->update,	 &s->delete_,	  &s->audit
		};

		for (size_t k = 0; k < sizeof(all) / sizeof(*all); k++) {
			if (!all[k]->sql)
				continue;
			check_statement(r, all[k]);
			/* Rows are counted below a parent that was found to be the account's. */
			assert_true(takes(all[k], FROM_ACCOUNT) ||
				    (all[k] == &s->count && takes(all[k], FROM_PARENT) &&
				     takes(&s->lock_parent, FROM_ACCOUNT)));
		}
		assert_int_equal(!!s->insert.sql, !!(r->can & CAN_CREATE));
		assert_int_equal(!!s->update.sql, !!(r->can & CAN_UPDATE) && !r->instead_of_update);
		assert_int_equal(!!s->audit.sql, !!r->instead_of_update);
		assert_int_equal(!!s->delete_.sql, !!(r->can & CAN_DELETE));
	}
	statements_free();
}

static void rows_fit_their_tables_and_name_errors_of_the_dictionary(void **state)
{
	const struct resource *r;

	(void)state;
	for (size_t i = 0; (r = resource_at(i)); i++) {
		const int codes[] = { r->limit_error, r->duplicate_error, r->in_use_error };

		assert_true(r->n_params <= API_VALUES_MAX);
		assert_true(r->n_filters <= API_FILTERS_MAX);
		for (size_t k = 0; k < 3; k++)
			assert_true(!codes[k] || error_code_find(codes[k]));
		for (size_t k = 0; k < r->n_params; k++) {
			const struct param *p = &r->params[k];

			if (!(p->when & COMPUTED) && !error_code_find(p->error))
				fail_msg("%s %s: %d is in no dictionary", r->path, p->name,
					 p->error);
		}
		assert_int_equal(!r->parent_prefix, !strchr(r->path, '@'));
		assert_true(!r->limit || r->limit_error);
	}
}

static void no_property_shows_what_a_password_became(void **state)
{
	const struct resource *r;

	(void)state;
	for (size_t i = 0; (r = resource_at(i)); i++)
		for (size_t k = 0; k < r->n_properties; k++) {
			assert_null(strstr(r->properties[k].name, "ha1"));
			assert_null(strstr(r->properties[k].name, "password"));
			assert_true(!r->properties[k].sql || !strstr(r->properties[k].sql, "ha1"));
		}
}

static void values_are_shown_by_their_type(void **state)
{
	json_t *j;

	(void)state;
	j = property_json(PROPERTY_TEXT, NULL);
	assert_true(json_is_null(j));
	json_decref(j);
	j = property_json(PROPERTY_INT, "32");
	assert_int_equal(json_integer_value(j), 32);
	json_decref(j);
	j = property_json(PROPERTY_BOOL, "t");
	assert_true(json_is_true(j));
	j = property_json(PROPERTY_BOOL, "f");
	assert_true(json_is_false(j));
	j = property_json(PROPERTY_DATE, "1571418000");
	assert_string_equal(json_string_value(j), "Fri, 18 Oct 2019 17:00:00 +0000");
	json_decref(j);
	j = property_json(PROPERTY_TEXT, "15");
	assert_string_equal(json_string_value(j), "15");
	json_decref(j);
}

static void an_error_has_code_message_link_and_status(void **state)
{
	struct request_kit k;
	json_t *e;

	(void)state;
	api_not_found(request_new(&k, "", ""));
	assert_int_equal(k.out.status, 404);
	e = json_loads(k.out.body, 0, NULL);
	assert_int_equal(json_object_size(e), 4);
	assert_int_equal(json_integer_value(json_object_get(e, "code")), 20404);
	assert_int_equal(json_integer_value(json_object_get(e, "status")), 404);
	assert_string_equal(json_string_value(json_object_get(e, "more_info")),
			    "https://www.twilio.com/docs/errors/20404");
	assert_string_equal(json_string_value(json_object_get(e, "message")),
			    "The requested resource /2010-04-01/Accounts/" ACCOUNT
			    "/Calls.json was not found");
	assert_string_equal(k.out.headers[0].name, "X-Twilio-Error-Code");
	assert_string_equal(k.out.headers[0].value, "20404");
	json_decref(e);
	request_free(&k);
}

static void a_message_that_quotes_bad_bytes_is_still_json(void **state)
{
	struct request_kit k;
	json_t *e;

	(void)state;
	request_new(&k, "", "");
	k.in.path = "/\xff\"\\\x01";
	api_not_found(&k.q);
	e = json_loads(k.out.body, 0, NULL);
	assert_non_null(strstr(json_string_value(json_object_get(e, "message")), "/?\"\\\x01"));
	json_decref(e);
	request_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_name_lists_and_instances),
		cmocka_unit_test(paths_that_are_nearly_right_name_nothing),
		cmocka_unit_test(every_statement_is_of_one_account_and_takes_what_it_names),
		cmocka_unit_test(rows_fit_their_tables_and_name_errors_of_the_dictionary),
		cmocka_unit_test(no_property_shows_what_a_password_became),
		cmocka_unit_test(values_are_shown_by_their_type),
		cmocka_unit_test(an_error_has_code_message_link_and_status),
		cmocka_unit_test(a_message_that_quotes_bad_bytes_is_still_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
