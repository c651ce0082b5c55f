-- Files in a WACZ have positions of their own; how far the WACZ was read is their sum.

CREATE INDEX backfills_outer ON ingest.backfills (split_part(file, '!', 1), selection);
COMMENT ON INDEX ingest.backfills_outer IS 'Finds how far a file was read, and the files in it where it is a WACZ';
