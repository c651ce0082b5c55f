CREATE OR REPLACE VIEW news.copies AS
SELECT
    original.id AS original_id,
    original.source AS original_source,
    original.canonical_url AS original_url,
    original_version.title AS original_title,
    original_version.published_at AS original_published_at,
    original.first_seen_at AS original_first_seen_at,
    copy.id AS copy_id,
    copy.source AS copy_source,
    copy.canonical_url AS copy_url,
    copy_version.title AS copy_title,
    copy_version.published_at AS copy_published_at,
    copy.first_seen_at AS copy_first_seen_at,
    coalesce(copy_version.agency, original_version.agency) AS agency
FROM ingest.articles AS copy
JOIN ingest.versions AS copy_version ON copy_version.article_id = copy.id AND copy_version.number = copy.version
JOIN ingest.articles AS original ON original.id = copy.copy_of
JOIN ingest.versions AS original_version
    ON original_version.article_id = original.id AND original_version.number = original.version;

COMMENT ON VIEW news.copies IS 'A row per copy: an article beside the one that had the same text first';
COMMENT ON COLUMN news.copies.original_id IS 'id of the article that Nachlese saw first with this text; the same for a whole family';
COMMENT ON COLUMN news.copies.original_source IS 'Its source';
COMMENT ON COLUMN news.copies.original_url IS 'Its canonical address';
COMMENT ON COLUMN news.copies.original_title IS 'Its headline now';
COMMENT ON COLUMN news.copies.original_published_at IS 'When its site says it was published';
COMMENT ON COLUMN news.copies.original_first_seen_at IS 'First fetch of it';
COMMENT ON COLUMN news.copies.copy_id IS 'id of the copy';
COMMENT ON COLUMN news.copies.copy_source IS 'Source of the copy; may be the same';
COMMENT ON COLUMN news.copies.copy_url IS 'Canonical address of the copy';
COMMENT ON COLUMN news.copies.copy_title IS 'Headline of the copy';
COMMENT ON COLUMN news.copies.copy_published_at IS 'When the copy''s site says it was published';
COMMENT ON COLUMN news.copies.copy_first_seen_at IS 'First fetch of the copy';
COMMENT ON COLUMN news.copies.agency IS 'News agency that one of the two credits';
