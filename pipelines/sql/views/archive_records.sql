CREATE OR REPLACE VIEW news.archive_records AS
SELECT
    record.id,
    record.file,
    record.record_offset,
    record.length,
    record.source,
    record.url,
    record.fetched_at,
    run.id AS run
FROM ingest.archive_records AS record
LEFT JOIN ingest.runs AS run ON run.id = record.run_id;

COMMENT ON VIEW news.archive_records IS 'A row per fetched page in the WARC archive';
COMMENT ON COLUMN news.archive_records.id IS 'Number of the record';
COMMENT ON COLUMN news.archive_records.file IS 'Name of the WARC file';
COMMENT ON COLUMN news.archive_records.record_offset IS 'Byte at which the record begins';
COMMENT ON COLUMN news.archive_records.length IS 'Bytes that it takes, compressed';
COMMENT ON COLUMN news.archive_records.source IS 'Source';
COMMENT ON COLUMN news.archive_records.url IS 'Address of the page';
COMMENT ON COLUMN news.archive_records.fetched_at IS 'When it was fetched';
COMMENT ON COLUMN news.archive_records.run IS 'id in news.runs of the run that fetched it; null where that is gone';
