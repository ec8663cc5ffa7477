-- More of the REST API: keys, applications, numbers, caller IDs, who changed what, keys of repeated creates.

-- What HOOKSWITCH_AUTH_TOKEN was when the token was taken from it: a token promoted since is not taken back at a restart.
ALTER TABLE accounts ADD COLUMN secondary_auth_token text;
ALTER TABLE accounts ADD COLUMN secondary_date_created timestamptz;
ALTER TABLE accounts ADD COLUMN configured_token_hash text;
CREATE INDEX accounts_by_owner ON accounts (owner_account_sid, seq);

CREATE TABLE keys (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,
	account_sid text NOT NULL REFERENCES accounts (sid),
	friendly_name text NOT NULL DEFAULT '',
	secret_hash text NOT NULL,		-- SHA-256 of a random secret of 32 characters, hex
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX keys_by_account ON keys (account_sid, seq);

CREATE TABLE applications (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,
	account_sid text NOT NULL REFERENCES accounts (sid),
	friendly_name text,
	voice_url text,
	voice_method text NOT NULL DEFAULT 'POST',
	voice_fallback_url text,
	voice_fallback_method text NOT NULL DEFAULT 'POST',
	status_callback text,
	status_callback_method text NOT NULL DEFAULT 'POST',
	voice_caller_id_lookup boolean NOT NULL DEFAULT false,
	sms_url text,
	sms_method text NOT NULL DEFAULT 'POST',
	sms_fallback_url text,
	sms_fallback_method text NOT NULL DEFAULT 'POST',
	sms_status_callback text,
	message_status_callback text,
	public_application_connect_enabled boolean NOT NULL DEFAULT false,
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX applications_by_account ON applications (account_sid, seq);

CREATE TABLE incoming_phone_numbers (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,
	account_sid text NOT NULL REFERENCES accounts (sid),
	phone_number text NOT NULL CONSTRAINT incoming_phone_numbers_phone_number UNIQUE CHECK (phone_number ~ '^\+[1-9][0-9]{1,14}$'),
	friendly_name text,
	voice_url text,
	voice_method text NOT NULL DEFAULT 'POST',
	voice_fallback_url text,
	voice_fallback_method text NOT NULL DEFAULT 'POST',
	status_callback text,
	status_callback_method text NOT NULL DEFAULT 'POST',
	voice_caller_id_lookup boolean NOT NULL DEFAULT false,
	voice_application_sid text REFERENCES applications (sid) ON DELETE SET NULL,
	voice_receive_mode text NOT NULL DEFAULT 'voice',
	sms_url text,
	sms_method text NOT NULL DEFAULT 'POST',
	sms_fallback_url text,
	sms_fallback_method text NOT NULL DEFAULT 'POST',
	sms_application_sid text REFERENCES applications (sid) ON DELETE SET NULL,
	trunk_sid text,
	emergency_status text NOT NULL DEFAULT 'Inactive',
	emergency_address_sid text,
	identity_sid text,
	address_sid text,
	bundle_sid text,
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX incoming_phone_numbers_by_account ON incoming_phone_numbers (account_sid, seq);
CREATE INDEX incoming_phone_numbers_by_voice_application ON incoming_phone_numbers (voice_application_sid);
CREATE INDEX incoming_phone_numbers_by_sms_application ON incoming_phone_numbers (sms_application_sid);

CREATE TABLE outgoing_caller_ids (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,
	account_sid text NOT NULL REFERENCES accounts (sid),
	phone_number text NOT NULL CHECK (phone_number ~ '^\+[1-9][0-9]{1,14}$'),
	friendly_name text NOT NULL,
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT outgoing_caller_ids_phone_number UNIQUE (account_sid, phone_number)
);
CREATE INDEX outgoing_caller_ids_by_account ON outgoing_caller_ids (account_sid, seq);

ALTER TABLE calls ADD COLUMN phone_number_sid text;
CREATE INDEX calls_by_parent ON calls (parent_call_sid, seq DESC) WHERE parent_call_sid IS NOT NULL;

-- Who changed what through REST. Never a secret: parameters that hold one are shown as ***.
CREATE TABLE audit_events (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,
	account_sid text NOT NULL,
	actor_sid text NOT NULL,		-- the account or API key that signed the request
	source_ip_address text NOT NULL,
	action text NOT NULL,			-- create, update, delete
	resource_path text NOT NULL,
	resource_sid text NOT NULL,
	request_id text NOT NULL,
	changes json NOT NULL,			-- the parameters as sent
	event_date timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_events_by_account ON audit_events (account_sid, seq DESC);

-- Idempotency-Key of creates: the same key and request within a day is the same resource.
CREATE TABLE idempotency_keys (
	account_sid text NOT NULL,
	key text NOT NULL,
	fingerprint text NOT NULL,
	sid text NOT NULL,
	date_created timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account_sid, key)
);
CREATE INDEX idempotency_keys_by_date ON idempotency_keys (date_created);

-- What the calls of an account came to; zero where there were none.
CREATE VIEW usage_records AS
SELECT a.sid AS account_sid, k.seq, k.category, k.description, count(c.sid) AS count,
	coalesce(sum(ceil(c.duration / 60.0)), 0)::bigint AS minutes, min(c.date_created) AS start_date, max(c.date_created) AS end_date
FROM accounts a
CROSS JOIN (VALUES (1::bigint, 'calls', 'Voice Minutes', ''), (2, 'calls-inbound', 'Inbound Voice Minutes', 'inbound'),
	(3, 'calls-outbound', 'Outbound Voice Minutes', 'outbound')) AS k (seq, category, description, direction)
LEFT JOIN calls c ON c.account_sid = a.sid AND starts_with(c.direction, k.direction)
GROUP BY a.sid, k.seq, k.category, k.description;
