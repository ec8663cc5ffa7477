-- What was counted of each secure leg of a call: Calls/{Sid}/Media.

CREATE TABLE call_media (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,			-- shown nowhere: a row that is written twice is one row
	account_sid text NOT NULL,
	call_sid text NOT NULL REFERENCES calls (sid) ON DELETE CASCADE,
	protocol text NOT NULL,
	crypto_suite text NOT NULL,
	packets_received bigint NOT NULL,	-- decrypted and authenticated
	packets_rejected bigint NOT NULL,	-- anything else that came, plain packets among them
	packets_sent bigint NOT NULL,
	date_created timestamptz NOT NULL
);
CREATE INDEX call_media_by_call ON call_media (call_sid, seq);
