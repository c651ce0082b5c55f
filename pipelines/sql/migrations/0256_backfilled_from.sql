-- Of each wording, whether it was fetched here or came out of somebody else's archive.

ALTER TABLE ingest.versions ADD COLUMN backfilled_from text;
COMMENT ON COLUMN ingest.versions.backfilled_from IS 'Archive of others from which a backfill read this wording, path or address; null: this installation fetched it';
