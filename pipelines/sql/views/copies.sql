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
    coalesce(copy_version.agency, original_version.agency) AS agency,
    CASE WHEN copy_version.text_key = original_version.text_key OR copy.copy_similarity = 1 THEN 'exact' ELSE 'near' END
        AS likeness,
    copy.copy_similarity AS similarity,
    copy.copy_kept AS kept,
    copy.copy_own AS own,
    copy_version.title IS DISTINCT FROM original_version.title AS title_differs,
    -- the original is who was stored first; an archive that is read later may hold an earlier fetch of the copy
    greatest(copy.first_seen_at - original.first_seen_at, interval '0') AS seen_after,
    copy_version.published_at - original_version.published_at AS published_after,
    copy_version.agency AS copy_agency,
    original_version.agency AS original_agency
FROM ingest.articles AS copy
JOIN ingest.versions AS copy_version ON copy_version.article_id = copy.id AND copy_version.number = copy.version
JOIN ingest.articles AS original ON original.id = copy.copy_of
JOIN ingest.versions AS original_version
    ON original_version.article_id = original.id AND original_version.number = original.version;

COMMENT ON VIEW news.copies IS 'A row per copy: an article beside the one that had the same text, or nearly the same, first';
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
COMMENT ON COLUMN news.copies.likeness IS 'exact: the same words; near: cut, extended or edited';
COMMENT ON COLUMN news.copies.similarity IS 'Word triples that both texts have, of all that either has: 0 to 1, when the copy was stored';
COMMENT ON COLUMN news.copies.kept IS 'Share of the original that the copy has kept';
COMMENT ON COLUMN news.copies.own IS 'Share of the copy that is not in the original';
COMMENT ON COLUMN news.copies.title_differs IS 'Whether the two headlines differ now';
COMMENT ON COLUMN news.copies.seen_after IS 'How long after the original the copy was first fetched; zero where it was fetched before and stored after';
COMMENT ON COLUMN news.copies.published_after IS 'How long after the original the copy was published, as the sites say; negative: before it';
COMMENT ON COLUMN news.copies.copy_agency IS 'News agency that the copy credits';
COMMENT ON COLUMN news.copies.original_agency IS 'News agency that the original credits';
