CREATE OR REPLACE VIEW news.matches AS
SELECT
    match.id,
    match.watch,
    match.article_id,
    match.version,
    match.matched_at,
    article.source,
    article.canonical_url,
    version.title,
    version.published_at,
    match.attempts,
    match.delivered_at,
    match.error
FROM ingest.matches AS match
JOIN ingest.articles AS article ON article.id = match.article_id
JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version;

COMMENT ON VIEW news.matches IS 'A row per watchlist and wording of an article that matches it, written in the transaction that stored the wording';
COMMENT ON COLUMN news.matches.id IS 'Number';
COMMENT ON COLUMN news.matches.watch IS 'Watchlist: name of its file without .toml';
COMMENT ON COLUMN news.matches.article_id IS 'id in news.articles';
COMMENT ON COLUMN news.matches.version IS 'Wording that matches; see news.versions';
COMMENT ON COLUMN news.matches.matched_at IS 'When it was stored';
COMMENT ON COLUMN news.matches.source IS 'Source of the article';
COMMENT ON COLUMN news.matches.canonical_url IS 'Address of the article';
COMMENT ON COLUMN news.matches.title IS 'Headline as it reads now';
COMMENT ON COLUMN news.matches.published_at IS 'When its site says it was published';
COMMENT ON COLUMN news.matches.attempts IS 'Attempts to send it to the watchlist''s address';
COMMENT ON COLUMN news.matches.delivered_at IS 'When the address took it; null: not yet, or the watchlist has none';
COMMENT ON COLUMN news.matches.error IS 'Why the last attempt to send it failed';
