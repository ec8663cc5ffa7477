-- Whether a source is somebody's: in an access list of a SIP domain, by no wider block than a site has (else one list of everybody would
-- end all bans), or a phone is registered from it. Kamailio asks before it bans one, so that datagrams with a customer's address on them
-- ban nobody.
CREATE INDEX ip_addresses_by_block ON ip_addresses USING gist ((network(set_masklen(ip_address, cidr_prefix_length))::inet) inet_ops);
CREATE INDEX location_by_source ON kamailio.location (split_part(received, ':', 2));

CREATE FUNCTION kamailio.source_known(p_source inet) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
	SELECT CASE WHEN EXISTS (
			SELECT FROM ip_addresses i JOIN sip_domain_acl_mappings m ON m.list_sid = i.ip_access_control_list_sid
			WHERE network(set_masklen(i.ip_address, i.cidr_prefix_length))::inet >>= p_source
				AND i.cidr_prefix_length >= CASE family(p_source) WHEN 4 THEN 24 ELSE 56 END)
		OR EXISTS (
			SELECT FROM kamailio.location
			WHERE split_part(received, ':', 2) = host(p_source) AND expires > now() AT TIME ZONE 'UTC')
		THEN 1 ELSE 0 END
$$;

-- Where calls of an account may go (docs/hostile-internet.md): numbers by prefix, hosts by name.
CREATE TABLE sip_destinations (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,
	account_sid text NOT NULL REFERENCES accounts (sid),
	friendly_name text,
	target text NOT NULL CHECK (target ~ '^(\+[0-9]{0,15}|\*|\.?[a-z0-9_:-][a-z0-9._:-]*)$'),
	allowed boolean NOT NULL DEFAULT true,
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT sip_destinations_target UNIQUE (account_sid, target)
);
CREATE INDEX sip_destinations_by_account ON sip_destinations (account_sid, seq);

-- A number (+...) or a host: 0 there is no list, 1 allowed, 2 refused. The longest target decides; an account and its owner must both
-- allow, as far as they have a list. Where neither has one, p_unlisted says.
CREATE FUNCTION destination_check(p_account text, p_target text, p_unlisted boolean) RETURNS integer
LANGUAGE plpgsql STABLE AS $$
DECLARE
	v_target text := rtrim(lower(p_target), '.');
	v_account text;
	v_listed boolean := false;
	v_allowed boolean;
BEGIN
	FOR v_account IN SELECT sid FROM accounts WHERE sid = p_account UNION SELECT owner_account_sid FROM accounts WHERE sid = p_account LOOP
		CONTINUE WHEN NOT EXISTS (SELECT FROM sip_destinations WHERE account_sid = v_account);
		v_listed := true;
		SELECT allowed INTO v_allowed FROM sip_destinations
		WHERE account_sid = v_account AND CASE left(v_target, 1)
			WHEN '+' THEN target LIKE '+%' AND starts_with(v_target, target)
			ELSE target IN ('*', v_target) OR target LIKE '.%' AND right('.' || v_target, length(target)) = target END
		ORDER BY length(target) DESC LIMIT 1;
		IF v_allowed IS NOT TRUE THEN
			RETURN 2;
		END IF;
	END LOOP;
	RETURN CASE WHEN v_listed THEN 1 WHEN p_unlisted THEN 0 ELSE 2 END;
END
$$;

-- As other_bindings, but whether there is room for this one: 0, 1 the user has as many as it may, 2 the domain has. One that is there
-- already is renewed, however many there are; only a new one counts the domain's.
CREATE FUNCTION kamailio.no_room(p_domain text, p_user_hex text, p_contact_hex text, p_user_max bigint, p_domain_max bigint) RETURNS integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = kamailio, pg_temp SET enable_seqscan = off AS $$
DECLARE
	v_domain varchar := p_domain;
	v_user varchar := convert_from(decode(p_user_hex, 'hex'), 'UTF8');
	v_now timestamp := now() AT TIME ZONE 'UTC';
	v_others bigint := kamailio.other_bindings(p_domain, p_user_hex, p_contact_hex);
BEGIN
	IF v_others >= p_user_max THEN
		RETURN 1;
	END IF;
	IF v_others < (
			SELECT count(*) FROM location l WHERE l.domain = v_domain AND l.username = v_user AND l.expires > v_now) THEN
		RETURN 0;
	END IF;
	RETURN CASE WHEN (
			SELECT count(*) FROM (SELECT FROM location l WHERE l.domain = v_domain AND l.expires > v_now LIMIT p_domain_max) AS bindings) >= p_domain_max
		THEN 2 ELSE 0 END;
END
$$;

-- Of an account or a SIP domain, by its SID: the operator's word, beside the settings (NULL: as they say).
CREATE TABLE call_limits (
	sid text PRIMARY KEY,
	calls integer CHECK (calls >= 0),
	calls_per_second integer CHECK (calls_per_second >= 0)
);

REVOKE ALL ON FUNCTION kamailio.source_known(inet), kamailio.no_room(text, text, text, bigint, bigint) FROM PUBLIC;

DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kamailio') THEN
		GRANT EXECUTE ON FUNCTION kamailio.source_known(inet), kamailio.no_room(text, text, text, bigint, bigint) TO kamailio;
	END IF;
END
$$;
