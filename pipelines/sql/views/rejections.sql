CREATE OR REPLACE VIEW news.rejections AS
SELECT
    page.source,
    page.url,
    page.reason,
    page.detail,
    page.http_status,
    page.attempts,
    page.found_on,
    page.found_at,
    page.ended_at AS rejected_at
FROM ingest.pages AS page
WHERE page.ending = 'rejected';

COMMENT ON VIEW news.rejections IS 'A row per page that was found and is no article, with the reason';
COMMENT ON COLUMN news.rejections.source IS 'Source that found it';
COMMENT ON COLUMN news.rejections.url IS 'Address';
COMMENT ON COLUMN news.rejections.reason IS 'Reason, from a fixed list: soft_404, consent_wall, http_error ...';
COMMENT ON COLUMN news.rejections.detail IS 'The same for people';
COMMENT ON COLUMN news.rejections.http_status IS 'HTTP status of the last attempt; null where there was no answer';
COMMENT ON COLUMN news.rejections.attempts IS 'Attempts that were made';
COMMENT ON COLUMN news.rejections.found_on IS 'Feed, sitemap or section page that named it';
COMMENT ON COLUMN news.rejections.found_at IS 'When it was found';
COMMENT ON COLUMN news.rejections.rejected_at IS 'When it was rejected';
