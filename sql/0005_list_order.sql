-- Lists that all accounts share are read by (account_sid, seq) alone. The index that UNIQUE gave seq looked cheaper to the planner, which then
-- walked past every newer row of other accounts: 300,051 rows for a first page. The identity column keeps seq distinct.

ALTER TABLE calls DROP CONSTRAINT calls_seq_key;
ALTER TABLE notifications DROP CONSTRAINT notifications_seq_key;
ALTER TABLE audit_events DROP CONSTRAINT audit_events_seq_key;
