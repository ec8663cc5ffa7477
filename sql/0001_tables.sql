-- The durable state: accounts, SIP provisioning, calls, notifications.
-- Column names are the REST API's property names. seq gives every listed table a stable order that paging can resume from.

CREATE TABLE accounts (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,
	owner_account_sid text NOT NULL REFERENCES accounts (sid),
	friendly_name text NOT NULL,
	auth_token text NOT NULL,
	status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'closed')),
	type text NOT NULL DEFAULT 'Full',
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sip_domains (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,
	account_sid text NOT NULL REFERENCES accounts (sid),
	domain_name text NOT NULL CONSTRAINT sip_domains_domain_name UNIQUE CHECK (domain_name = lower(domain_name)),
	friendly_name text,
	voice_url text,
	voice_method text NOT NULL DEFAULT 'POST',
	voice_fallback_url text,
	voice_fallback_method text NOT NULL DEFAULT 'POST',
	voice_status_callback_url text,
	voice_status_callback_method text NOT NULL DEFAULT 'POST',
	sip_registration boolean NOT NULL DEFAULT false,
	secure boolean NOT NULL DEFAULT false,
	emergency_calling_enabled boolean NOT NULL DEFAULT false,
	emergency_caller_sid text,
	byoc_trunk_sid text,
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sip_domains_by_account ON sip_domains (account_sid, seq);

CREATE TABLE ip_access_control_lists (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,
	account_sid text NOT NULL REFERENCES accounts (sid),
	friendly_name text NOT NULL,
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT ip_access_control_lists_friendly_name UNIQUE (account_sid, friendly_name)
);
CREATE INDEX ip_access_control_lists_by_account ON ip_access_control_lists (account_sid, seq);

CREATE TABLE ip_addresses (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,
	account_sid text NOT NULL REFERENCES accounts (sid),
	ip_access_control_list_sid text NOT NULL REFERENCES ip_access_control_lists (sid) ON DELETE CASCADE,
	friendly_name text NOT NULL,
	ip_address inet NOT NULL,		-- as given; host bits are masked when matching
	cidr_prefix_length integer NOT NULL,
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT ip_addresses_address UNIQUE (ip_access_control_list_sid, ip_address, cidr_prefix_length)
);
CREATE INDEX ip_addresses_by_list ON ip_addresses (ip_access_control_list_sid, seq);

CREATE TABLE credential_lists (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,
	account_sid text NOT NULL REFERENCES accounts (sid),
	friendly_name text NOT NULL,
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT credential_lists_friendly_name UNIQUE (account_sid, friendly_name)
);
CREATE INDEX credential_lists_by_account ON credential_lists (account_sid, seq);

CREATE TABLE credentials (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,
	account_sid text NOT NULL REFERENCES accounts (sid),
	credential_list_sid text NOT NULL REFERENCES credential_lists (sid) ON DELETE CASCADE,
	username text NOT NULL,
	realm text NOT NULL,			-- the realm that the hashes are for
	ha1_md5 text NOT NULL,
	ha1_sha256 text NOT NULL,
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT credentials_username UNIQUE (credential_list_sid, username)
);
CREATE INDEX credentials_by_list ON credentials (credential_list_sid, seq);

CREATE TABLE sip_domain_acl_mappings (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	domain_sid text NOT NULL REFERENCES sip_domains (sid) ON DELETE CASCADE,
	list_sid text NOT NULL REFERENCES ip_access_control_lists (sid),
	account_sid text NOT NULL REFERENCES accounts (sid),
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (domain_sid, list_sid)
);
CREATE INDEX sip_domain_acl_mappings_by_list ON sip_domain_acl_mappings (list_sid);

CREATE TABLE sip_domain_credential_mappings (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	domain_sid text NOT NULL REFERENCES sip_domains (sid) ON DELETE CASCADE,
	list_sid text NOT NULL REFERENCES credential_lists (sid),
	kind text NOT NULL CHECK (kind IN ('calls', 'registrations')),
	account_sid text NOT NULL REFERENCES accounts (sid),
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (domain_sid, kind, list_sid)
);
CREATE INDEX sip_domain_credential_mappings_by_list ON sip_domain_credential_mappings (list_sid);

CREATE TABLE calls (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,
	account_sid text NOT NULL REFERENCES accounts (sid),
	parent_call_sid text,
	domain_sid text,
	"to" text NOT NULL,
	"from" text NOT NULL,
	status text NOT NULL CHECK (status IN ('queued', 'ringing', 'in-progress', 'completed', 'busy', 'failed', 'no-answer', 'canceled')),
	direction text NOT NULL,
	start_time timestamptz,			-- answered
	end_time timestamptz,
	duration integer,			-- seconds
	answered_by text,
	forwarded_from text,
	caller_name text,
	sip_call_id text,
	sip_response_code integer,
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX calls_by_account ON calls (account_sid, seq DESC);

CREATE TABLE notifications (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,
	account_sid text NOT NULL REFERENCES accounts (sid),
	call_sid text,				-- NULL for a refused attempt
	log smallint NOT NULL,			-- 0 error, 1 warning
	error_code integer NOT NULL,
	message_text text NOT NULL,		-- form-encoded Msg, ErrorCode, LogLevel ...
	message_date timestamptz NOT NULL DEFAULT now(),
	request_method text,
	request_url text,
	request_variables text,
	response_headers text,
	response_body text,
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX notifications_by_account ON notifications (account_sid, seq DESC);
CREATE INDEX notifications_by_call ON notifications (call_sid, seq DESC) WHERE call_sid IS NOT NULL;
