CREATE OR REPLACE VIEW news.pending AS
SELECT
    page.source,
    page.url,
    page.found_on,
    page.found_at,
    page.attempts,
    page.next_attempt_at,
    page.reason,
    page.detail,
    page.http_status
FROM ingest.pages AS page
WHERE page.state = 'pending';

COMMENT ON VIEW news.pending IS 'A row per page that was found and has no end yet';
COMMENT ON COLUMN news.pending.source IS 'Source that found it';
COMMENT ON COLUMN news.pending.url IS 'Address';
COMMENT ON COLUMN news.pending.found_on IS 'Feed, sitemap or section page that named it';
COMMENT ON COLUMN news.pending.found_at IS 'When it was found';
COMMENT ON COLUMN news.pending.attempts IS 'Failed attempts so far';
COMMENT ON COLUMN news.pending.next_attempt_at IS 'It is due from then on';
COMMENT ON COLUMN news.pending.reason IS 'Why the last attempt failed; null before the first';
COMMENT ON COLUMN news.pending.detail IS 'The same for people';
COMMENT ON COLUMN news.pending.http_status IS 'HTTP status of the last attempt';
