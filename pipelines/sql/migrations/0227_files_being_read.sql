-- Several processes read the files of one backfill, or the archive again; and a reading of the archive that was killed
-- is gone on with.

CREATE TABLE ingest.file_claims (
    file      text NOT NULL,
    selection text NOT NULL,
    worker_id text NOT NULL,
    until     timestamptz NOT NULL,
    PRIMARY KEY (file, selection)
);
COMMENT ON TABLE ingest.file_claims IS 'Which process reads a file of a backfill, or of the archive, now: no second one reads it at the same time';
COMMENT ON COLUMN ingest.file_claims.file IS 'As in backfills';
COMMENT ON COLUMN ingest.file_claims.selection IS 'As in backfills';
COMMENT ON COLUMN ingest.file_claims.worker_id IS 'The process';
COMMENT ON COLUMN ingest.file_claims.until IS 'When anybody else may take the file, unless the process prolongs it';

CREATE TABLE ingest.rereadings (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    selection text NOT NULL,
    begun_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at  timestamptz
);
CREATE UNIQUE INDEX rereadings_open ON ingest.rereadings (selection) WHERE ended_at IS NULL;
COMMENT ON TABLE ingest.rereadings IS 'Readings of the whole archive; how far each has come is in backfills';
COMMENT ON COLUMN ingest.rereadings.id IS 'Number of the reading';
COMMENT ON COLUMN ingest.rereadings.selection IS 'Hash of what is read, and by which rules: only the same reading is gone on with';
COMMENT ON COLUMN ingest.rereadings.begun_at IS 'When its first process began';
COMMENT ON COLUMN ingest.rereadings.ended_at IS 'When it had come to its end; null: a process is at it, or was killed';
COMMENT ON INDEX ingest.rereadings_open IS 'Finds the reading that is to be gone on with, and keeps a second one from being begun';
