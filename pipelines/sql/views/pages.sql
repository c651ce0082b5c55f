CREATE OR REPLACE VIEW news.pages AS
SELECT
    page.id,
    page.source,
    page.url,
    page.url_key,
    page.found_on,
    page.found_at,
    page.state,
    page.ending AS outcome,
    page.reason,
    page.detail,
    page.http_status,
    page.attempts,
    CASE WHEN page.state = 'pending' THEN page.next_attempt_at END AS next_attempt_at,
    page.ended_at,
    page.last_fetched_at,
    page.next_check_at,
    page.article_id
FROM ingest.pages AS page;

COMMENT ON VIEW news.pages IS 'A row per source and address that was ever found, with what has become of it';
COMMENT ON COLUMN news.pages.id IS 'Number of the page';
COMMENT ON COLUMN news.pages.source IS 'Source that found it';
COMMENT ON COLUMN news.pages.url IS 'Address as it was found';
COMMENT ON COLUMN news.pages.url_key IS '16 bytes that identify the address in any of its spellings; news.pages is found by them';
COMMENT ON COLUMN news.pages.found_on IS 'Feed, sitemap or section page that named it';
COMMENT ON COLUMN news.pages.found_at IS 'When it was found';
COMMENT ON COLUMN news.pages.state IS 'pending or ended';
COMMENT ON COLUMN news.pages.outcome IS 'new, new_version, unchanged, copy or rejected; null: it has none yet';
COMMENT ON COLUMN news.pages.reason IS 'Why it was rejected, or why its last attempt failed';
COMMENT ON COLUMN news.pages.detail IS 'The same for people';
COMMENT ON COLUMN news.pages.http_status IS 'HTTP status of the last attempt';
COMMENT ON COLUMN news.pages.attempts IS 'Failed attempts since it was found or last read';
COMMENT ON COLUMN news.pages.next_attempt_at IS 'A pending page is due from then on';
COMMENT ON COLUMN news.pages.ended_at IS 'When it got its outcome';
COMMENT ON COLUMN news.pages.last_fetched_at IS 'Last fetch that brought or confirmed the article';
COMMENT ON COLUMN news.pages.next_check_at IS 'When the article is due to be looked at again; null: no more';
COMMENT ON COLUMN news.pages.article_id IS 'id in news.articles of what was read from it';

CREATE OR REPLACE FUNCTION news.article_at(url_key bytea) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT article.id FROM ingest.articles AS article WHERE article.url_key = article_at.url_key
$$;
COMMENT ON FUNCTION news.article_at IS 'id in news.articles of the one that is known under the address with this key, as in news.pages; null: none';
