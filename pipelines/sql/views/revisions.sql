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
    step.kind,
    ARRAY(
        SELECT piece FROM unnest(string_to_array(step.text_before, E'\n\n')) WITH ORDINALITY AS old (piece, place)
        WHERE piece <> ALL (string_to_array(step.text, E'\n\n')) ORDER BY place) AS paragraphs_before,
    ARRAY(
        SELECT piece FROM unnest(string_to_array(step.text, E'\n\n')) WITH ORDINALITY AS new (piece, place)
        WHERE piece <> ALL (string_to_array(step.text_before, E'\n\n')) ORDER BY place) AS paragraphs_after
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
    -- most articles never change, and need not be looked through
    WHERE version.article_id IN (SELECT changed.article_id FROM ingest.versions AS changed WHERE changed.number > 1)
    WINDOW earlier AS (PARTITION BY version.article_id ORDER BY version.fetched_at, version.number)
) AS step
WHERE step.version_before IS NOT NULL;

COMMENT ON VIEW news.revisions IS 'A row per change of an article: a wording beside the one before it';
COMMENT ON COLUMN news.revisions.article_id IS 'id in news.articles';
COMMENT ON COLUMN news.revisions.source IS 'Source of the article';
COMMENT ON COLUMN news.revisions.canonical_url IS 'Address of the article';
COMMENT ON COLUMN news.revisions.version IS 'The wording after the change';
COMMENT ON COLUMN news.revisions.version_before IS 'The wording before it';
COMMENT ON COLUMN news.revisions.fetched_at IS 'First fetch with the new wording: the change was made before';
COMMENT ON COLUMN news.revisions.fetched_before IS 'First fetch with the old wording: the change was made after';
COMMENT ON COLUMN news.revisions.title_changed IS 'Whether the headline changed';
COMMENT ON COLUMN news.revisions.teaser_changed IS 'Whether the teaser changed';
COMMENT ON COLUMN news.revisions.text_changed IS 'Whether the text changed';
COMMENT ON COLUMN news.revisions.title_before IS 'Headline before';
COMMENT ON COLUMN news.revisions.title_after IS 'Headline after';
COMMENT ON COLUMN news.revisions.teaser_before IS 'Teaser before';
COMMENT ON COLUMN news.revisions.teaser_after IS 'Teaser after';
COMMENT ON COLUMN news.revisions.text_before IS 'Text before';
COMMENT ON COLUMN news.revisions.text_after IS 'Text after';
COMMENT ON COLUMN news.revisions.words_before IS 'Words of the text before';
COMMENT ON COLUMN news.revisions.words_after IS 'Words of the text after';
COMMENT ON COLUMN news.revisions.words_added IS 'Words of the text that are new; null: not measured (a live blog, or stored out of order)';
COMMENT ON COLUMN news.revisions.words_removed IS 'Words of the text that are gone';
COMMENT ON COLUMN news.revisions.share_changed IS 'Words added and removed, of the words of both texts: 0 to 1';
COMMENT ON COLUMN news.revisions.correction IS 'The paragraph in which the page says that it corrects itself, where the change brought one';
COMMENT ON COLUMN news.revisions.kind IS 'Kind of the article; of a live_blog only the last wording of each six hours is kept';
COMMENT ON COLUMN news.revisions.paragraphs_before IS 'Paragraphs of the text before that the text after has not, in order; empty: none';
COMMENT ON COLUMN news.revisions.paragraphs_after IS 'Paragraphs of the text after that the text before has not, in order: beside each other they show the change';
