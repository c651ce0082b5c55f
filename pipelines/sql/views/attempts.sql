CREATE OR REPLACE VIEW news.attempts AS
SELECT
    attempt.id,
    attempt.at,
    attempt.run_id AS run,
    attempt.source,
    attempt.kind,
    attempt.page_id,
    attempt.url,
    attempt.status AS http_status,
    attempt.ms,
    attempt.bytes,
    attempt.outcome,
    attempt.detail
FROM ingest.attempts AS attempt;

COMMENT ON VIEW news.attempts IS 'A row per request for a page, feed, sitemap or section page, for as long as they are kept';
COMMENT ON COLUMN news.attempts.id IS 'Number';
COMMENT ON COLUMN news.attempts.at IS 'When it was recorded';
COMMENT ON COLUMN news.attempts.run IS 'id in news.runs';
COMMENT ON COLUMN news.attempts.source IS 'Source';
COMMENT ON COLUMN news.attempts.kind IS 'page, feed, sitemap or section';
COMMENT ON COLUMN news.attempts.page_id IS 'id in news.pages; null for what is no page';
COMMENT ON COLUMN news.attempts.url IS 'Address of the feed, sitemap or section page; null for a page';
COMMENT ON COLUMN news.attempts.http_status IS 'HTTP status; null: no answer';
COMMENT ON COLUMN news.attempts.ms IS 'Milliseconds that it took; null: not measured';
COMMENT ON COLUMN news.attempts.bytes IS 'Bytes after decompression';
COMMENT ON COLUMN news.attempts.outcome IS 'Outcome or reason of a page; ok, not_modified or error of the others';
COMMENT ON COLUMN news.attempts.detail IS 'The same for people';
