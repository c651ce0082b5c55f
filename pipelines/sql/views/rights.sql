CREATE OR REPLACE VIEW news.rights AS
SELECT
    rights.article_id,
    article.url,
    article.source,
    rights.stated_at,
    lead(rights.stated_at) OVER (PARTITION BY rights.article_id ORDER BY rights.stated_at) AS until,
    rights.tdm_reserved,
    rights.tdm_policy,
    rights.robots_directives,
    rights.ai_crawlers_disallowed,
    rights.license,
    rights.stated_in
FROM ingest.rights AS rights
JOIN ingest.articles AS article ON article.id = rights.article_id;

COMMENT ON VIEW news.rights IS 'A row for each time that a site said something else about the rights in an article';
COMMENT ON COLUMN news.rights.article_id IS 'Article; see news.articles';
COMMENT ON COLUMN news.rights.url IS 'Its address';
COMMENT ON COLUMN news.rights.source IS 'Its source';
COMMENT ON COLUMN news.rights.stated_at IS 'Fetch that said it first';
COMMENT ON COLUMN news.rights.until IS 'Fetch that said something else; null: it is what was said last';
COMMENT ON COLUMN news.rights.tdm_reserved IS 'TDM Reservation Protocol: mining is reserved (true) or not (false); null: not stated';
COMMENT ON COLUMN news.rights.tdm_policy IS 'Address of the policy that goes with it';
COMMENT ON COLUMN news.rights.robots_directives IS 'Restrictions of X-Robots-Tag and meta robots: noai, noarchive, "AGENT: noindex" ...';
COMMENT ON COLUMN news.rights.ai_crawlers_disallowed IS 'AI crawlers that robots.txt names and keeps from the page';
COMMENT ON COLUMN news.rights.license IS 'Address or name of the licence that the page states';
COMMENT ON COLUMN news.rights.stated_in IS 'Where: robots.txt, x-robots-tag, meta robots, tdm header, tdm meta, tdmrep.json, json-ld, rel=license';
