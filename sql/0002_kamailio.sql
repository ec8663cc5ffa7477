-- What Kamailio reads: functions of a schema of its own, for a role that can do nothing else. Each answers one look-up with one
-- text, its fields separated by commas, so that Kamailio keeps and splits it without further work. PL/pgSQL, because it keeps
-- the plan of its query for the session, while Kamailio's client can only send plain text.

CREATE SCHEMA kamailio;

-- account sid, domain sid, account status, secure, acl (0 none mapped, 1 passed, 2 failed), credentials mapped; NULL: no such domain.
-- An account of a suspended or closed owner is as its owner.
CREATE FUNCTION kamailio.call_decision(p_domain text, p_source inet) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
	v_decision text;
BEGIN
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
	INTO v_decision
	FROM sip_domains d
	JOIN accounts a ON a.sid = d.account_sid
	JOIN accounts o ON o.sid = a.owner_account_sid
	WHERE d.domain_name = p_domain;
	RETURN v_decision;
END
$$;

-- "md5,sha256,user": HA1s of a user that may call, and the name as the inside of a JSON string; NULL: none. The name comes as the
-- hex of its bytes, printable ASCII. Of one name in several lists the oldest mapping wins.
CREATE FUNCTION kamailio.call_credential(p_domain_sid text, p_user_hex text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
	v_user text := convert_from(decode(p_user_hex, 'hex'), 'UTF8');
	v_credential text;
BEGIN
	SELECT concat_ws(',', c.ha1_md5, c.ha1_sha256, substr(to_json(c.username)::text, 2, length(to_json(c.username)::text) - 2))
	INTO v_credential
	FROM sip_domain_credential_mappings m
	JOIN credentials c ON c.credential_list_sid = m.list_sid
	WHERE m.domain_sid = p_domain_sid AND m.kind = 'calls' AND c.username = v_user
	ORDER BY m.seq
	LIMIT 1;
	RETURN v_credential;
END
$$;

REVOKE ALL ON FUNCTION kamailio.call_decision(text, inet), kamailio.call_credential(text, text) FROM PUBLIC;

-- The database's start makes the role, with its password. Without it (a test's plain database) there is nobody to grant to.
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kamailio') THEN
		GRANT USAGE ON SCHEMA kamailio TO kamailio;
		GRANT EXECUTE ON FUNCTION kamailio.call_decision(text, inet), kamailio.call_credential(text, text) TO kamailio;
	END IF;
END
$$;
