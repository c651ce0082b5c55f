-- Lists filtered by what few articles have: without these, the latest forty of them are looked for in all articles.
CREATE INDEX versions_agency ON ingest.versions (agency) WHERE agency IS NOT NULL;
COMMENT ON INDEX ingest.versions_agency IS 'Serves lists of one agency''s articles, where there are few';
CREATE INDEX versions_kind ON ingest.versions (kind) WHERE kind <> 'article';
COMMENT ON INDEX ingest.versions_kind IS 'Serves lists of live blogs, videos, press releases';
CREATE INDEX versions_paid ON ingest.versions (article_id) WHERE NOT is_accessible_for_free;
COMMENT ON INDEX ingest.versions_paid IS 'Serves the list of what is behind a paywall, where that is little';
