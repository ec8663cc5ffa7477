-- Which node runs a call: one that starts knows which rows a crash of its own left open.

ALTER TABLE calls ADD COLUMN node text;
CREATE INDEX calls_open_by_node ON calls (node) WHERE end_time IS NULL;
