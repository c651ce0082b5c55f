CREATE OR REPLACE VIEW news.documents AS
SELECT
    document.source,
    document.url,
    document.kind,
    document.status AS http_status,
    document.error,
    document.links,
    document.checked_at,
    document.changed_at,
    document.not_modified_in_a_row,
    document.entries,
    document.left_out,
    document.note,
    document.distrusted_at,
    document.distrusted_because
FROM ingest.documents AS document;

COMMENT ON VIEW news.documents IS 'A row per feed, sitemap and section page on which a source''s articles are found';
COMMENT ON COLUMN news.documents.source IS 'Source that reads it';
COMMENT ON COLUMN news.documents.url IS 'Address';
COMMENT ON COLUMN news.documents.kind IS 'feed, sitemap or section';
COMMENT ON COLUMN news.documents.http_status IS 'HTTP status of the last answer; null where there was none';
COMMENT ON COLUMN news.documents.error IS 'What went wrong with the last look; null: nothing';
COMMENT ON COLUMN news.documents.links IS 'Links in the last full answer';
COMMENT ON COLUMN news.documents.checked_at IS 'Last look, whatever came of it';
COMMENT ON COLUMN news.documents.changed_at IS 'Last full answer; null: there was none yet';
COMMENT ON COLUMN news.documents.not_modified_in_a_row IS 'Answers since then that said: not modified';
COMMENT ON COLUMN news.documents.entries IS 'Entries that the last full answer lists; null: not known';
COMMENT ON COLUMN news.documents.left_out IS 'How many of these, or of the sitemaps they lead to, were over a limit and were not taken';
COMMENT ON COLUMN news.documents.note IS 'What was wrong with parts of the last full answer, and what was left out of it; null: nothing';
COMMENT ON COLUMN news.documents.distrusted_at IS 'When its server was caught with a 304 that was not true: it is asked unconditionally since; null: never';
COMMENT ON COLUMN news.documents.distrusted_because IS 'How it was caught';
