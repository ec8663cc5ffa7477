/* The table of resources, and which of them a path names. */
#include "api/table.h"

#include <string.h>

static const struct resource *const table[] = {
	&resource_sip_domains,
	&resource_auth_calls_ip_access_control_list_mappings,
	&resource_auth_calls_credential_list_mappings,
	&resource_auth_registrations_credential_list_mappings,
	&resource_client_certificates,
	&resource_registrations,
	&resource_sip_gateways,
	&resource_sip_destinations,
	&resource_ip_access_control_list_mappings,
	&resource_credential_list_mappings,
	&resource_ip_access_control_lists,
	&resource_ip_addresses,
	&resource_credential_lists,
	&resource_credentials,
	&resource_calls,
	&resource_notifications,
	&resource_call_notifications,
	&resource_call_events,
	&resource_call_media,
	&resource_accounts,
	&resource_keys,
	&resource_signing_keys,
	&resource_applications,
	&resource_incoming_phone_numbers,
	&resource_outgoing_caller_ids,
	&resource_balance,
	&resource_usage_records,
	&resource_audit_events,
};

const struct resource *resource_at(size_t index)
{
	return index < COUNT(table) ? table[index] : NULL;
}

/* A SID of 34 characters up to '/' or the end; copies it. */
static bool take_sid(char ret[SID_SIZE], const char *s, size_t len, const char *prefix)
{
	if (len != SID_SIZE - 1)
		return false;
	memcpy(ret, s, len);
	ret[len] = '\0';
	return sid_valid(ret, prefix);
}

static bool match(struct api_request *q, const struct resource *r, const char *path, size_t len,
		  bool *instance)
{
	const char *at = strchr(r->path, '@');
	size_t n = at ? (size_t)(at - r->path) : strlen(r->path);

	if (len < n || strncmp(path, r->path, n))
		return false;
	path += n;
	len -= n;
	if (at) {
		size_t rest = strlen(at + 1);

		if (len < SID_SIZE - 1 ||
		    !take_sid(q->parent_sid, path, SID_SIZE - 1, r->parent_prefix))
			return false;
		path += SID_SIZE - 1;
		len -= SID_SIZE - 1;
		if (len < rest || strncmp(path, at + 1, rest))
			return false;
		path += rest;
		len -= rest;
	}
	*instance = len > 0 || r->singleton;
	if (!len)
		return true;
	return !r->singleton && !r->list_only && !r->top && *path == '/' &&
	       take_sid(q->sid, path + 1, len - 1, r->prefix);
}

const struct resource *resource_find(struct api_request *q, const char *path, size_t len,
				     bool *instance)
{
	for (size_t i = 0; i < COUNT(table); i++) {
		q->parent_sid[0] = q->sid[0] = '\0';
		if (match(q, table[i], path, len, instance))
			return table[i];
	}
	return NULL;
}
