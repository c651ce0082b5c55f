-- Indexes for the filters that docs/sql.md shows. Addresses may be longer than a btree allows, so theirs are hashes.

CREATE INDEX versions_published_on ON ingest.versions (published_on);
COMMENT ON INDEX ingest.versions_published_on IS 'Serves news.articles by published_on';
CREATE INDEX versions_section ON ingest.versions (section, published_at DESC NULLS LAST);
COMMENT ON INDEX ingest.versions_section IS 'Serves news.articles by section, the latest first';
-- without a pending list: an article has some ten names, and no writer shall pay for those of thousands before it
CREATE INDEX versions_names ON ingest.versions USING gin (authors, sections, keywords) WITH (fastupdate = off);
COMMENT ON INDEX ingest.versions_names IS 'Serves news.articles by author, by any of its sections, by keyword (@>)';
CREATE INDEX versions_amp ON ingest.versions USING hash (amp_url) WHERE amp_url IS NOT NULL;
COMMENT ON INDEX ingest.versions_amp IS 'Serves news.find: the article of an AMP address';
CREATE INDEX articles_canonical ON ingest.articles USING hash (canonical_url);
COMMENT ON INDEX ingest.articles_canonical IS 'Serves news.articles by canonical_url, and news.find';
CREATE INDEX articles_address ON ingest.articles USING hash (url);
COMMENT ON INDEX ingest.articles_address IS 'Serves news.articles by url, and news.find';
CREATE INDEX pages_address ON ingest.pages USING hash (url) WHERE article_id IS NOT NULL;
COMMENT ON INDEX ingest.pages_address IS 'Serves news.find: the article to which an address has led';
