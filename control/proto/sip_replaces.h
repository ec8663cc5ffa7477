/*
 * sip_replaces - the dialog that a Refer-To names in its headers part (RFC 3891 §6.1). Pure.
 *
 *	<sip:carol@example.com?Replaces=id%40host%3Bto-tag%3Da%3Bfrom-tag%3Db>
 */
#ifndef HOOKSWITCH_PROTO_SIP_REPLACES_H
#define HOOKSWITCH_PROTO_SIP_REPLACES_H

struct sip_replaces {
	char call_id[256];
	/* As who would get the INVITE sees them: to_tag is its own. */
	char to_tag[128], from_tag[128];
};

/* 0; -ENOENT: there is no Replaces; -EINVAL: it is none, or too long. */
int sip_replaces_of(struct sip_replaces *ret, const char *refer_to);

#endif
