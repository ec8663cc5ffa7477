-- Requests to customers that are due and not delivered: written before they are sent, deleted when they were answered or given up.
CREATE TABLE callbacks (
	seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	sid text NOT NULL UNIQUE,
	account_sid text NOT NULL REFERENCES accounts (sid),
	call_sid text NOT NULL,
	node text NOT NULL,
	url text NOT NULL,
	method text NOT NULL,
	parameters text NOT NULL,
	date_created timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX callbacks_by_node ON callbacks (node, seq);
