/* Certificates that callers of a SIP domain show on their TLS connection (docs/tls.md). Beyond
 * Twilio. */
#include "api/table.h"

#include "base/config.h"

#include <ctype.h>
#include <string.h>

#define HEX	      "abcdefABCDEF" DIGITS
#define SHA256_DIGITS 64

static const struct property properties[] = {
	TEXT("sid"),	    TEXT("account_sid"), TEXT_OR_NULL("friendly_name"),
	TEXT("domain_sid"), TEXT("fingerprint"), DATES,
};
static const struct param params[] = {
	{ "Fingerprint", PARAM_TEXT, ON_CREATE | REQUIRED, SHA256_DIGITS, 95, HEX ":", 20422,
	  "fingerprint", NULL },
	{ "FriendlyName", PARAM_TEXT, ON_BOTH, 0, 64, NULL, 20422, "friendly_name", NULL },
};

/* Rows of the parameter table. */
enum { FINGERPRINT };

/* As openssl writes it (AB:CD:...), or without colons: kept as 64 small digits. */
static int take_fingerprint(struct api_request *q)
{
	char digits[SHA256_DIGITS + 1];
	size_t n = 0;

	for (const char *p = q->values[FINGERPRINT]; *p; p++) {
		if (*p == ':')
			continue;
		if (n < SHA256_DIGITS)
			digits[n] = (char)tolower((unsigned char)*p);
		n++;
	}
	if (n != SHA256_DIGITS)
		return api_error(q, 20422,
				 "Fingerprint is the certificate's SHA-256, 64 hex digits, as "
				 "openssl x509 -noout -fingerprint -sha256 writes it");
	digits[n] = '\0';
	q->values[FINGERPRINT] = api_keep(q, digits);
	return q->values[FINGERPRINT] ? 0 : api_error(q, 20500, NULL);
}

const struct resource resource_client_certificates = {
	.path = "/SIP/Domains/@/Auth/Calls/ClientCertificates",
	.element = "ClientCertificate",
	.name = "SipClientCertificate",
	.prefix = "CC",
	.parent_prefix = "SD",
	.parent_table = "sip_domains",
	.parent_column = "domain_sid",
	.list_key = "client_certificates",
	.can = CAN_CREATE | CAN_UPDATE | CAN_DELETE,
	.table = "sip_client_certificates",
	.sid_column = "sid",
	TABLE(properties, properties),
	TABLE(params, params),
	.shows_uri = true,
	.limit = AT_LIMIT(limit_client_certificates),
	.limit_error = 20422,
	.duplicate_error = 20409,
	.duplicate_text = "Fingerprint: the domain has the certificate @ already",
	.changes_sip = true,
	.before_create = take_fingerprint,
};
