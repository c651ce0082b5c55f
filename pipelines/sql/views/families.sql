CREATE OR REPLACE VIEW news.families AS
SELECT
    original.id,
    original_version.title,
    original.source AS first_source,
    original.canonical_url AS first_url,
    original.first_seen_at,
    greatest(copies.last_seen_at, original.first_seen_at) AS last_seen_at,
    original_version.published_at AS first_published_at,
    least(original_version.published_at, copies.published_at) AS earliest_published_at,
    1 + copies.number AS articles,
    ARRAY(SELECT DISTINCT name FROM unnest(copies.sources || original.source) AS name ORDER BY name) AS sources,
    coalesce(original_version.agency, copies.agency) AS agency,
    copies.exact AS exact_copies,
    copies.similarity AS least_similarity,
    -- published_at of nobody: who was seen first; of two at the same time, too
    CASE WHEN copies.published_at < original_version.published_at OR original_version.published_at IS NULL
         THEN coalesce(copies.earliest, original.id) ELSE original.id END AS earliest_id,
    CASE WHEN copies.published_at < original_version.published_at OR original_version.published_at IS NULL
         THEN coalesce(copies.earliest_source, original.source) ELSE original.source END AS earliest_source
FROM (
    SELECT
        copy.copy_of,
        count(*) AS number,
        count(*) FILTER (WHERE copy.copy_similarity = 1) AS exact,
        min(copy.copy_similarity) AS similarity,
        array_agg(DISTINCT copy.source) AS sources,
        max(copy.first_seen_at) AS last_seen_at,
        min(version.published_at) AS published_at,
        mode() WITHIN GROUP (ORDER BY version.agency) AS agency,
        (array_agg(copy.id ORDER BY version.published_at, copy.first_seen_at, copy.id)
            FILTER (WHERE version.published_at IS NOT NULL))[1] AS earliest,
        (array_agg(copy.source ORDER BY version.published_at, copy.first_seen_at, copy.id)
            FILTER (WHERE version.published_at IS NOT NULL))[1] AS earliest_source
    FROM ingest.articles AS copy
    JOIN ingest.versions AS version ON version.article_id = copy.id AND version.number = copy.version
    WHERE copy.copy_of IS NOT NULL
    GROUP BY copy.copy_of
) AS copies
JOIN ingest.articles AS original ON original.id = copies.copy_of
JOIN ingest.versions AS original_version
    ON original_version.article_id = original.id AND original_version.number = original.version;

COMMENT ON VIEW news.families IS 'A row per text that more than one article has: the first one and all its copies';
COMMENT ON COLUMN news.families.id IS 'id in news.articles of the first; original_id in news.copies';
COMMENT ON COLUMN news.families.title IS 'Headline of the first';
COMMENT ON COLUMN news.families.first_source IS 'Source that Nachlese saw first with the text';
COMMENT ON COLUMN news.families.first_url IS 'Canonical address of the first';
COMMENT ON COLUMN news.families.first_seen_at IS 'First fetch of the first';
COMMENT ON COLUMN news.families.last_seen_at IS 'First fetch of the latest copy; never before first_seen_at';
COMMENT ON COLUMN news.families.first_published_at IS 'When the site of the first says it was published';
COMMENT ON COLUMN news.families.earliest_published_at IS 'The earliest publication that any site of the family states';
COMMENT ON COLUMN news.families.articles IS 'Articles with the text: the first and its copies';
COMMENT ON COLUMN news.families.sources IS 'Sources that have it';
COMMENT ON COLUMN news.families.agency IS 'News agency that the first credits, else the one that most copies credit';
COMMENT ON COLUMN news.families.exact_copies IS 'Copies with the very same words';
COMMENT ON COLUMN news.families.least_similarity IS 'similarity in news.copies of the copy that was changed most';
COMMENT ON COLUMN news.families.earliest_id IS 'id in news.articles of the one that states earliest_published_at; id where none states a time';
COMMENT ON COLUMN news.families.earliest_source IS 'Its source: who had the text first as the sites say, where first_source is who was seen with it first';
