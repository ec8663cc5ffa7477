#include "api/hooks.h"

#include "api/request.h"
#include "base/config.h"
#include "io/db.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One label of RFC 1123: letters, digits, hyphens inside, at most 63. */
static bool is_label(const char *s, size_t len)
{
	return len && len <= 63 && s[0] != '-' && s[len - 1] != '-';
}

/* b.NAME only where NAME belongs to the account or to the one that owns it. */
static int check_parent_domain(struct api_request *q, const char *parent)
{
	const char *params[] = { q->account_sid, parent };
	struct db_result *res;
	int rows, r = db_exec(&res, q->db,
			      "SELECT 1 FROM sip_domains d WHERE d.domain_name = $2 AND d.account_sid IN "
			      "(SELECT a.sid FROM accounts a WHERE a.sid = $1 UNION SELECT a.owner_account_sid FROM accounts a WHERE a.sid = $1)",
			      2, params);

	if (r < 0)
		return api_db_error(q, r);
	rows = db_rows(res);
	db_result_free(res);
	return rows ? 0 : api_error(q, 21231, "DomainName: %s is not a domain of this account, so it cannot have subdomains here", parent);
}

int domain_before_write(struct api_request *q)
{
	const char *base = q->options->config->sip_domain, *name = q->values[0], *dot;
	char lower[256], first[64];
	size_t n, tail = strlen(base) + 1;

	if (!name)
		return 0;
	n = strlen(name);
	for (size_t i = 0; i <= n; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	if (n <= tail || lower[n - tail] != '.' || strcmp(lower + n - tail + 1, base))
		return api_error(q, 21231, "DomainName must end with .%s", base);
	for (const char *s = lower; s < lower + n - tail;) {
		size_t len = strcspn(s, ".");

		if (!is_label(s, len))
			return api_error(q, 21231, "DomainName must be made of letters, digits and hyphens, with no hyphen at the ends of a part");
		s += len + 1;
	}
	dot = strchr(lower, '.');
	snprintf(first, sizeof(first), "%.*s", (int)(dot - lower), lower);
	/* An account's own SID is a name that only it may have. */
	if (!strncmp(first, "ac", 2) && strlen(first) == 34 && strcasecmp(first, q->account_sid))
		return api_error(q, 21231, "DomainName: this name is reserved for the account of that SID");
	if (dot < lower + n - tail && check_parent_domain(q, dot + 1) < 0)
		return -1;
	q->values[0] = api_keep(q, lower);
	return q->values[0] ? 0 : api_error(q, 20500, NULL);
}

int domain_before_delete(struct api_request *q)
{
	const char *params[] = { q->account_sid, q->sid };
	struct db_result *res;
	int rows, r = db_exec(&res, q->db,
			      "SELECT 1 FROM sip_domains d JOIN sip_domains s ON s.domain_name LIKE '%.' || d.domain_name "
			      "WHERE d.account_sid = $1 AND d.sid = $2 LIMIT 1", 2, params);

	if (r < 0)
		return api_db_error(q, r);
	rows = db_rows(res);
	db_result_free(res);
	return rows ? api_error(q, 21233, "The domain still has subdomains; delete them first") : 0;
}
