/*
 * config - every setting of hookswitchd: one table (config.c) gives name, type, default, range and
 * help; the parser, `hookswitchd --settings` and docs/settings.md come from it. Values come from
 * the environment.
 *
 * Read once at start, immutable afterwards, any thread.
 */
#ifndef HOOKSWITCH_BASE_CONFIG_H
#define HOOKSWITCH_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config {
	/* identity */
	int processes;		 /* HOOKSWITCHD_PROCESSES of this node */
	const char *spread;	 /* HOOKSWITCHD_SPREAD: account | call */
	const char *account_sid; /* HOOKSWITCH_ACCOUNT_SID: the first account */
	const char *node; /* HOOKSWITCH_NODE: this node's name, its own among those of a database */
	const char *auth_token;	    /* HOOKSWITCH_AUTH_TOKEN */
	const char *sip_domain;	    /* HOOKSWITCH_SIP_DOMAIN: base domain and digest realm */
	const char *public_ip;	    /* PUBLIC_IP: in Contact and SDP */
	int sip_port;		    /* SIP_PORT */
	int sips_port;		    /* SIPS_PORT: over TLS */
	const char *sip_tls_verify; /* SIP_TLS_VERIFY: off | warn | on */
	/* REST */
	const char *api_bind;	     /* API_BIND, default 127.0.0.1 */
	int api_port;		     /* API_PORT */
	int api_threads;	     /* API_THREADS */
	int api_connections;	     /* API_CONNECTIONS */
	int api_idle_s;		     /* API_IDLE_SECONDS */
	int api_request_s;	     /* API_REQUEST_SECONDS */
	int api_requests_per_second; /* API_REQUESTS_PER_SECOND an account; 0: any (20429) */
	int api_auth_failures;	     /* API_AUTH_FAILURES_PER_MINUTE a client; 0: any (20429) */
	int api_connections_each;    /* API_CONNECTIONS_PER_ADDRESS; 0: any */
	const char *api_proxies;     /* API_PROXIES: networks whose X-Forwarded-For is believed */
	const char *api_monitors;    /* API_MONITORS: see health and metrics, as this machine */
	const char *api_tls_cert;    /* API_TLS_CERT: PEM, leaf first; "": plain HTTP */
	const char *api_tls_key;     /* API_TLS_KEY */
	bool api_plain_http; /* API_PLAIN_HTTP false: without TLS only on a loopback address */
	/* limits of sip-and-rest.md §2 */
	int limit_sip_gateways;	       /* LIMIT_SIP_GATEWAYS an account (20422) */
	int limit_client_certificates; /* LIMIT_CLIENT_CERTIFICATES a domain (20422) */
	int limit_sip_destinations;    /* LIMIT_SIP_DESTINATIONS an account (20422) */
	int limit_sip_domains;	       /* LIMIT_SIP_DOMAINS an account (21230) */
	int limit_acls;		       /* LIMIT_IP_ACCESS_CONTROL_LISTS an account (21255) */
	int limit_ip_addresses;	       /* LIMIT_IP_ADDRESSES a list (21237) */
	int limit_credential_lists;    /* LIMIT_CREDENTIAL_LISTS an account (21239) */
	int limit_credentials;	       /* LIMIT_CREDENTIALS a list (21242) */
	int limit_mapped_lists;	       /* LIMIT_MAPPED_LISTS of a kind a domain (21231) */
	int limit_subaccounts;	       /* LIMIT_SUBACCOUNTS an account (20422) */
	int limit_keys;		       /* LIMIT_KEYS an account (20422) */
	/* neighbours */
	const char *database_url;      /* DATABASE_URL: libpq conninfo */
	const char *sql_dir;	       /* SQL_DIR: forward migrations, applied at start */
	const char *evapi_addr;	       /* KAMAILIO_EVAPI ip:port */
	const char *rpc_socket;	       /* KAMAILIO_RPC: unix datagram socket of jsonrpcs */
	const char *rpc_client_socket; /* KAMAILIO_RPC_CLIENT: where ours is bound (same volume) */
	const char *ng_addr;	       /* RTPENGINE_NG ip:port */
	const char *rtpengine_cli;     /* RTPENGINE_CLI ip:port: never asked, never a webhook's */
	const char *dtmf_listen;       /* DTMF_LISTEN ip:port: RTPengine's dtmf-log-dest */
	const char *media_ip;	       /* MEDIA_IP: address of the `i` sockets, loopback */
	/* calls */
	int max_calls;	      /* MAX_CALLS at once on this node; beyond: 503 + Retry-After */
	int rtp_timeout_ms;   /* RTP_TIMEOUT_MS, 60000: no RTP from the party, 32014 */
	int ack_timeout_ms;   /* ACK_TIMEOUT_MS, 32000: 32022 */
	int calls_per_second; /* CALLS_PER_SECOND, 100: that REST creates, of an account */
	int account_calls;    /* ACCOUNT_CALLS at once; 0: any (10004) */
	int account_calls_per_second; /* ACCOUNT_CALLS_PER_SECOND inbound; 0: any (32013) */
	bool rtp_strict_source;	      /* RTP_STRICT_SOURCE, true */
	bool dial_action_on_hangup;   /* DIAL_ACTION_ON_HANGUP, true */
	bool destinations_unlisted;   /* DESTINATIONS_UNLISTED, true */
	bool sip_private_targets;     /* SIP_PRIVATE_TARGETS, false */
	bool srtp_dtls;		      /* SRTP_DTLS, false */
	bool srtp_optional;	      /* SRTP_OPTIONAL, false */
	const char *dns_servers;      /* DNS_SERVERS, ip[:port],...; "": the system's */
	int max_call_seconds;	      /* MAX_CALL_SECONDS, 14400: 32015 */
	int session_expires_s;	      /* SESSION_EXPIRES_S, 1800 (RFC 4028) */
	/* webhooks */
	int webhook_connect_ms;		      /* WEBHOOK_CONNECT_MS 5000 */
	int webhook_read_ms;		      /* WEBHOOK_READ_MS 15000 */
	int webhook_total_ms;		      /* WEBHOOK_TOTAL_MS 15000 */
	const char *webhook_allowed_networks; /* WEBHOOK_ALLOWED_NETWORKS: that are not public */
	const char *webhook_ca_file;	      /* WEBHOOK_CA_FILE: beside the system's; "": none */
	int twiml_max_bytes;		      /* TWIML_MAX_BYTES 65536 */
	const char *hangup_first; /* TWIML_HANGUP_FIRST: answer | 603 (sip-and-rest.md §3.2) */
	bool webhook_verify_tls;  /* WEBHOOK_VERIFY_TLS true */
	bool play_strict;    /* PLAY_STRICT false: a failed Play download takes the failure path */
	int store_gather_ms; /* STORE_GATHER_MS 25 */
	/* media */
	int media_threads;	     /* MEDIA_THREADS */
	size_t prompt_cache_bytes;   /* PROMPT_CACHE_BYTES: decoded G.711 kept, least recently used
					goes */
	size_t play_max_bytes;	     /* PLAY_MAX_BYTES: a download beyond it is refused */
	int play_max_seconds;	     /* PLAY_MAX_SECONDS 2400 */
	const char *speech_voice;    /* SPEECH_VOICE: default voice */
	const char *speech_language; /* SPEECH_LANGUAGE: default language, en-US */
	const char *log_level;	     /* LOG_LEVEL debug|info|warn|error */
};

/*
 * Fills *cfg from the environment. On a bad or missing value writes one sentence that names the
 * setting, what is wrong and what to set to err (at most err_size bytes) and returns -EINVAL.
 * Strings live as long as the process. A secret may come as the content of the file that NAME_FILE
 * names instead, without its last line end.
 */
int config_load(struct config *cfg, char *err, size_t err_size);

/* Prints the settings table as Markdown (docs/settings.md is made so). */
void config_print_table(void);

#endif
