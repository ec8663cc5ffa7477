/*
 * table - shorthands for the rows of struct resource: each resource_*.c is made of them.
 */
#ifndef HOOKSWITCH_API_TABLE_H
#define HOOKSWITCH_API_TABLE_H

#include "api/resource.h"

/* One file a resource: resource_*.c. */
extern const struct resource resource_sip_domains;
extern const struct resource resource_auth_calls_ip_access_control_list_mappings;
extern const struct resource resource_auth_calls_credential_list_mappings;
extern const struct resource resource_auth_registrations_credential_list_mappings;
extern const struct resource resource_client_certificates;
extern const struct resource resource_registrations;
extern const struct resource resource_sip_gateways;
extern const struct resource resource_sip_destinations;
extern const struct resource resource_ip_access_control_list_mappings;
extern const struct resource resource_credential_list_mappings;
extern const struct resource resource_ip_access_control_lists;
extern const struct resource resource_ip_addresses;
extern const struct resource resource_credential_lists;
extern const struct resource resource_credentials;
extern const struct resource resource_calls;
extern const struct resource resource_notifications;
extern const struct resource resource_call_notifications;
extern const struct resource resource_call_events;
extern const struct resource resource_call_media;
extern const struct resource resource_accounts;
extern const struct resource resource_keys;
extern const struct resource resource_signing_keys;
extern const struct resource resource_applications;
extern const struct resource resource_incoming_phone_numbers;
extern const struct resource resource_outgoing_caller_ids;
extern const struct resource resource_balance;
extern const struct resource resource_usage_records;
extern const struct resource resource_audit_events;

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
/* A member that is a table, and its length. */
#define TABLE(member, a) .member = a, .n_##member = COUNT(a)

/* -- properties */

#define TEXT(n)	   { n, NULL, PROPERTY_TEXT, false, false }
#define BOOL(n)	   { n, NULL, PROPERTY_BOOL, false, false }
#define INT(n)	   { n, NULL, PROPERTY_INT, false, false }
#define DATE(n)	   { n, NULL, PROPERTY_DATE, false, false }
#define DETAIL(n)  { n, NULL, PROPERTY_TEXT, true, true }
#define AS(n, e)   { n, e, PROPERTY_TEXT, false, false }
#define JSON(n, e) { n, e, PROPERTY_JSON, false, false }
/* Those that may be null */
#define TEXT_OR_NULL(n)	 { n, NULL, PROPERTY_TEXT, false, true }
#define BOOL_OR_NULL(n)	 { n, NULL, PROPERTY_BOOL, false, true }
#define DATE_OR_NULL(n)	 { n, NULL, PROPERTY_DATE, false, true }
#define AS_OR_NULL(n, e) { n, e, PROPERTY_TEXT, false, true }
#define DATES		 DATE("date_created"), DATE("date_updated")
#define VERSION		 AS("api_version", "'" API_VERSION "'")

/* -- params */

#define URL_PARAM(n, c)	 { n, PARAM_URL, ON_BOTH, 0, 0, NULL, 21205, c, NULL }
#define BOOL_PARAM(n, c) { n, PARAM_BOOL, ON_BOTH, 0, 0, NULL, 20422, c, "false" }
/* There is one version: it may be said. */
#define VERSION_PARAM	   { "ApiVersion", PARAM_ENUM, ON_BOTH, 0, 0, API_VERSION, 20422, NULL, NULL }
#define METHOD_PARAM(n, c) { n, PARAM_METHOD, ON_BOTH, 0, 0, NULL, 21209, c, "POST" }

/* for the pattern of PARAM_TEXT */
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"

/* -- filters by date: on it, before it (name<), on it or after it (name>) */

#define FIRST_SECOND	   "to_timestamp(split_part($?, ',', 1)::bigint)"
#define BEHIND_SECOND	   "to_timestamp(split_part($?, ',', 2)::bigint)"
#define DATE_ON(n, c)	   { n, PARAM_DATE, c " >= " FIRST_SECOND " AND " c " < " BEHIND_SECOND, NULL }
#define DATE_BEFORE(n, c)  { n "<", PARAM_DATE, c " < " FIRST_SECOND, NULL }
#define DATE_SINCE(n, c)   { n ">", PARAM_DATE, c " >= " FIRST_SECOND, NULL }
#define DATE_FILTERS(n, c) DATE_ON(n, c), DATE_BEFORE(n, c), DATE_SINCE(n, c)

#endif
