/* The names of SIP domains (sip-and-rest.md §1.1): below the base domain, one owner a tree. */
#include "api/hooks.h"

#include "api/request.h"
#include "base/config.h"
#include "io/db.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LABEL_MAX 63

static bool is_label(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '-')
			return false;
	return len && len <= LABEL_MAX && s[0] != '-' && s[len - 1] != '-';
}

/* Where "." base begins in name; NULL when name does not end so, or has nothing before it. */
static const char *tail_of(const char *name, const char *base)
{
	size_t n = strlen(name), tail = strlen(base) + 1;

	if (n <= tail || name[n - tail] != '.' || strcasecmp(name + n - tail + 1, base))
		return NULL;
	return name + n - tail;
}

const char *domain_name_check(char ret[DOMAIN_NAME_SIZE], const char **parent, const char *name, const char *base)
{
	static _Thread_local char want[DOMAIN_NAME_SIZE + 80];
	const char *tail = tail_of(name, base), *s = name;

	snprintf(want, sizeof(want), "must be a name that ends with .%s", base);
	if (!tail || strlen(name) >= DOMAIN_NAME_SIZE)
		return want;
	for (; s < tail; s++) {
		size_t len = strcspn(s, ".");

		if (!is_label(s, len))
			return "must be made of letters, digits and hyphens, each part beginning and ending with a letter or digit";
		s += len;
	}
	for (size_t i = 0; i <= strlen(name); i++)
		ret[i] = (char)tolower((unsigned char)name[i]);
	*parent = strchr(ret, '.');
	*parent = *parent < ret + (tail - name) ? *parent + 1 : NULL;
	return NULL;
}

bool domain_name_reserved(const char *name, const char *base, const char *account_sid)
{
	size_t n = (size_t)(tail_of(name, base) - name);
	char label[LABEL_MAX + 1];

	if (n > LABEL_MAX)
		return false;
	snprintf(label, sizeof(label), "%.*s", (int)n, name);
	return sid_valid(label, "ac") && strcasecmp(label, account_sid);
}

/* b.NAME only where NAME belongs to the account or its owner; the lock keeps NAME until b is there. */
static int check_parent(struct api_request *q, const char *parent)
{
	const char *params[] = { q->account_sid, parent };
	struct db_result *res;
	int rows, r = db_exec(&res, q->db,
			      "SELECT 1 FROM sip_domains d WHERE d.domain_name = $2 AND d.account_sid IN "
			      "(SELECT unnest(ARRAY[a.sid, a.owner_account_sid]) FROM accounts a WHERE a.sid = $1) FOR KEY SHARE OF d",
			      2, params);

	if (r < 0)
		return api_db_error(q, r);
	rows = db_rows(res);
	db_result_free(res);
	if (rows)
		return 0;
	return api_error(q, 21231, "DomainName is below %s, which is no domain of this account or its owner", parent);
}

/* The row is locked: no subdomain comes while this looks. */
static int check_no_subdomains(struct api_request *q, const char *what)
{
	const char *params[] = { q->account_sid, q->sid };
	struct db_result *res;
	int rows, r = db_exec(&res, q->db,
			      "SELECT 1 FROM sip_domains d JOIN sip_domains s "
			      "ON right(s.domain_name, length(d.domain_name) + 1) = '.' || d.domain_name "
			      "WHERE d.account_sid = $1 AND d.sid = $2 LIMIT 1",
			      2, params);

	if (r < 0)
		return api_db_error(q, r);
	rows = db_rows(res);
	db_result_free(res);
	return rows ? api_error(q, 21233, "The domain still has subdomains; delete them before you %s it", what) : 0;
}

/* Puts the name as it is stored to q->values[0]. */
static int check_name(struct api_request *q)
{
	const char *base = q->options->config->sip_domain, *parent, *want;
	char name[DOMAIN_NAME_SIZE];

	want = domain_name_check(name, &parent, q->values[0], base);
	if (want)
		return api_error(q, 21231, "DomainName %s", want);
	if (domain_name_reserved(name, base, q->account_sid))
		return api_error(q, 21231, "DomainName: a name that is an account's SID is reserved for that account");
	if (parent && check_parent(q, parent) < 0)
		return -1;
	q->values[0] = api_keep(q, name);
	return q->values[0] ? 0 : api_error(q, 20500, NULL);
}

int domain_before_create(struct api_request *q)
{
	return check_name(q);
}

int domain_before_update(struct api_request *q)
{
	const char *params[] = { q->account_sid, q->sid, NULL };
	struct db_result *res;
	int same, r;

	if (!q->values[0])
		return 0;
	if (check_name(q) < 0)
		return -1;
	params[2] = q->values[0];
	r = db_exec(&res, q->db, "SELECT 1 FROM sip_domains WHERE account_sid = $1 AND sid = $2 AND domain_name = $3", 3, params);
	if (r < 0)
		return api_db_error(q, r);
	same = db_rows(res);
	db_result_free(res);
	return same ? 0 : check_no_subdomains(q, "rename");
}

int domain_before_delete(struct api_request *q)
{
	return check_no_subdomains(q, "delete");
}
