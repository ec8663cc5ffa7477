-- Where calls to numbers go: the gateway of the account whose prefix is the longest that the number begins with.
CREATE TABLE sip_gateways (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,
	account_sid text NOT NULL REFERENCES accounts (sid),
	friendly_name text,
	prefix text NOT NULL DEFAULT '+' CHECK (prefix ~ '^\+[0-9]{0,15}$'),
	host text NOT NULL,
	strip integer NOT NULL DEFAULT 0 CHECK (strip BETWEEN 0 AND 15),
	prepend text NOT NULL DEFAULT '',
	username text,
	password text,
	date_created timestamptz NOT NULL DEFAULT now(),
	date_updated timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT sip_gateways_prefix UNIQUE (account_sid, prefix)
);
CREATE INDEX sip_gateways_by_account ON sip_gateways (account_sid, seq);
