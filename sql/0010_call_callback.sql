-- What the completed callback of a call says, should the process die before the call ends: the start that closes it sends it then.
ALTER TABLE calls ADD COLUMN callback_url text;
ALTER TABLE calls ADD COLUMN callback_method text;
ALTER TABLE calls ADD COLUMN callback_parameters text;	-- form-encoded, without what only the end knows
ALTER TABLE calls ADD COLUMN callback_sequence integer;	-- SequenceNumber of the next callback
