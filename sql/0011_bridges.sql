-- Calls that are connected: what hookswitchd needs to take them up again after a restart, while RTPengine relays on.
CREATE TABLE bridges (
	sid text PRIMARY KEY,		-- of the first call
	other_sid text NOT NULL,
	account_sid text NOT NULL REFERENCES accounts (sid),
	node text NOT NULL,
	state json NOT NULL,
	date_created timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX bridges_by_node ON bridges (node);
CREATE INDEX bridges_by_other ON bridges (other_sid);
