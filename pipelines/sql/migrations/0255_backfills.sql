-- Reading WARC files of years back: a kind of run, and how far each file was read.

ALTER TABLE ingest.runs DROP CONSTRAINT runs_kind_check;
ALTER TABLE ingest.runs ADD CONSTRAINT runs_kind_check CHECK (kind IN ('crawl', 'replay', 'recheck', 'backfill'));
DO $$
DECLARE
    old text;
BEGIN
    FOR old IN
        SELECT conname FROM pg_constraint
        WHERE conrelid = 'ingest.runs'::regclass AND contype = 'c'
          AND pg_get_constraintdef(oid) LIKE '%source IS NOT NULL%'
    LOOP
        EXECUTE format('ALTER TABLE ingest.runs DROP CONSTRAINT %I', old);
    END LOOP;
END $$;
ALTER TABLE ingest.runs
    ADD CONSTRAINT runs_source_check CHECK (source IS NOT NULL OR kind IN ('replay', 'backfill'));
COMMENT ON COLUMN ingest.runs.kind IS 'crawl, replay, recheck or backfill';
COMMENT ON COLUMN ingest.runs.source IS 'The source; null for a replay or backfill over several';

CREATE TABLE ingest.backfills (
    file      text NOT NULL,
    selection text NOT NULL,
    size      bigint NOT NULL,
    position  bigint NOT NULL,
    skipped   bigint NOT NULL,
    damaged   bigint NOT NULL,
    is_done   boolean NOT NULL,
    saved_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (file, selection)
);
COMMENT ON TABLE ingest.backfills IS 'How far each file of a backfill was read, so that a run that was killed can be gone on with';
COMMENT ON COLUMN ingest.backfills.file IS 'Path or address; of a WACZ also the file in it, behind an exclamation mark';
COMMENT ON COLUMN ingest.backfills.selection IS 'Hash of the sources and hosts whose pages were wanted: with others the file is read anew';
COMMENT ON COLUMN ingest.backfills.size IS 'Its bytes; a file of another size is another file';
COMMENT ON COLUMN ingest.backfills.position IS 'Every page before this byte is stored; where the file was compressed as a whole, byte of what is in it';
COMMENT ON COLUMN ingest.backfills.skipped IS 'Records before it that were not read: of no wanted source, or no page';
COMMENT ON COLUMN ingest.backfills.damaged IS 'Places before it that could not be read';
COMMENT ON COLUMN ingest.backfills.is_done IS 'It was read to its end';
COMMENT ON COLUMN ingest.backfills.saved_at IS 'When this was written';
