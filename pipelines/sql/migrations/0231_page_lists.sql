-- Lists of the pages that looked through everything: a language or an access that few articles have, the latest runs and
-- rejections of all sources, how many articles a watchlist has found.
CREATE INDEX versions_language ON ingest.versions (language);
COMMENT ON INDEX ingest.versions_language IS 'Serves lists of one language''s articles, where there are few';
CREATE INDEX versions_free ON ingest.versions (article_id) WHERE is_accessible_for_free;
COMMENT ON INDEX ingest.versions_free IS 'Serves the list of what is stated to be free, where that is little';
CREATE INDEX pages_rejected_latest ON ingest.pages (ended_at DESC) WHERE ending = 'rejected';
COMMENT ON INDEX ingest.pages_rejected_latest IS 'Serves the latest rejections of all sources';
CREATE INDEX pages_rejected_reason ON ingest.pages (reason, ended_at DESC) WHERE ending = 'rejected';
COMMENT ON INDEX ingest.pages_rejected_reason IS 'Serves rejections by reason, and how many there are of each';
CREATE INDEX runs_latest ON ingest.runs (started_at DESC, id DESC);
COMMENT ON INDEX ingest.runs_latest IS 'Serves the latest runs of all sources';
CREATE INDEX matches_failed ON ingest.matches (watch) WHERE error IS NOT NULL;
COMMENT ON INDEX ingest.matches_failed IS 'Serves how many matches of a watchlist could not be sent';
