CREATE OR REPLACE VIEW news.page_metadata AS
SELECT
    version.article_id,
    version.number AS version,
    coalesce(version.metadata_at, version.fetched_at) AS stated_at,
    (SELECT min(later.fetched_at) FROM ingest.versions AS later
     WHERE later.article_id = version.article_id
       AND later.fetched_at > coalesce(version.metadata_at, version.fetched_at)) AS until,
    article.source,
    article.canonical_url,
    version.authors,
    version.section,
    version.sections,
    version.keywords,
    version.published_at,
    version.published_precision,
    version.published_provenance,
    version.modified_at,
    version.modified_precision,
    version.modified_provenance,
    version.is_accessible_for_free,
    version.agency,
    version.kicker,
    version.image_url,
    version.image_caption,
    version.image_credit,
    version.amp_url,
    coalesce(version.metadata_reader, version.reader_version) AS reader_version
FROM ingest.versions AS version
JOIN ingest.articles AS article ON article.id = version.article_id
UNION ALL
SELECT
    past.article_id,
    past.number,
    past.stated_at,
    past.until,
    article.source,
    article.canonical_url,
    past.authors,
    past.section,
    past.sections,
    past.keywords,
    past.published_at,
    past.published_precision,
    past.published_provenance,
    past.modified_at,
    past.modified_precision,
    past.modified_provenance,
    past.is_accessible_for_free,
    past.agency,
    past.kicker,
    past.image_url,
    past.image_caption,
    past.image_credit,
    past.amp_url,
    past.reader_version
FROM ingest.page_metadata AS past
JOIN ingest.articles AS article ON article.id = past.article_id;

COMMENT ON VIEW news.page_metadata IS 'What the page of an article stated beside its words: a row per wording, and one more for each time that it stated something else under the same words';
COMMENT ON COLUMN news.page_metadata.article_id IS 'Article; see news.articles';
COMMENT ON COLUMN news.page_metadata.version IS 'Its wording; see news.versions';
COMMENT ON COLUMN news.page_metadata.stated_at IS 'Fetch that stated it first';
COMMENT ON COLUMN news.page_metadata.until IS 'Fetch that stated something else, or brought another wording; null: it is what was stated last';
COMMENT ON COLUMN news.page_metadata.source IS 'Source of the article';
COMMENT ON COLUMN news.page_metadata.canonical_url IS 'Address of the article';
COMMENT ON COLUMN news.page_metadata.authors IS 'Names of the authors; empty where none is named';
COMMENT ON COLUMN news.page_metadata.section IS 'Section of the site';
COMMENT ON COLUMN news.page_metadata.sections IS 'All sections the site files it under';
COMMENT ON COLUMN news.page_metadata.keywords IS 'Keywords';
COMMENT ON COLUMN news.page_metadata.published_at IS 'When the page said it was published';
COMMENT ON COLUMN news.page_metadata.published_precision IS 'second, minute or day';
COMMENT ON COLUMN news.page_metadata.published_provenance IS 'Where that was stated';
COMMENT ON COLUMN news.page_metadata.modified_at IS 'When the page said it was last changed';
COMMENT ON COLUMN news.page_metadata.modified_precision IS 'second, minute or day';
COMMENT ON COLUMN news.page_metadata.modified_provenance IS 'Where that was stated';
COMMENT ON COLUMN news.page_metadata.is_accessible_for_free IS 'False: part of it was behind a paywall; null: unknown';
COMMENT ON COLUMN news.page_metadata.agency IS 'News agency that was credited';
COMMENT ON COLUMN news.page_metadata.kicker IS 'Short line above the headline';
COMMENT ON COLUMN news.page_metadata.image_url IS 'Address of the main picture';
COMMENT ON COLUMN news.page_metadata.image_caption IS 'Its caption';
COMMENT ON COLUMN news.page_metadata.image_credit IS 'Its credit';
COMMENT ON COLUMN news.page_metadata.amp_url IS 'Address of its AMP edition';
COMMENT ON COLUMN news.page_metadata.reader_version IS 'Version of the reader that read it: where it differs, the reader may be what changed';
