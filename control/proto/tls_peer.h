/*
 * tls_peer - whether the certificate of a TLS server is the one of the name that was called
 * (RFC 5922, RFC 6125). Pure, any thread.
 */
#ifndef HOOKSWITCH_PROTO_TLS_PEER_H
#define HOOKSWITCH_PROTO_TLS_PEER_H

#include <stdbool.h>

/* names: those of the certificate, separated by spaces; an address is "ip:192.0.2.1". Text of
 * foreigners. */
struct tls_peer {
	int connection; /* Kamailio's number */
	bool trusted;	/* the chain ends at a CA of ours, and is valid now */
	const char *names;
};

/*
 * host: a DNS name or an IP literal. "*" stands for the whole leftmost label, below at least two
 * others: what RFC 5922 §7.2 forbids and every operator of a PBX uses.
 */
bool tls_peer_is(const struct tls_peer *peer, const char *host);

#endif
