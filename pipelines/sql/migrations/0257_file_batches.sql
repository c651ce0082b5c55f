-- Files that `nachlese backfill --queue` and `nachlese replay --archive --queue` put into the queue for workers.

CREATE TABLE ingest.file_batches (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind      text NOT NULL CHECK (kind IN ('backfill', 'replay')),
    identity  text NOT NULL,
    selection text NOT NULL,
    what      jsonb NOT NULL,
    put_by    text NOT NULL,
    begun_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at  timestamptz
);
CREATE UNIQUE INDEX file_batches_open ON ingest.file_batches (identity) WHERE ended_at IS NULL;
COMMENT ON TABLE ingest.file_batches IS 'Files that were put into the queue together: one backfill, or one reading of the archive';
COMMENT ON COLUMN ingest.file_batches.id IS 'Number of the batch';
COMMENT ON COLUMN ingest.file_batches.kind IS 'Kind of its runs: backfill or replay';
COMMENT ON COLUMN ingest.file_batches.identity IS 'Hash of what is read: who asks for the same again gets the batch that has not ended';
COMMENT ON COLUMN ingest.file_batches.selection IS 'As in backfills and file_claims';
COMMENT ON COLUMN ingest.file_batches.what IS 'What a worker must know to read its files';
COMMENT ON COLUMN ingest.file_batches.put_by IS 'The process that put it in';
COMMENT ON COLUMN ingest.file_batches.begun_at IS 'When it was put in';
COMMENT ON COLUMN ingest.file_batches.ended_at IS 'When its last file had ended; null: there are some to read';
COMMENT ON INDEX ingest.file_batches_open IS 'Finds the batch that is to be gone on with, and keeps a second one from being begun';

CREATE TABLE ingest.batch_files (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id    bigint NOT NULL REFERENCES ingest.file_batches ON DELETE CASCADE,
    name        text NOT NULL,
    file        text NOT NULL,
    size        bigint NOT NULL,
    begun_at    timestamptz,
    ended_at    timestamptz,
    error       text,
    skipped     bigint NOT NULL DEFAULT 0,
    damaged     bigint NOT NULL DEFAULT 0,
    done_before bigint NOT NULL DEFAULT 0,
    tries       integer NOT NULL DEFAULT 0,
    trouble     text,
    trouble_at  bigint NOT NULL DEFAULT -1,
    dead_job    bigint,
    UNIQUE (batch_id, file)
);
CREATE INDEX batch_files_open ON ingest.batch_files (batch_id) WHERE ended_at IS NULL;
COMMENT ON TABLE ingest.batch_files IS 'A row per file of a batch. As long as it has not ended, there is a job for it in the queue, or there will be';
COMMENT ON COLUMN ingest.batch_files.id IS 'Number of the file, by which its job calls it';
COMMENT ON COLUMN ingest.batch_files.batch_id IS 'Its batch';
COMMENT ON COLUMN ingest.batch_files.name IS 'Path, address, or name in the archive';
COMMENT ON COLUMN ingest.batch_files.file IS 'As in backfills and file_claims';
COMMENT ON COLUMN ingest.batch_files.size IS 'Its bytes; 0: not known, it lies at an address';
COMMENT ON COLUMN ingest.batch_files.begun_at IS 'When a worker first read it';
COMMENT ON COLUMN ingest.batch_files.ended_at IS 'When it had ended, well or not; null: it waits or is being read';
COMMENT ON COLUMN ingest.batch_files.error IS 'Why it could not be read; null: it was, or has not ended';
COMMENT ON COLUMN ingest.batch_files.skipped IS 'Records that were not read: of no wanted source, or no page';
COMMENT ON COLUMN ingest.batch_files.damaged IS 'Places that could not be read';
COMMENT ON COLUMN ingest.batch_files.done_before IS 'Files (in a WACZ there are several) that had been read to their end before';
COMMENT ON COLUMN ingest.batch_files.tries IS 'How often in a row its reading failed, or its worker died, and it had not come further than before';
COMMENT ON COLUMN ingest.batch_files.trouble IS 'Why it is to be tried again; a later try may do without';
COMMENT ON COLUMN ingest.batch_files.trouble_at IS 'How far it was read by then, in bytes';
COMMENT ON COLUMN ingest.batch_files.dead_job IS 'The last job whose worker died, so that it is counted once';
COMMENT ON INDEX ingest.batch_files_open IS 'Finds the files that have no end, which need a job';

CREATE TABLE ingest.batch_runs (
    run_id  bigint PRIMARY KEY,
    file_id bigint NOT NULL REFERENCES ingest.batch_files ON DELETE CASCADE
);
CREATE INDEX batch_runs_of_file ON ingest.batch_runs (file_id);
COMMENT ON TABLE ingest.batch_runs IS 'Which runs have read a file of a batch: more than one where a worker died or was stopped';
COMMENT ON COLUMN ingest.batch_runs.run_id IS 'The run';
COMMENT ON COLUMN ingest.batch_runs.file_id IS 'The file';
COMMENT ON INDEX ingest.batch_runs_of_file IS 'Finds the runs of a file, whose counts are those of the batch';
