-- What an alarm says, as sentences with values, so that it can be said in the language of who reads it.

ALTER TABLE ingest.alarms ADD COLUMN wording jsonb;
COMMENT ON COLUMN ingest.alarms.wording IS 'The sentences of says and advice with their values apart, to be said in another language; null: from before that was kept';
