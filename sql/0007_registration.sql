-- Where registered phones are. Kamailio's usrloc reads and writes kamailio.location and keeps nothing of it in memory (docs/adr/0016),
-- so what stands here is what is registered.

-- usrloc's table, its version 9. sid and date_created are ours; usrloc names the columns that it writes.
CREATE TABLE kamailio.location (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	sid varchar NOT NULL DEFAULT 'RG' || replace(gen_random_uuid()::text, '-', '') UNIQUE,
	date_created timestamptz NOT NULL DEFAULT now(),
	ruid varchar NOT NULL DEFAULT '' CONSTRAINT location_ruid UNIQUE,
	username varchar NOT NULL DEFAULT '',
	domain varchar,
	contact varchar NOT NULL DEFAULT '',
	received varchar,
	path varchar,
	expires timestamp NOT NULL,		-- UTC, as all times of Kamailio's
	q real NOT NULL DEFAULT 1,
	callid varchar NOT NULL DEFAULT '',
	cseq integer NOT NULL DEFAULT 1,
	last_modified timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
	flags integer NOT NULL DEFAULT 0,
	cflags integer NOT NULL DEFAULT 0,
	user_agent varchar NOT NULL DEFAULT '',
	socket varchar,
	methods integer,
	instance varchar,
	reg_id integer NOT NULL DEFAULT 0,
	server_id integer NOT NULL DEFAULT 0,
	connection_id integer NOT NULL DEFAULT 0,
	keepalive integer NOT NULL DEFAULT 0,
	partition integer NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
CREATE INDEX location_by_aor ON kamailio.location (domain, username);
CREATE INDEX location_by_partition ON kamailio.location (partition);

-- usrloc asks which version its table has.
CREATE TABLE kamailio.version (table_name varchar PRIMARY KEY, table_version integer NOT NULL);
INSERT INTO kamailio.version VALUES ('location', 9);

-- Bindings that count: not expired, of a domain that takes registrations, and of a user that still may register there.
CREATE VIEW registrations AS
SELECT l.id AS seq, l.sid, d.account_sid, d.sid AS domain_sid, d.domain_name, l.username, l.contact, coalesce(l.received, l.contact) AS target,
	l.socket, nullif(l.instance, '') AS instance, l.reg_id, l.callid AS call_id, l.user_agent, l.expires AT TIME ZONE 'UTC' AS date_expires,
	l.date_created, l.last_modified AT TIME ZONE 'UTC' AS date_updated
FROM kamailio.location l
JOIN sip_domains d ON d.domain_name = l.domain
WHERE d.sip_registration AND l.expires > now() AT TIME ZONE 'UTC'
	AND EXISTS (
		SELECT FROM sip_domain_credential_mappings m
		JOIN credentials c ON c.credential_list_sid = m.list_sid
		WHERE m.domain_sid = d.sid AND m.kind = 'registrations' AND c.username = l.username);

CREATE FUNCTION registration_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM kamailio.location WHERE id = OLD.seq;
	RETURN CASE WHEN FOUND THEN OLD END;
END
$$;
CREATE TRIGGER registrations_delete INSTEAD OF DELETE ON registrations FOR EACH ROW EXECUTE FUNCTION registration_delete();

-- A name that goes takes its bindings along: whoever has it next does not get them. Switched off and on again, a domain is empty.
CREATE FUNCTION domain_bindings_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM kamailio.location WHERE domain = OLD.domain_name;
	RETURN NULL;
END
$$;
CREATE TRIGGER sip_domains_deleted AFTER DELETE ON sip_domains FOR EACH ROW EXECUTE FUNCTION domain_bindings_delete();
CREATE TRIGGER sip_domains_changed AFTER UPDATE ON sip_domains FOR EACH ROW
	WHEN (OLD.domain_name <> NEW.domain_name OR OLD.sip_registration AND NOT NEW.sip_registration)
	EXECUTE FUNCTION domain_bindings_delete();

-- As in 0002, with two more fields: registrations are taken, credentials mapped for them.
CREATE OR REPLACE FUNCTION kamailio.call_decision(p_domain text, p_source inet) RETURNS text
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
			THEN 't' ELSE 'f' END,
		CASE WHEN d.sip_registration THEN 't' ELSE 'f' END,
		CASE WHEN EXISTS (SELECT FROM sip_domain_credential_mappings m WHERE m.domain_sid = d.sid AND m.kind = 'registrations')
			THEN 't' ELSE 'f' END)
	INTO v_decision
	FROM sip_domains d
	JOIN accounts a ON a.sid = d.account_sid
	JOIN accounts o ON o.sid = a.owner_account_sid
	WHERE d.domain_name = p_domain;
	RETURN v_decision;
END
$$;

-- As call_credential, of a user that may register. A plan made while the tables are small is kept: it must be good when they have grown.
CREATE FUNCTION kamailio.registration_credential(p_domain_sid text, p_user_hex text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
	v_user text := convert_from(decode(p_user_hex, 'hex'), 'UTF8');
	v_credential text;
BEGIN
	SELECT concat_ws(',', c.ha1_md5, c.ha1_sha256, substr(to_json(c.username)::text, 2, length(to_json(c.username)::text) - 2))
	INTO v_credential
	FROM sip_domain_credential_mappings m
	JOIN credentials c ON c.credential_list_sid = m.list_sid
	WHERE m.domain_sid = p_domain_sid AND m.kind = 'registrations' AND c.username = v_user
	ORDER BY m.seq
	LIMIT 1;
	RETURN v_credential;
END
$$;

-- How many bindings a user has, but the one with this Contact URI or instance. The texts come as the hex of their bytes.
CREATE FUNCTION kamailio.other_bindings(p_domain text, p_user_hex text, p_contact_hex text) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = kamailio, pg_temp SET enable_seqscan = off AS $$
DECLARE
	v_domain varchar := p_domain;
	v_user varchar := convert_from(decode(p_user_hex, 'hex'), 'UTF8');
	v_contact text := convert_from(decode(p_contact_hex, 'hex'), 'UTF8');
BEGIN
	RETURN (SELECT count(*) FROM location l
		WHERE l.domain = v_domain AND l.username = v_user AND l.expires > now() AT TIME ZONE 'UTC'
		AND strpos(v_contact, l.contact) = 0 AND (coalesce(l.instance, '') = '' OR strpos(v_contact, l.instance) = 0));
END
$$;

REVOKE ALL ON FUNCTION kamailio.registration_credential(text, text), kamailio.other_bindings(text, text, text) FROM PUBLIC;

DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kamailio') THEN
		GRANT EXECUTE ON FUNCTION kamailio.registration_credential(text, text), kamailio.other_bindings(text, text, text) TO kamailio;
		GRANT SELECT, INSERT, UPDATE, DELETE ON kamailio.location TO kamailio;
		GRANT SELECT ON kamailio.version TO kamailio;
	END IF;
END
$$;
