CREATE OR REPLACE VIEW news.batch_files AS
SELECT
    file.id,
    file.batch_id AS batch,
    file.name AS file,
    CASE
        WHEN file.error IS NOT NULL THEN 'failed'
        WHEN file.ended_at IS NOT NULL THEN 'done'
        WHEN claim.file IS NOT NULL THEN 'reading'
        ELSE 'waiting'
    END AS state,
    coalesce(nullif(file.size, 0), place.size) AS size,
    CASE
        WHEN file.ended_at IS NOT NULL THEN file.size
        -- what is in a WACZ may be larger, unpacked, than the WACZ
        WHEN place.read > file.size AND file.size > 0 THEN file.size
        ELSE place.read
    END AS read,
    file.begun_at,
    file.ended_at,
    file.tries,
    coalesce(file.error, file.trouble) AS error
FROM ingest.batch_files AS file
JOIN ingest.file_batches AS batch ON batch.id = file.batch_id
-- a WACZ has none itself: those of the files in it, which are called by its name and an exclamation mark, are added up
LEFT JOIN LATERAL (
    SELECT
        max(one.size) FILTER (WHERE one.file = file.file) AS size,
        sum(least(one.position, one.size))::bigint AS read
    FROM ingest.backfills AS one
    WHERE file.ended_at IS NULL AND one.selection = batch.selection
      AND split_part(one.file, '!', 1) = split_part(file.file, '!', 1)
      AND (one.file = file.file OR starts_with(one.file, file.file || '!'))
) AS place ON true
LEFT JOIN ingest.file_claims AS claim
    ON file.ended_at IS NULL AND claim.file = file.file AND claim.selection = batch.selection
    AND claim.until > clock_timestamp();

COMMENT ON VIEW news.batch_files IS 'A row per file that was put into the queue for workers, by a backfill or a replay of the archive';
COMMENT ON COLUMN news.batch_files.id IS 'Number of the file';
COMMENT ON COLUMN news.batch_files.batch IS 'Number of its batch, see news.batches';
COMMENT ON COLUMN news.batch_files.file IS 'Path, address, or name in the archive';
COMMENT ON COLUMN news.batch_files.state IS 'waiting, reading, done or failed';
COMMENT ON COLUMN news.batch_files.size IS 'Its bytes; null: not known yet, it lies at an address';
COMMENT ON COLUMN news.batch_files.read IS 'Bytes of it that were read; null: nobody has begun';
COMMENT ON COLUMN news.batch_files.begun_at IS 'When a worker first read it';
COMMENT ON COLUMN news.batch_files.ended_at IS 'When it had ended; null: it has not';
COMMENT ON COLUMN news.batch_files.tries IS 'How often in a row its reading failed, or its worker died, without coming further';
COMMENT ON COLUMN news.batch_files.error IS 'Why it could not be read, or is to be tried again';

CREATE OR REPLACE VIEW news.batches AS
SELECT
    batch.id,
    batch.kind,
    batch.begun_at,
    batch.ended_at,
    files.files,
    files.ended AS files_ended,
    files.failed AS files_failed,
    files.reading AS files_reading,
    files.size,
    files.read,
    counts.new + counts.new_version + counts.unchanged + counts.copy + counts.rejected + counts.pending AS found,
    counts.new,
    counts.new_version,
    counts.unchanged,
    counts.copy,
    counts.rejected,
    counts.pending
FROM ingest.file_batches AS batch
CROSS JOIN LATERAL (
    SELECT
        count(*) AS files,
        count(file.ended_at) AS ended,
        count(*) FILTER (WHERE file.state = 'failed') AS failed,
        count(*) FILTER (WHERE file.state = 'reading') AS reading,
        coalesce(sum(file.size), 0)::bigint AS size,
        coalesce(sum(file.read), 0)::bigint AS read
    FROM news.batch_files AS file WHERE file.batch = batch.id
) AS files
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(run.new), 0)::bigint AS new,
        coalesce(sum(run.new_version), 0)::bigint AS new_version,
        coalesce(sum(run.unchanged), 0)::bigint AS unchanged,
        coalesce(sum(run.copy), 0)::bigint AS copy,
        coalesce(sum(run.rejected), 0)::bigint AS rejected,
        coalesce(sum(run.pending) FILTER (WHERE run.is_last), 0)::bigint AS pending
    FROM (
        SELECT run.*, row_number() OVER (PARTITION BY link.file_id ORDER BY link.run_id DESC) = 1 AS is_last
        FROM ingest.batch_files AS file
        JOIN ingest.batch_runs AS link ON link.file_id = file.id
        JOIN ingest.runs AS run ON run.id = link.run_id
        WHERE file.batch_id = batch.id
    ) AS run
) AS counts;

COMMENT ON VIEW news.batches IS 'A row per backfill or replay of the archive whose files were put into the queue; counts are those of the runs that have ended';
COMMENT ON COLUMN news.batches.id IS 'Number of the batch';
COMMENT ON COLUMN news.batches.kind IS 'backfill or replay';
COMMENT ON COLUMN news.batches.begun_at IS 'When it was put in';
COMMENT ON COLUMN news.batches.ended_at IS 'When its last file had ended; null: there are some to read';
COMMENT ON COLUMN news.batches.files IS 'Its files';
COMMENT ON COLUMN news.batches.files_ended IS 'Of these: that have ended, well or not';
COMMENT ON COLUMN news.batches.files_failed IS 'Of these: that could not be read';
COMMENT ON COLUMN news.batches.files_reading IS 'Of these: that a worker reads now';
COMMENT ON COLUMN news.batches.size IS 'Bytes of its files, as far as they are known';
COMMENT ON COLUMN news.batches.read IS 'Bytes of these that were read';
COMMENT ON COLUMN news.batches.found IS 'Pages that its runs had in hand: the sum of the six that follow';
COMMENT ON COLUMN news.batches.new IS 'Pages that became a new article';
COMMENT ON COLUMN news.batches.new_version IS 'Pages whose article had changed';
COMMENT ON COLUMN news.batches.unchanged IS 'Pages whose article is stored as it is';
COMMENT ON COLUMN news.batches.copy IS 'Pages that became a new article whose text another had first';
COMMENT ON COLUMN news.batches.rejected IS 'Pages that are no article; see news.rejections';
COMMENT ON COLUMN news.batches.pending IS 'Pages without an end in the last run of their file';
