CREATE OR REPLACE VIEW news.versions AS
SELECT
    version.article_id,
    version.number AS version,
    version.number = article.version AS is_current,
    version.fetched_at,
    article.source,
    article.canonical_url,
    version.title,
    version.teaser,
    version.text,
    version.text_markdown,
    version.section,
    version.authors,
    version.keywords,
    version.published_at,
    version.modified_at,
    version.language,
    version.agency,
    version.word_count,
    version.reader_version,
    version.correction,
    version.lesson,
    version.container,
    version.kind,
    version.backfilled_from
FROM ingest.versions AS version
JOIN ingest.articles AS article ON article.id = version.article_id;

COMMENT ON VIEW news.versions IS 'A row per wording of an article, the current one and all before it';
COMMENT ON COLUMN news.versions.article_id IS 'id in news.articles';
COMMENT ON COLUMN news.versions.version IS 'Number of the wording, 1 for the first one stored';
COMMENT ON COLUMN news.versions.is_current IS 'Whether news.articles shows this wording';
COMMENT ON COLUMN news.versions.fetched_at IS 'Fetch that brought it; the order in time';
COMMENT ON COLUMN news.versions.source IS 'Source of the article';
COMMENT ON COLUMN news.versions.canonical_url IS 'Address of the article';
COMMENT ON COLUMN news.versions.title IS 'Headline of this wording';
COMMENT ON COLUMN news.versions.teaser IS 'Teaser of this wording';
COMMENT ON COLUMN news.versions.text IS 'Plain text of this wording';
COMMENT ON COLUMN news.versions.text_markdown IS 'Markdown of this wording';
COMMENT ON COLUMN news.versions.section IS 'Section';
COMMENT ON COLUMN news.versions.authors IS 'Authors';
COMMENT ON COLUMN news.versions.keywords IS 'Keywords';
COMMENT ON COLUMN news.versions.published_at IS 'Publication time that this wording states';
COMMENT ON COLUMN news.versions.modified_at IS 'Modification time that this wording states';
COMMENT ON COLUMN news.versions.language IS 'Language code';
COMMENT ON COLUMN news.versions.agency IS 'Agency credited';
COMMENT ON COLUMN news.versions.word_count IS 'Words of the text';
COMMENT ON COLUMN news.versions.reader_version IS 'Version of the reader';
COMMENT ON COLUMN news.versions.correction IS 'The paragraph in which the page says that it was corrected';
COMMENT ON COLUMN news.versions.lesson IS 'Number of what the source''s pages had taught the reader by then; 0: nothing';
COMMENT ON COLUMN news.versions.container IS 'Element of the page that was read, by its stable names; null where it has none';
COMMENT ON COLUMN news.versions.kind IS 'Kind of this wording, as in news.articles; of a live_blog only the last wording of each six hours is kept';
COMMENT ON COLUMN news.versions.backfilled_from IS 'Archive of others from which a backfill read this wording, path or address; null: this installation fetched it';

CREATE OR REPLACE FUNCTION news.articles_as_of(at timestamptz)
RETURNS TABLE (
    id bigint, version integer, source text, canonical_url text, title text, teaser text, text text, text_markdown text,
    section text, authors text[], keywords text[], published_at timestamptz, modified_at timestamptz, language text,
    agency text, kind text, word_count integer, first_seen_at timestamptz, fetched_at timestamptz, is_gone boolean)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    -- from the views, which readers may read, and in one SELECT, which Postgres can merge with the query around it
    SELECT article.id, then_.version, article.source, article.canonical_url, version.title, version.teaser, version.text,
           version.text_markdown, then_.section, then_.authors, then_.keywords, then_.published_at, then_.modified_at,
           version.language, then_.agency, version.kind, version.word_count, article.first_seen_at, version.fetched_at,
           EXISTS (
               SELECT FROM news.absences AS absence
               WHERE absence.article_id = article.id AND absence.gone_at <= articles_as_of.at
                 AND (absence.back_at IS NULL OR absence.back_at > articles_as_of.at))
    FROM news.articles AS article
    CROSS JOIN LATERAL (
        SELECT * FROM news.page_metadata AS stated
        WHERE stated.article_id = article.id AND stated.stated_at <= articles_as_of.at
        ORDER BY stated.stated_at DESC, stated.version DESC
        LIMIT 1
    ) AS then_
    JOIN news.versions AS version ON version.article_id = article.id AND version.version = then_.version
    WHERE article.first_seen_at <= articles_as_of.at
$$;

COMMENT ON FUNCTION news.articles_as_of(timestamptz) IS 'The articles as Nachlese knew them at an instant: a row per article that it had fetched by then, in the wording it had then';
