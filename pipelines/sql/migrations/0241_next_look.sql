-- Why the next look at a source is when it is.

ALTER TABLE ingest.sources ADD COLUMN next_run_why text;
COMMENT ON COLUMN ingest.sources.next_run_why IS 'Why the next look is then, where the source file says every = "auto"';
ALTER TABLE ingest.rhythms DROP COLUMN next_why;
COMMENT ON COLUMN ingest.rhythms.root_sum IS 'Sum over the hours of their rate to the power of 0.75: its share of the requests that all sources with every = "auto" have together';
