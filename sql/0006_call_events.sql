-- The requests that a call made to web applications, each with its answer: Calls/{Sid}/Events.

CREATE TABLE call_events (
	seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	sid text PRIMARY KEY,			-- shown nowhere: a row that is written twice is one row
	account_sid text NOT NULL,
	call_sid text NOT NULL REFERENCES calls (sid) ON DELETE CASCADE,
	request_method text NOT NULL,
	request_url text NOT NULL,
	request_parameters json NOT NULL,
	response_code integer,			-- NULL: none came
	request_duration integer NOT NULL,	-- ms
	content_type text,
	response_body text,
	date_created timestamptz NOT NULL
);
CREATE INDEX call_events_by_call ON call_events (call_sid, seq);
