-- A third way to authenticate calls to a domain: the certificate that the caller's TLS connection has (docs/tls.md), known by its
-- SHA-256. And whether a domain takes SRTP that it does not ask for (docs/secure-media.md); NULL: as the installation does.
ALTER TABLE sip_domains ADD srtp_optional boolean;

CREATE TABLE sip_client_certificates (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,
	account_sid text NOT NULL REFERENCES accounts (sid),
	domain_sid text NOT NULL REFERENCES sip_domains (sid) ON DELETE CASCADE,
	friendly_name text,
	fingerprint text NOT NULL CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT sip_client_certificates_fingerprint UNIQUE (domain_sid, fingerprint)
);
CREATE INDEX sip_client_certificates_by_domain ON sip_client_certificates (domain_sid, seq);

-- As in 0007; secure is t, or else o and n (SRTP is taken, is refused) or f (as the installation says); and a ninth field: client
-- certificates are listed.
CREATE OR REPLACE FUNCTION kamailio.call_decision(p_domain text, p_source inet) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
	v_decision text;
BEGIN
	SELECT concat_ws(',', d.account_sid, d.sid,
		CASE WHEN a.status = 'active' THEN o.status ELSE a.status END,
		CASE WHEN d.secure THEN 't' WHEN d.srtp_optional THEN 'o' WHEN NOT d.srtp_optional THEN 'n' ELSE 'f' END,
		CASE
			WHEN NOT EXISTS (SELECT FROM sip_domain_acl_mappings m WHERE m.domain_sid = d.sid) THEN 0
			WHEN EXISTS (
				SELECT FROM sip_domain_acl_mappings m
				JOIN ip_addresses i ON i.ip_access_control_list_sid = m.list_sid
				WHERE m.domain_sid = d.sid AND network(set_masklen(i.ip_address, i.cidr_prefix_length)) >>= p_source) THEN 1
			ELSE 2
		END,
		CASE WHEN EXISTS (SELECT FROM sip_domain_credential_mappings m WHERE m.domain_sid = d.sid AND m.kind = 'calls')
			THEN 't' ELSE 'f' END,
		CASE WHEN d.sip_registration THEN 't' ELSE 'f' END,
		CASE WHEN EXISTS (SELECT FROM sip_domain_credential_mappings m WHERE m.domain_sid = d.sid AND m.kind = 'registrations')
			THEN 't' ELSE 'f' END,
		CASE WHEN EXISTS (SELECT FROM sip_client_certificates c WHERE c.domain_sid = d.sid) THEN 't' ELSE 'f' END)
	INTO v_decision
	FROM sip_domains d
	JOIN accounts a ON a.sid = d.account_sid
	JOIN accounts o ON o.sid = a.owner_account_sid
	WHERE d.domain_name = p_domain;
	RETURN v_decision;
END
$$;

-- 1 or 0. A plan made while the table is small is kept: it must be good when it has grown.
CREATE FUNCTION kamailio.certificate_listed(p_domain_sid text, p_fingerprint text) RETURNS integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
	RETURN CASE WHEN EXISTS (
			SELECT FROM sip_client_certificates c WHERE c.domain_sid = p_domain_sid AND c.fingerprint = p_fingerprint)
		THEN 1 ELSE 0 END;
END
$$;
REVOKE ALL ON FUNCTION kamailio.certificate_listed(text, text) FROM PUBLIC;
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kamailio') THEN
		GRANT EXECUTE ON FUNCTION kamailio.certificate_listed(text, text) TO kamailio;
	END IF;
END
$$;
