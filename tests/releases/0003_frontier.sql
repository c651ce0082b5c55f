-- articles.sql
CREATE OR REPLACE VIEW news.articles AS
SELECT
    article.id,
    article.url,
    article.canonical_url,
    article.source,
    version.title,
    version.teaser,
    version.section,
    version.authors,
    version.keywords,
    version.published_at,
    version.published_precision,
    version.published_provenance,
    version.modified_at,
    version.language,
    version.agency,
    version.dateline,
    version.details,
    version.text,
    version.pages_read,
    version.pages_total,
    article.copy_of,
    article.version,
    version.kicker,
    version.sections,
    version.headings,
    version.text_markdown,
    version.word_count,
    version.image_url,
    version.image_caption,
    version.image_credit,
    version.kind,
    version.is_accessible_for_free,
    version.amp_url,
    version.modified_precision,
    version.modified_provenance,
    article.first_seen_at,
    article.fetched_at,
    article.changed_at,
    article.gone_at,
    version.reader_version
FROM ingest.articles AS article
JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version;

COMMENT ON VIEW news.articles IS 'A row per article, in its current wording; copies have rows of their own';
-- copies.sql
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
-- pending.sql
CREATE OR REPLACE VIEW news.pending AS
SELECT
    page.source,
    page.url,
    page.found_on,
    page.found_at,
    page.attempts,
    page.next_attempt_at,
    page.reason,
    page.detail,
    page.http_status
FROM ingest.pages AS page
WHERE page.state = 'pending';

COMMENT ON VIEW news.pending IS 'A row per page that was found and has no end yet';
-- rejections.sql
CREATE OR REPLACE VIEW news.rejections AS
SELECT
    page.source,
    page.url,
    page.reason,
    page.detail,
    page.http_status,
    page.attempts,
    page.found_on,
    page.found_at,
    page.ended_at AS rejected_at
FROM ingest.pages AS page
WHERE page.ending = 'rejected';

COMMENT ON VIEW news.rejections IS 'A row per page that was found and is no article, with the reason';
-- removed.sql
CREATE OR REPLACE VIEW news.removed AS
SELECT
    version.article_id,
    version.number AS version,
    piece.place::integer AS place,
    piece.value ->> 'rule' AS rule,
    piece.value ->> 'text' AS text
FROM ingest.versions AS version
CROSS JOIN LATERAL jsonb_array_elements(version.removed) WITH ORDINALITY AS piece (value, place);

COMMENT ON VIEW news.removed IS 'A row per piece of a page that was taken for boilerplate and left out of the text';
-- revisions.sql
CREATE OR REPLACE VIEW news.revisions AS
SELECT
    step.article_id,
    step.source,
    step.canonical_url,
    step.version,
    step.version_before,
    step.fetched_at,
    step.fetched_before,
    step.title IS DISTINCT FROM step.title_before AS title_changed,
    step.teaser IS DISTINCT FROM step.teaser_before AS teaser_changed,
    step.text IS DISTINCT FROM step.text_before AS text_changed,
    step.title_before,
    step.title AS title_after,
    step.teaser_before,
    step.teaser AS teaser_after,
    step.text_before,
    step.text AS text_after,
    step.words_before,
    step.words AS words_after
FROM (
    SELECT
        version.article_id,
        article.source,
        article.canonical_url,
        version.number AS version,
        lag(version.number) OVER earlier AS version_before,
        version.fetched_at,
        lag(version.fetched_at) OVER earlier AS fetched_before,
        version.title,
        lag(version.title) OVER earlier AS title_before,
        version.teaser,
        lag(version.teaser) OVER earlier AS teaser_before,
        version.text,
        lag(version.text) OVER earlier AS text_before,
        version.word_count AS words,
        lag(version.word_count) OVER earlier AS words_before
    FROM ingest.versions AS version
    JOIN ingest.articles AS article ON article.id = version.article_id
    WINDOW earlier AS (PARTITION BY version.article_id ORDER BY version.fetched_at, version.number)
) AS step
WHERE step.version_before IS NOT NULL;

COMMENT ON VIEW news.revisions IS 'A row per change of an article: a wording beside the one before it';
-- runs.sql
CREATE OR REPLACE VIEW news.runs AS
SELECT
    run.id,
    run.source,
    run.kind,
    run.slot,
    run.started_at,
    run.ended_at,
    coalesce(run.outcome, 'running') AS outcome,
    run.error,
    run.new + run.new_version + run.unchanged + run.copy + run.rejected + run.pending AS found,
    run.new,
    run.new_version,
    run.unchanged,
    run.copy,
    run.rejected,
    run.pending,
    run.reasons
FROM ingest.runs AS run;

COMMENT ON VIEW news.runs IS 'A row per run of a source or replay; counts are written when it ends';
-- sources.sql
CREATE OR REPLACE VIEW news.sources AS
SELECT
    source.name,
    source.title,
    source.homepage,
    source.language,
    source.country,
    source.time_zone,
    source.enabled,
    article.number AS articles,
    article.last_first_seen_at AS last_article_at,
    page.pending,
    run.id AS last_run,
    run.started_at AS last_run_started_at,
    run.ended_at AS last_run_ended_at,
    coalesce(run.outcome, CASE WHEN run.id IS NOT NULL THEN 'running' END) AS last_run_outcome,
    run.error AS last_run_error,
    source.next_run_at
FROM ingest.sources AS source
LEFT JOIN LATERAL (
    SELECT * FROM ingest.runs WHERE runs.source = source.name ORDER BY started_at DESC, id DESC LIMIT 1
) AS run ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS number, max(first_seen_at) AS last_first_seen_at
    FROM ingest.articles WHERE articles.source = source.name
) AS article
CROSS JOIN LATERAL (
    SELECT count(*) AS pending FROM ingest.pages WHERE pages.source = source.name AND pages.state = 'pending'
) AS page;

COMMENT ON VIEW news.sources IS 'A row per source, with its last and next run';
-- versions.sql
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
    version.reader_version
FROM ingest.versions AS version
JOIN ingest.articles AS article ON article.id = version.article_id;

COMMENT ON VIEW news.versions IS 'A row per wording of an article, the current one and all before it';
