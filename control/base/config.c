#include "base/config.h"

#include "base/network.h"
#include "base/process.h"
#include "base/sid.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum setting_type {
	TEXT,	  /* any text */
	ADDRESS,  /* ip:port, IPv6 in brackets */
	PATH,	  /* absolute, short enough for a unix socket */
	WORD,	  /* one of `words` */
	NUMBER,	  /* int between min and max */
	SIZE,	  /* size_t between min and max */
	BOOL,	  /* true or false */
	IP,	  /* numeric address */
	SID,	  /* account SID */
	SECRET,	  /* text that is never printed, of at least min bytes */
	DOMAIN,	  /* DNS name in lower case */
	SERVERS,  /* ip or ip:port, separated by commas; may be empty */
	NETWORKS, /* as networks_parse takes them; may be empty */
	FILENAME, /* absolute; may be empty */
};

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset;
	const char *def; /* NULL: must be set */
	long long min, max;
	const char *words; /* "a|b|c" */
	const char *help;
};

#define SECRET_MAX_BYTES    1024
#define UNIX_PATH_MAX_BYTES 108 /* sizeof sockaddr_un.sun_path */

#define AT(field) offsetof(struct config, field)

static const struct setting table[] = {
	{ "HOOKSWITCH_ACCOUNT_SID", SID, AT(account_sid), NULL, 0, 0, NULL,
	  "SID of the first account: AC and 32 hex digits" },
	{ "HOOKSWITCH_NODE", TEXT, AT(node), "node1", 0, 0, NULL,
	  "name of this node, its own among the nodes of one database" },
	{ "HOOKSWITCHD_PROCESSES", NUMBER, AT(processes), "1", 1, PROCESSES_MAX, NULL,
	  "hookswitchd processes that share this node's calls and REST requests" },
	{ "HOOKSWITCHD_SPREAD", WORD, AT(spread), "account", 0, 0, "account|call",
	  "what these processes share out: accounts, so that one has all calls of an account, or "
	  "single calls, of which two that are in different processes cannot be transferred to "
	  "each other" },
	{ "HOOKSWITCH_AUTH_TOKEN", SECRET, AT(auth_token), NULL, 16, 0, NULL,
	  "its auth token; also the key of webhook signatures" },
	{ "HOOKSWITCH_SIP_DOMAIN", DOMAIN, AT(sip_domain), "sip.hookswitch.test", 0, 0, NULL,
	  "base domain: a SIP domain is {name}.BASE; also the digest realm" },
	{ "PUBLIC_IP", IP, AT(public_ip), "127.0.0.1", 0, 0, NULL, "address in Contact and SDP" },
	{ "SIP_PORT", NUMBER, AT(sip_port), "5060", 1, 65535, NULL, "SIP over UDP and TCP" },
	{ "SIPS_PORT", NUMBER, AT(sips_port), "5061", 1, 65535, NULL, "SIP over TLS" },
	{ "SIP_TLS_VERIFY", WORD, AT(sip_tls_verify), "off", 0, 0, "off|warn|on",
	  "certificate chain and name of those whom calls over TLS go to: not looked at, written "
	  "to "
	  "the log, or refused (11237, 11235)" },
	{ "API_BIND", IP, AT(api_bind), "127.0.0.1", 0, 0, NULL, "address of the REST API" },
	{ "API_PORT", NUMBER, AT(api_port), "8080", 1, 65535, NULL, "port of the REST API" },
	{ "API_THREADS", NUMBER, AT(api_threads), "4", 1, 64, NULL,
	  "threads that serve REST, each with a database connection" },
	{ "API_CONNECTIONS", NUMBER, AT(api_connections), "1024", 64, 65536, NULL,
	  "connections of REST clients at once; more wait" },
	{ "API_IDLE_SECONDS", NUMBER, AT(api_idle_s), "30", 1, 3600, NULL,
	  "a connection of a REST client without a byte is closed after so long" },
	{ "API_REQUEST_SECONDS", NUMBER, AT(api_request_s), "60", 1, 3600, NULL,
	  "a REST request that takes longer to come in is cut off" },
	{ "API_REQUESTS_PER_SECOND", NUMBER, AT(api_requests_per_second), "100", 0, 1000000, NULL,
	  "REST requests a second of an account; beyond it 429 (20429); 0: as many as it likes" },
	{ "API_AUTH_FAILURES_PER_MINUTE", NUMBER, AT(api_auth_failures), "60", 0, 1000000, NULL,
	  "requests with wrong credentials a minute of an address; beyond it all of its requests "
	  "are 429 (20429) for a while; 0: any number" },
	{ "API_CONNECTIONS_PER_ADDRESS", NUMBER, AT(api_connections_each), "256", 0, 65536, NULL,
	  "connections of one address at once, a proxy's too; more are closed; 0: as many as all" },
	{ "API_PROXIES", NETWORKS, AT(api_proxies), "", 0, 0, NULL,
	  "networks of proxies of yours before the API: the client is whom their X-Forwarded-For "
	  "names" },
	{ "API_MONITORS", NETWORKS, AT(api_monitors), "", 0, 0, NULL,
	  "networks that may ask /healthz, /readyz and /metrics beside loopback; others get "
	  "403 (20403)" },
	{ "API_TLS_CERT", FILENAME, AT(api_tls_cert), "", 0, 0, NULL,
	  "certificate of the API, PEM, its chain behind it, read again when it changes; empty: "
	  "plain HTTP" },
	{ "API_TLS_KEY", FILENAME, AT(api_tls_key), "", 0, 0, NULL, "its private key, PEM" },
	{ "API_PLAIN_HTTP", BOOL, AT(api_plain_http), "false", 0, 0, NULL,
	  "allow REST without TLS on an API_BIND that is not loopback: tokens can be read on the "
	  "way" },
	{ "LIMIT_SIP_GATEWAYS", NUMBER, AT(limit_sip_gateways), "100", 1, 1000000, NULL,
	  "SIP gateways of an account (20422)" },
	{ "LIMIT_CLIENT_CERTIFICATES", NUMBER, AT(limit_client_certificates), "1000", 1, 1000000,
	  NULL, "client certificates a SIP domain (20422)" },
	{ "LIMIT_SIP_DESTINATIONS", NUMBER, AT(limit_sip_destinations), "1000", 1, 1000000, NULL,
	  "destinations of an account (20422)" },
	{ "LIMIT_SIP_DOMAINS", NUMBER, AT(limit_sip_domains), "100", 1, 1000000, NULL,
	  "SIP domains of an account (21230)" },
	{ "LIMIT_IP_ACCESS_CONTROL_LISTS", NUMBER, AT(limit_acls), "1000", 1, 1000000, NULL,
	  "IP access control lists of an account (21255)" },
	{ "LIMIT_IP_ADDRESSES", NUMBER, AT(limit_ip_addresses), "100", 1, 1000000, NULL,
	  "addresses of an IP access control list (21237)" },
	{ "LIMIT_CREDENTIAL_LISTS", NUMBER, AT(limit_credential_lists), "100", 1, 1000000, NULL,
	  "credential lists of an account (21239)" },
	{ "LIMIT_CREDENTIALS", NUMBER, AT(limit_credentials), "1000", 1, 1000000, NULL,
	  "credentials of a list (21242)" },
	{ "LIMIT_MAPPED_LISTS", NUMBER, AT(limit_mapped_lists), "100", 1, 1000000, NULL,
	  "lists of a kind mapped to a SIP domain (21231)" },
	{ "LIMIT_SUBACCOUNTS", NUMBER, AT(limit_subaccounts), "1000", 1, 1000000, NULL,
	  "subaccounts of an account (20422)" },
	{ "LIMIT_KEYS", NUMBER, AT(limit_keys), "100", 1, 1000000, NULL,
	  "API keys of an account (20422)" },
	{ "DATABASE_URL", SECRET, AT(database_url), NULL, 1, 0, NULL, "libpq connection string" },
	{ "SQL_DIR", TEXT, AT(sql_dir), "/usr/share/hookswitch/sql", 0, 0, NULL,
	  "migrations, applied at start" },
	{ "KAMAILIO_EVAPI", ADDRESS, AT(evapi_addr), "127.0.0.1:8448", 0, 0, NULL,
	  "Kamailio's event socket" },
	{ "KAMAILIO_RPC", PATH, AT(rpc_socket), "/run/hookswitch/rpc.sock", 0, 0, NULL,
	  "Kamailio's JSON-RPC datagram socket" },
	{ "KAMAILIO_RPC_CLIENT", PATH, AT(rpc_client_socket), "/run/hookswitch/control.sock", 0, 0,
	  NULL, "our end of it, in the same volume" },
	{ "RTPENGINE_NG", ADDRESS, AT(ng_addr), "127.0.0.1:2223", 0, 0, NULL,
	  "RTPengine's NG socket" },
	{ "RTPENGINE_CLI", ADDRESS, AT(rtpengine_cli), "127.0.0.1:2224", 0, 0, NULL,
	  "RTPengine's command line, where no webhook goes" },
	{ "DTMF_LISTEN", ADDRESS, AT(dtmf_listen), "127.0.0.1:2300", 0, 0, NULL,
	  "where RTPengine sends DTMF events" },
	{ "MEDIA_IP", IP, AT(media_ip), "127.0.0.1", 0, 0, NULL, "address of our media sockets" },
	{ "MAX_CALLS", NUMBER, AT(max_calls), "5000", 1, 100000, NULL,
	  "calls at once; beyond it 503 with Retry-After" },
	{ "RTP_TIMEOUT_MS", NUMBER, AT(rtp_timeout_ms), "60000", 1000, 3600000, NULL,
	  "hang up when the party sends no RTP for so long (32014)" },
	{ "RTP_STRICT_SOURCE", BOOL, AT(rtp_strict_source), "true", 0, 0, NULL,
	  "whether RTP is dropped that comes from elsewhere than the party's first seconds of it; "
	  "false for parties whose address changes in a call" },
	{ "ACK_TIMEOUT_MS", NUMBER, AT(ack_timeout_ms), "32000", 1000, 64000, NULL,
	  "hang up when no ACK came (32022)" },
	{ "DIAL_ACTION_ON_HANGUP", BOOL, AT(dial_action_on_hangup), "true", 0, 0, NULL,
	  "whether the action of a <Dial> is told when the caller hangs up; its answer is not "
	  "run" },
	{ "CALLS_PER_SECOND", NUMBER, AT(calls_per_second), "100", 0, 1000, NULL,
	  "calls a second that are dialled for one account's REST; more wait; 0: as many as it "
	  "likes" },
	{ "ACCOUNT_CALLS", NUMBER, AT(account_calls), "0", 0, 100000, NULL,
	  "calls of an account at once (10004); 0: as many as the node takes" },
	{ "ACCOUNT_CALLS_PER_SECOND", NUMBER, AT(account_calls_per_second), "0", 0, 100000, NULL,
	  "calls a second that come in for an account and its subaccounts together (32013); 0: "
	  "any" },
	{ "DESTINATIONS_UNLISTED", BOOL, AT(destinations_unlisted), "true", 0, 0, NULL,
	  "whether an account without a list of destinations (/SIP/Destinations) calls anywhere" },
	{ "SRTP_DTLS", BOOL, AT(srtp_dtls), "false", 0, 0, NULL,
	  "whether DTLS-SRTP, with ICE, is taken where SRTP is, and offered by ;secure=dtls" },
	{ "SRTP_OPTIONAL", BOOL, AT(srtp_optional), "false", 0, 0, NULL,
	  "whether calls to a domain that is not Secure may have SRTP; false: 488 (32207)" },
	{ "SIP_PRIVATE_TARGETS", BOOL, AT(sip_private_targets), "false", 0, 0, NULL,
	  "whether calls go out to private and loopback addresses" },
	{ "DNS_SERVERS", SERVERS, AT(dns_servers), "", 0, 0, NULL,
	  "name servers that SIP targets are looked up with, ip or ip:port, separated by commas; "
	  "empty: those of /etc/resolv.conf at start" },
	{ "MAX_CALL_SECONDS", NUMBER, AT(max_call_seconds), "14400", 1, 86400, NULL,
	  "hang up a call that is longer (32015)" },
	{ "SESSION_EXPIRES_S", NUMBER, AT(session_expires_s), "1800", 90, 86400, NULL,
	  "session timer that we offer (RFC 4028)" },
	{ "WEBHOOK_CONNECT_MS", NUMBER, AT(webhook_connect_ms), "5000", 100, 10000, NULL,
	  "connect timeout of a webhook" },
	{ "WEBHOOK_READ_MS", NUMBER, AT(webhook_read_ms), "15000", 100, 15000, NULL,
	  "read timeout of a webhook" },
	{ "WEBHOOK_TOTAL_MS", NUMBER, AT(webhook_total_ms), "15000", 100, 60000, NULL,
	  "all attempts of a webhook together" },
	{ "WEBHOOK_VERIFY_TLS", BOOL, AT(webhook_verify_tls), "true", 0, 0, NULL,
	  "check certificate chain and name of https webhooks" },
	{ "WEBHOOK_ALLOWED_NETWORKS", NETWORKS, AT(webhook_allowed_networks), "", 0, 0, NULL,
	  "loopback, private and other networks that are not public where webhooks and media "
	  "downloads may go all the same, like 127.0.0.1,10.0.0.0/8; elsewhere: 11205" },
	{ "WEBHOOK_CA_FILE", FILENAME, AT(webhook_ca_file), "", 0, 0, NULL,
	  "certificates, PEM, that https webhooks are verified with beside the system's" },
	{ "TWIML_MAX_BYTES", NUMBER, AT(twiml_max_bytes), "65536", 1024, 1048576, NULL,
	  "size of a TwiML document (11750)" },
	{ "TWIML_HANGUP_FIRST", WORD, AT(hangup_first), "answer", 0, 0, "answer|603",
	  "what <Hangup> does to a call that is not answered yet" },
	{ "PLAY_STRICT", BOOL, AT(play_strict), "false", 0, 0, NULL,
	  "a failed <Play> download takes the failure path; false: the verb is skipped" },
	{ "MEDIA_THREADS", NUMBER, AT(media_threads), "1", 1, 16, NULL,
	  "threads of the media worker" },
	{ "PROMPT_CACHE_BYTES", SIZE, AT(prompt_cache_bytes), "134217728", 0, 1LL << 40, NULL,
	  "decoded prompts kept in memory" },
	{ "PLAY_MAX_BYTES", SIZE, AT(play_max_bytes), "52428800", 1024, 1LL << 32, NULL,
	  "size of a media file" },
	{ "PLAY_MAX_SECONDS", NUMBER, AT(play_max_seconds), "2400", 1, 86400, NULL,
	  "length of a media file" },
	{ "SPEECH_VOICE", TEXT, AT(speech_voice), "man", 0, 0, NULL, "voice of <Say> without one" },
	{ "SPEECH_LANGUAGE", TEXT, AT(speech_language), "en-US", 0, 0, NULL,
	  "language of <Say> without one" },
	{ "STORE_GATHER_MS", NUMBER, AT(store_gather_ms), "25", 0, 1000, NULL,
	  "how long rows of calls gather for one transaction; new calls, and what somebody waits "
	  "for, are written at once" },
	{ "LOG_LEVEL", WORD, AT(log_level), "info", 0, 0, "debug|info|warn|error",
	  "least severe log line that is written" },
};

static int is_word(const char *words, const char *value)
{
	size_t n = strcspn(value, "|");

	for (const char *p = value[n] ? NULL : words; p; p = strchr(p, '|')) {
		if (*p == '|')
			p++;
		if (!strncmp(p, value, n) && (p[n] == '|' || !p[n]))
			return 1;
	}
	return 0;
}

static int is_domain(const char *value)
{
	size_t n = strlen(value);

	return n && n <= 200 && strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789.-") == n &&
	       value[0] != '.' && value[n - 1] != '.' && !strstr(value, "..");
}

static int is_ip(const char *value)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, value, address) == 1 || inet_pton(AF_INET6, value, address) == 1;
}

static int is_address(const char *value)
{
	const char *colon = strrchr(value, ':');
	char host[INET6_ADDRSTRLEN + 2];
	size_t n = colon ? (size_t)(colon - value) : 0;
	long port;

	if (!n || n >= sizeof(host) || !colon[1] || strlen(colon + 1) > 5 ||
	    colon[1 + strspn(colon + 1, "0123456789")])
		return 0;
	port = strtol(colon + 1, NULL, 10);
	if (port < 1 || port > 65535)
		return 0;
	memcpy(host, value, n);
	host[n] = '\0';
	if (host[0] != '[')
		return !strchr(host, ':') && is_ip(host);
	if (host[n - 1] != ']')
		return 0;
	host[n - 1] = '\0';
	return strchr(host, ':') && is_ip(host + 1);
}

static int is_servers(const char *value)
{
	char item[INET6_ADDRSTRLEN + 10];

	while (*value) {
		size_t n = strcspn(value, ",");

		if (n >= sizeof(item))
			return 0;
		memcpy(item, value, n);
		item[n] = '\0';
		if (!is_ip(item) && !is_address(item))
			return 0;
		value += n;
		if (*value && !*++value)
			return 0;
	}
	return 1;
}

/* 0, or -EINVAL with what the value should be in want. */
static int set(struct config *cfg, const struct setting *s, const char *value, char *want,
	       size_t want_size)
{
	void *field = (char *)cfg + s->offset;
	struct networks networks;
	long long number;
	char *end;

	switch (s->type) {
	case NUMBER:
	case SIZE:
		errno = 0;
		number = strtoll(value, &end, 10);
		if (errno || !isdigit((unsigned char)*value) || *end || number < s->min ||
		    number > s->max) {
			snprintf(want, want_size, "a whole number from %lld to %lld", s->min,
				 s->max);
			return -EINVAL;
		}
		if (s->type == NUMBER)
			*(int *)field = (int)number;
		else
			*(size_t *)field = (size_t)number;
		return 0;
	case BOOL:
		snprintf(want, want_size, "true or false");
		if (strcmp(value, "true") && strcmp(value, "false"))
			return -EINVAL;
		*(bool *)field = !strcmp(value, "true");
		return 0;
	case WORD:
		snprintf(want, want_size, "one of %s", s->words);
		if (!is_word(s->words, value))
			return -EINVAL;
		break;
	case IP:
		snprintf(want, want_size, "a numeric IP address");
		if (!is_ip(value))
			return -EINVAL;
		break;
	case ADDRESS:
		snprintf(want, want_size, "a numeric address and a port, like 127.0.0.1:2223");
		if (!is_address(value))
			return -EINVAL;
		break;
	case PATH:
		snprintf(want, want_size, "an absolute path of at most %d characters",
			 UNIX_PATH_MAX_BYTES - 1);
		if (*value != '/' || strlen(value) >= UNIX_PATH_MAX_BYTES)
			return -EINVAL;
		break;
	case SID:
		snprintf(want, want_size, "AC and 32 hex digits");
		if (!sid_valid(value, "AC"))
			return -EINVAL;
		break;
	case DOMAIN:
		snprintf(want, want_size, "a domain name in lower case");
		if (!is_domain(value))
			return -EINVAL;
		break;
	case SERVERS:
		snprintf(want, want_size,
			 "addresses such as 127.0.0.1 or 127.0.0.1:53, with commas");
		if (!is_servers(value))
			return -EINVAL;
		break;
	case NETWORKS:
		snprintf(want, want_size, "networks such as 10.0.0.0/8 or 192.0.2.1, with commas");
		if (networks_parse(&networks, value) < 0)
			return -EINVAL;
		break;
	case FILENAME:
		snprintf(want, want_size, "an absolute path");
		if (*value && *value != '/')
			return -EINVAL;
		break;
	case SECRET:
		snprintf(want, want_size, "at least %lld characters", s->min);
		if (strlen(value) < (size_t)s->min)
			return -EINVAL;
		break;
	case TEXT:
		snprintf(want, want_size, "not empty");
		if (!*value)
			return -EINVAL;
		break;
	}
	*(const char **)field = value;
	return 0;
}

/* *ret is the content of the file that NAME_FILE names, or stays; -errno with a sentence in err. */
static int from_file(const char **ret, const struct setting *s, char *err, size_t err_size)
{
	char name[64], text[SECRET_MAX_BYTES + 2];
	const char *path;
	FILE *file;
	size_t n;

	snprintf(name, sizeof(name), "%s_FILE", s->name);
	path = getenv(name);
	if (!path || !*path)
		return 0;
	file = fopen(path, "re");
	if (!file) {
		snprintf(err, err_size, "%s is \"%.200s\", which cannot be read: %s", name, path,
			 strerror(errno));
		return -EINVAL;
	}
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	if (!*text || n > SECRET_MAX_BYTES) {
		snprintf(err, err_size,
			 "%s names \"%.200s\", which is %s: put the secret on its first line", name,
			 path, n ? "no secret" : "empty");
		return -EINVAL;
	}
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

static bool is_loopback(const char *ip)
{
	return !strncmp(ip, "127.", 4) || !strcmp(ip, "::1");
}

/* What no setting says alone. */
static int check_together(const struct config *cfg, char *err, size_t err_size)
{
	if (!*cfg->api_tls_cert != !*cfg->api_tls_key) {
		snprintf(err, err_size,
			 "of API_TLS_CERT and API_TLS_KEY one is not set: set both, or neither");
		return -EINVAL;
	}
	if (!*cfg->api_tls_cert && !is_loopback(cfg->api_bind) && !cfg->api_plain_http) {
		snprintf(
			err, err_size,
			"API_BIND is \"%s\", which others reach, and REST would be plain HTTP: set "
			"API_TLS_CERT and API_TLS_KEY, or API_BIND to 127.0.0.1, or "
			"API_PLAIN_HTTP=true where the network itself is safe",
			cfg->api_bind);
		return -EINVAL;
	}
	return 0;
}

int config_load(struct config *cfg, char *err, size_t err_size)
{
	char want[80];
	int r;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct setting *s = &table[i];
		const char *value = getenv(s->name);

		if (s->type == SECRET) {
			r = from_file(&value, s, err, err_size);
			if (r < 0)
				return r;
		}
		if (!value || !*value)
			value = s->def;
		if (!value) {
			snprintf(err, err_size, "%s is not set: %s", s->name, s->help);
			return -EINVAL;
		}
		if (set(cfg, s, value, want, sizeof(want)) < 0) {
			snprintf(err, err_size, "%s is \"%.60s\": set it to %s (%s)", s->name,
				 s->type == SECRET ? "***" : value, want, s->help);
			return -EINVAL;
		}
	}
	return check_together(cfg, err, err_size);
}

void config_print_table(void)
{
	printf("| setting | default | what it is |\n|---|---|---|\n");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct setting *s = &table[i];
		const char *def = !s->def ? "(must be set)" : *s->def ? s->def : "(empty)";

		printf("| `%s` | %s | %s", s->name, def, s->help);
		if (s->type == NUMBER || s->type == SIZE)
			printf("; %lld to %lld", s->min, s->max);
		for (const char *p = s->words; p; p = strchr(p, '|')) {
			p += *p == '|';
			printf("%s `%.*s`", p == s->words ? "; one of" : ",", (int)strcspn(p, "|"),
			       p);
		}
		printf(" |\n");
	}
}
