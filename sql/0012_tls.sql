-- Whose a source is, for a call over TLS whose Request-URI names an address instead of a domain: the account whose IP access control
-- lists hold the source, by the longest prefix; NULL: none, or several.
CREATE INDEX ip_addresses_by_network ON ip_addresses USING gist (network(set_masklen(ip_address, cidr_prefix_length)) inet_ops);

CREATE FUNCTION kamailio.source_account(p_source inet) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
	v_account text;
BEGIN
	SELECT CASE WHEN min(f.account_sid) = max(f.account_sid) THEN min(f.account_sid) END
	INTO v_account
	FROM (
		SELECT i.account_sid, rank() OVER (ORDER BY i.cidr_prefix_length DESC) AS place
		FROM ip_addresses i
		WHERE network(set_masklen(i.ip_address, i.cidr_prefix_length)) >>= p_source
			AND EXISTS (SELECT FROM sip_domain_acl_mappings m WHERE m.list_sid = i.ip_access_control_list_sid)
	) f
	WHERE f.place = 1;
	RETURN v_account;
END
$$;

REVOKE ALL ON FUNCTION kamailio.source_account(inet) FROM PUBLIC;
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kamailio') THEN
		GRANT EXECUTE ON FUNCTION kamailio.source_account(inet) TO kamailio;
	END IF;
END
$$;
