-- What Kamailio reads: functions of a schema of its own, for a role that can do nothing else. Each answers one look-up with one
-- text, its fields separated by commas, so that Kamailio keeps and splits it without further work.

CREATE SCHEMA kamailio;

-- account sid, domain sid, account status, secure, acl (0 none mapped, 1 passed, 2 failed), credentials mapped; NULL: no such domain.
CREATE FUNCTION kamailio.call_decision(p_domain text, p_source inet) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
	SELECT concat_ws(',', d.account_sid, d.sid,
		CASE WHEN a.status = 'active' THEN o.status ELSE a.status END,
		CASE WHEN d.secure THEN 't' ELSE 'f' END,
		CASE
			WHEN NOT EXISTS (SELECT FROM sip_domain_acl_mappings m WHERE m.domain_sid = d.sid) THEN 0
			WHEN EXISTS (
				SELECT FROM sip_domain_acl_mappings m
				JOIN ip_addresses i ON i.ip_access_control_list_sid = m.list_sid
				WHERE m.domain_sid = d.sid AND network(set_masklen(i.ip_address, i.cidr_prefix_length)) >>= p_source) THEN 1
			ELSE 2
		END,
		CASE WHEN EXISTS (SELECT FROM sip_domain_credential_mappings m WHERE m.domain_sid = d.sid AND m.kind = 'calls')
			THEN 't' ELSE 'f' END)
	FROM sip_domains d
	JOIN accounts a ON a.sid = d.account_sid
	JOIN accounts o ON o.sid = a.owner_account_sid
	WHERE d.domain_name = p_domain
$$;

-- "md5,sha256" HA1 of a user that may call; NULL: none. The name comes as the hex of its bytes. Of one name in several lists the oldest mapping wins.
CREATE FUNCTION kamailio.call_credential(p_domain_sid text, p_user_hex text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
	SELECT c.ha1_md5 || ',' || c.ha1_sha256
	FROM sip_domain_credential_mappings m
	JOIN credentials c ON c.credential_list_sid = m.list_sid
	WHERE m.domain_sid = p_domain_sid AND m.kind = 'calls' AND convert_to(c.username, 'UTF8') = decode(p_user_hex, 'hex')
	ORDER BY m.seq
	LIMIT 1
$$;

REVOKE ALL ON FUNCTION kamailio.call_decision(text, inet), kamailio.call_credential(text, text) FROM PUBLIC;

DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kamailio') THEN
		GRANT USAGE ON SCHEMA kamailio TO kamailio;
		GRANT EXECUTE ON FUNCTION kamailio.call_decision(text, inet), kamailio.call_credential(text, text) TO kamailio;
	END IF;
END
$$;
