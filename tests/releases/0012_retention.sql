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
-- articles_as_of.sql
CREATE OR REPLACE FUNCTION news.articles_as_of(at timestamptz)
RETURNS TABLE (
    id bigint, version integer, source text, canonical_url text, title text, teaser text, text text, text_markdown text,
    section text, authors text[], keywords text[], published_at timestamptz, modified_at timestamptz, language text,
    agency text, kind text, word_count integer, first_seen_at timestamptz, fetched_at timestamptz, is_gone boolean)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT article.id, then_.number, article.source, article.canonical_url, then_.title, then_.teaser, then_.text,
           then_.text_markdown, then_.section, then_.authors, then_.keywords, then_.published_at, then_.modified_at,
           then_.language, then_.agency, then_.kind, then_.word_count, article.first_seen_at, then_.fetched_at,
           coalesce(article.gone_at <= articles_as_of.at, false)
    FROM ingest.articles AS article
    CROSS JOIN LATERAL (
        SELECT * FROM ingest.versions AS version
        WHERE version.article_id = article.id AND version.fetched_at <= articles_as_of.at
        ORDER BY version.fetched_at DESC, version.number DESC
        LIMIT 1
    ) AS then_
    WHERE article.first_seen_at <= articles_as_of.at
$$;

COMMENT ON FUNCTION news.articles_as_of(timestamptz) IS 'The articles as Nachlese knew them at an instant: a row per article that it had fetched by then, in the wording it had then';
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
    coalesce(copy_version.agency, original_version.agency) AS agency,
    CASE WHEN copy_version.text_key = original_version.text_key OR copy.copy_similarity = 1 THEN 'exact' ELSE 'near' END
        AS likeness,
    copy.copy_similarity AS similarity,
    copy.copy_kept AS kept,
    copy.copy_own AS own,
    copy_version.title IS DISTINCT FROM original_version.title AS title_differs,
    copy.first_seen_at - original.first_seen_at AS seen_after,
    copy_version.published_at - original_version.published_at AS published_after,
    copy_version.agency AS copy_agency,
    original_version.agency AS original_agency
FROM ingest.articles AS copy
JOIN ingest.versions AS copy_version ON copy_version.article_id = copy.id AND copy_version.number = copy.version
JOIN ingest.articles AS original ON original.id = copy.copy_of
JOIN ingest.versions AS original_version
    ON original_version.article_id = original.id AND original_version.number = original.version;

COMMENT ON VIEW news.copies IS 'A row per copy: an article beside the one that had the same text, or nearly the same, first';
-- families.sql
CREATE OR REPLACE VIEW news.families AS
SELECT
    original.id,
    original_version.title,
    original.source AS first_source,
    original.canonical_url AS first_url,
    original.first_seen_at,
    copies.last_seen_at,
    original_version.published_at AS first_published_at,
    least(original_version.published_at, copies.published_at) AS earliest_published_at,
    1 + copies.number AS articles,
    ARRAY(SELECT DISTINCT name FROM unnest(copies.sources || original.source) AS name ORDER BY name) AS sources,
    coalesce(original_version.agency, copies.agency) AS agency,
    copies.exact AS exact_copies,
    copies.similarity AS least_similarity
FROM (
    SELECT
        copy.copy_of,
        count(*) AS number,
        count(*) FILTER (WHERE copy.copy_similarity = 1) AS exact,
        min(copy.copy_similarity) AS similarity,
        array_agg(DISTINCT copy.source) AS sources,
        max(copy.first_seen_at) AS last_seen_at,
        min(version.published_at) AS published_at,
        mode() WITHIN GROUP (ORDER BY version.agency) AS agency
    FROM ingest.articles AS copy
    JOIN ingest.versions AS version ON version.article_id = copy.id AND version.number = copy.version
    WHERE copy.copy_of IS NOT NULL
    GROUP BY copy.copy_of
) AS copies
JOIN ingest.articles AS original ON original.id = copies.copy_of
JOIN ingest.versions AS original_version
    ON original_version.article_id = original.id AND original_version.number = original.version;

COMMENT ON VIEW news.families IS 'A row per text that more than one article has: the first one and all its copies';
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
    step.words AS words_after,
    CASE WHEN step.is_compared THEN step.words_added END AS words_added,
    CASE WHEN step.is_compared THEN step.words_removed END AS words_removed,
    CASE WHEN step.is_compared THEN step.share_changed END AS share_changed,
    CASE WHEN step.correction IS DISTINCT FROM step.correction_before THEN step.correction END AS correction,
    step.kind
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
        lag(version.word_count) OVER earlier AS words_before,
        version.words_added,
        version.words_removed,
        version.share_changed,
        version.compared_with = lag(version.number) OVER earlier AND version.kind <> 'live_blog' AS is_compared,
        version.correction,
        lag(version.correction) OVER earlier AS correction_before,
        version.kind
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
    version.reader_version,
    version.correction
FROM ingest.versions AS version
JOIN ingest.articles AS article ON article.id = version.article_id;

COMMENT ON VIEW news.versions IS 'A row per wording of an article, the current one and all before it';
