CREATE OR REPLACE VIEW news.absences AS
SELECT
    absence.article_id,
    absence.gone_at,
    absence.back_at,
    absence.reason,
    article.source,
    article.canonical_url,
    version.title
FROM ingest.absences AS absence
JOIN ingest.articles AS article ON article.id = absence.article_id
JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version;

COMMENT ON VIEW news.absences IS 'A row per time that an article was taken down, with its return where it came back';
COMMENT ON COLUMN news.absences.article_id IS 'id in news.articles';
COMMENT ON COLUMN news.absences.gone_at IS 'First look that found it gone';
COMMENT ON COLUMN news.absences.back_at IS 'First look that found it again; null: it is gone';
COMMENT ON COLUMN news.absences.reason IS 'gone: 404 or 410; soft_404: a notice; home_page: it leads to the front page; null: not known';
COMMENT ON COLUMN news.absences.source IS 'Source of the article';
COMMENT ON COLUMN news.absences.canonical_url IS 'Address of the article';
COMMENT ON COLUMN news.absences.title IS 'Headline of its last wording';
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
    version.reader_version,
    -- a day without a time is local midnight: half a day later it is the same date in UTC, whatever the zone
    (CASE WHEN version.published_precision = 'day' THEN version.published_at AT TIME ZONE 'UTC' + interval '12 hours'
          ELSE version.published_at AT TIME ZONE coalesce(source.day_zone, 'Europe/Berlin') END)::date AS published_on,
    CASE WHEN article.gone_at IS NOT NULL THEN article.gone_reason END AS gone_reason
FROM ingest.articles AS article
JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version
LEFT JOIN ingest.sources AS source ON source.name = article.source;

COMMENT ON VIEW news.articles IS 'A row per article, in its current wording; copies have rows of their own';
COMMENT ON COLUMN news.articles.id IS 'Number of the article; never changes, never given twice';
COMMENT ON COLUMN news.articles.url IS 'Address from which the article is read: its own page, or a view of it where only that is known';
COMMENT ON COLUMN news.articles.canonical_url IS 'Address under which it is known; one row per canonical address';
COMMENT ON COLUMN news.articles.source IS 'Source in which it was first found; see news.sources';
COMMENT ON COLUMN news.articles.title IS 'Headline';
COMMENT ON COLUMN news.articles.teaser IS 'Lead above the text; not repeated in the text';
COMMENT ON COLUMN news.articles.section IS 'Section of the site, the first one where it names several';
COMMENT ON COLUMN news.articles.authors IS 'Names of the authors; empty where none is named';
COMMENT ON COLUMN news.articles.keywords IS 'Keywords the page states; empty where it states none';
COMMENT ON COLUMN news.articles.published_at IS 'When the site says it was published; null where it does not say';
COMMENT ON COLUMN news.articles.published_precision IS 'second, minute or day; day means that the time of published_at is local midnight';
COMMENT ON COLUMN news.articles.published_provenance IS 'Where published_at was stated: jsonld, meta, microdata, time, text, url, feed or sitemap';
COMMENT ON COLUMN news.articles.modified_at IS 'When the site says it was last changed';
COMMENT ON COLUMN news.articles.language IS 'ISO 639-1 code of the text''s language';
COMMENT ON COLUMN news.articles.agency IS 'News agency that is credited, by its short name';
COMMENT ON COLUMN news.articles.dateline IS 'Place the report is filed from, as the page states it';
COMMENT ON COLUMN news.articles.details IS 'Facts that the page carries in a table beside the text: label to text or list of texts';
COMMENT ON COLUMN news.articles.text IS 'Plain text, not HTML: paragraphs with a blank line between them';
COMMENT ON COLUMN news.articles.pages_read IS 'Pages of a multi-page article that the text contains';
COMMENT ON COLUMN news.articles.pages_total IS 'Pages that the article has';
COMMENT ON COLUMN news.articles.copy_of IS 'id of the article that had the same text first; null where this one was first';
COMMENT ON COLUMN news.articles.version IS 'Number of the current wording; see news.versions';
COMMENT ON COLUMN news.articles.kicker IS 'Short line above the headline';
COMMENT ON COLUMN news.articles.sections IS 'All sections the site files it under';
COMMENT ON COLUMN news.articles.headings IS 'Subheadings in the text, in order';
COMMENT ON COLUMN news.articles.text_markdown IS 'The text with subheadings, lists, quotes and tables in Markdown';
COMMENT ON COLUMN news.articles.word_count IS 'Words of the text';
COMMENT ON COLUMN news.articles.image_url IS 'Address of the main picture';
COMMENT ON COLUMN news.articles.image_caption IS 'Caption of the main picture';
COMMENT ON COLUMN news.articles.image_credit IS 'Credit of the main picture';
COMMENT ON COLUMN news.articles.kind IS 'article, live_blog, video, gallery, press_release or advertorial';
COMMENT ON COLUMN news.articles.is_accessible_for_free IS 'False: part of it is behind a paywall; null: unknown';
COMMENT ON COLUMN news.articles.amp_url IS 'Address of its AMP edition';
COMMENT ON COLUMN news.articles.modified_precision IS 'second, minute or day, as for published_precision';
COMMENT ON COLUMN news.articles.modified_provenance IS 'Where modified_at was stated, as for published_provenance';
COMMENT ON COLUMN news.articles.first_seen_at IS 'First fetch of the article';
COMMENT ON COLUMN news.articles.fetched_at IS 'Last fetch that confirmed or changed it';
COMMENT ON COLUMN news.articles.changed_at IS 'Fetch that brought the current wording';
COMMENT ON COLUMN news.articles.gone_at IS 'When its address answered that it is gone; the row stays';
COMMENT ON COLUMN news.articles.reader_version IS 'Version of the reader that made this row';
COMMENT ON COLUMN news.articles.published_on IS 'Day of published_at where the site is (Europe/Berlin where that is not known); right for precision day, too';
COMMENT ON COLUMN news.articles.gone_reason IS 'gone: 404 or 410; soft_404: a notice; home_page: it leads to the front page; null: not gone, or not known';
CREATE OR REPLACE VIEW news.changes AS
SELECT
    change.id,
    change.kind,
    change.article_id,
    change.version,
    change.copy_of,
    change.story_id,
    change.recorded_at,
    article.source,
    article.canonical_url
FROM ingest.changes AS change
LEFT JOIN ingest.articles AS article ON article.id = change.article_id;

COMMENT ON VIEW news.changes IS 'A row per change, numbered in the order of the commits: who has read up to an id has missed nothing before it';
COMMENT ON COLUMN news.changes.id IS 'Number, growing, with gaps; keep the last one that you have dealt with as your cursor';
COMMENT ON COLUMN news.changes.kind IS 'new, version (came or was read better), copy (a new row with a known text, or copy_of changed), gone, back, story';
COMMENT ON COLUMN news.changes.article_id IS 'id in news.articles';
COMMENT ON COLUMN news.changes.version IS 'The version meant, for new, version and copy; see news.versions';
COMMENT ON COLUMN news.changes.copy_of IS 'copy_of of the article at that moment, for new, copy, gone and back';
COMMENT ON COLUMN news.changes.story_id IS 'For story: the story that the article has joined or begun';
COMMENT ON COLUMN news.changes.recorded_at IS 'Time of the commit';
COMMENT ON COLUMN news.changes.source IS 'Source of the article; null only where its row was deleted by hand';
COMMENT ON COLUMN news.changes.canonical_url IS 'Address of the article; null only where its row was deleted by hand';

CREATE OR REPLACE FUNCTION news.changes_since(cursor bigint DEFAULT 0, "limit" integer DEFAULT 1000)
RETURNS SETOF news.changes LANGUAGE sql STABLE AS $$
    SELECT * FROM news.changes WHERE id > coalesce($1, 0) ORDER BY id LIMIT $2  -- null: who has no cursor yet
$$;
COMMENT ON FUNCTION news.changes_since IS 'The changes after a cursor (0: all), oldest first; the last id is the next cursor. NOTIFY nachlese_changes tells that there is more';
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
COMMENT ON COLUMN news.copies.seen_after IS 'How long after the original the copy was first fetched';
COMMENT ON COLUMN news.copies.published_after IS 'How long after the original the copy was published, as the sites say; negative: before it';
COMMENT ON COLUMN news.copies.copy_agency IS 'News agency that the copy credits';
COMMENT ON COLUMN news.copies.original_agency IS 'News agency that the original credits';
CREATE OR REPLACE VIEW news.documents AS
SELECT
    document.source,
    document.url,
    document.kind,
    document.status AS http_status,
    document.error,
    document.links,
    document.checked_at,
    document.changed_at,
    document.not_modified_in_a_row
FROM ingest.documents AS document;

COMMENT ON VIEW news.documents IS 'A row per feed, sitemap and section page on which a source''s articles are found';
COMMENT ON COLUMN news.documents.source IS 'Source that reads it';
COMMENT ON COLUMN news.documents.url IS 'Address';
COMMENT ON COLUMN news.documents.kind IS 'feed, sitemap or section';
COMMENT ON COLUMN news.documents.http_status IS 'HTTP status of the last answer; null where there was none';
COMMENT ON COLUMN news.documents.error IS 'What went wrong with the last look; null: nothing';
COMMENT ON COLUMN news.documents.links IS 'Links in the last full answer';
COMMENT ON COLUMN news.documents.checked_at IS 'Last look, whatever came of it';
COMMENT ON COLUMN news.documents.changed_at IS 'Last full answer; null: there was none yet';
COMMENT ON COLUMN news.documents.not_modified_in_a_row IS 'Answers since then that said: not modified';
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
COMMENT ON COLUMN news.families.last_seen_at IS 'First fetch of the latest copy';
COMMENT ON COLUMN news.families.first_published_at IS 'When the site of the first says it was published';
COMMENT ON COLUMN news.families.earliest_published_at IS 'The earliest publication that any site of the family states';
COMMENT ON COLUMN news.families.articles IS 'Articles with the text: the first and its copies';
COMMENT ON COLUMN news.families.sources IS 'Sources that have it';
COMMENT ON COLUMN news.families.agency IS 'News agency that the first credits, else the one that most copies credit';
COMMENT ON COLUMN news.families.exact_copies IS 'Copies with the very same words';
COMMENT ON COLUMN news.families.least_similarity IS 'similarity in news.copies of the copy that was changed most';
COMMENT ON COLUMN news.families.earliest_id IS 'id in news.articles of the one that states earliest_published_at; id where none states a time';
COMMENT ON COLUMN news.families.earliest_source IS 'Its source: who had the text first as the sites say, where first_source is who was seen with it first';
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
COMMENT ON COLUMN news.pending.source IS 'Source that found it';
COMMENT ON COLUMN news.pending.url IS 'Address';
COMMENT ON COLUMN news.pending.found_on IS 'Feed, sitemap or section page that named it';
COMMENT ON COLUMN news.pending.found_at IS 'When it was found';
COMMENT ON COLUMN news.pending.attempts IS 'Failed attempts so far';
COMMENT ON COLUMN news.pending.next_attempt_at IS 'It is due from then on';
COMMENT ON COLUMN news.pending.reason IS 'Why the last attempt failed; null before the first';
COMMENT ON COLUMN news.pending.detail IS 'The same for people';
COMMENT ON COLUMN news.pending.http_status IS 'HTTP status of the last attempt';
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
COMMENT ON COLUMN news.rejections.source IS 'Source that found it';
COMMENT ON COLUMN news.rejections.url IS 'Address';
COMMENT ON COLUMN news.rejections.reason IS 'Reason, from a fixed list: soft_404, consent_wall, http_error ...';
COMMENT ON COLUMN news.rejections.detail IS 'The same for people';
COMMENT ON COLUMN news.rejections.http_status IS 'HTTP status of the last attempt; null where there was no answer';
COMMENT ON COLUMN news.rejections.attempts IS 'Attempts that were made';
COMMENT ON COLUMN news.rejections.found_on IS 'Feed, sitemap or section page that named it';
COMMENT ON COLUMN news.rejections.found_at IS 'When it was found';
COMMENT ON COLUMN news.rejections.rejected_at IS 'When it was rejected';
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
COMMENT ON COLUMN news.removed.article_id IS 'id in news.articles';
COMMENT ON COLUMN news.removed.version IS 'Wording in which it was left out';
COMMENT ON COLUMN news.removed.place IS '1, 2, 3 ... in the order of the page';
COMMENT ON COLUMN news.removed.rule IS 'Name of the rule that took it';
COMMENT ON COLUMN news.removed.text IS 'Its plain text';
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
COMMENT ON COLUMN news.runs.id IS 'Number of the run';
COMMENT ON COLUMN news.runs.source IS 'The source; null for a replay over several';
COMMENT ON COLUMN news.runs.kind IS 'crawl, replay or recheck';
COMMENT ON COLUMN news.runs.slot IS 'Instant of the schedule at which it belongs; null where a person started it';
COMMENT ON COLUMN news.runs.started_at IS 'Begin';
COMMENT ON COLUMN news.runs.ended_at IS 'End; null while it runs';
COMMENT ON COLUMN news.runs.outcome IS 'running, finished, failed or stopped';
COMMENT ON COLUMN news.runs.error IS 'What went wrong; lost lease: the process died, its pages went to the next run';
COMMENT ON COLUMN news.runs.found IS 'Pages the run had in hand: the sum of the six that follow';
COMMENT ON COLUMN news.runs.new IS 'Pages that became a new article';
COMMENT ON COLUMN news.runs.new_version IS 'Pages whose article had changed';
COMMENT ON COLUMN news.runs.unchanged IS 'Pages whose article is stored as it is';
COMMENT ON COLUMN news.runs.copy IS 'Pages that became a new article whose text another had first';
COMMENT ON COLUMN news.runs.rejected IS 'Pages that are no article; see news.rejections';
COMMENT ON COLUMN news.runs.pending IS 'Pages without an end; they come again in the next run';
COMMENT ON COLUMN news.runs.reasons IS 'Rejected and pending pages by reason: {"soft_404": 2}';
-- The latest articles in one language that have the words. There are two ways to them: backwards through time, reading
-- every article until enough have the words, which is short where many have them; and through the index of words, which
-- is short where few do. A sample of the latest tells which. The index of time shall not serve the second way, for it
-- would read every article: so what bounds it stands outside (OFFSET 0 keeps it there).
CREATE OR REPLACE FUNCTION ingest.search_latest(
    lang text, wanted tsquery, since timestamptz, until timestamptz, source text, most integer, sample integer
)
RETURNS TABLE (article_id bigint, at timestamptz, vector tsvector)
LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
DECLARE
    earliest timestamptz := coalesce(since, '-infinity');
    latest timestamptz := coalesce(until, 'infinity');
    stored bigint := (SELECT greatest(reltuples, 1) FROM pg_class WHERE oid = 'ingest.search'::regclass);
    looked integer;
    hits integer;
    enough integer;  -- of a common word half of them, for on this way each takes its time
BEGIN
    SELECT count(*), count(*) FILTER (WHERE one.vector @@ wanted) INTO looked, hits
    FROM (
        SELECT s.vector FROM ingest.search AS s
        WHERE s.language = lang AND s.at >= earliest AND s.at < latest
        ORDER BY s.at DESC LIMIT sample) AS one;
    enough := CASE WHEN looked < sample THEN most ELSE most / 2 END;
    -- to read an article takes five times as long as to find one through the index
    IF looked < sample OR hits::real / looked > sqrt(5.0 * enough / stored) THEN
        RETURN QUERY
        SELECT s.article_id, s.at, s.vector FROM ingest.search AS s
        WHERE s.language = lang AND s.at >= earliest AND s.at < latest AND s.vector @@ wanted
          AND (search_latest.source IS NULL
               OR EXISTS (SELECT FROM ingest.articles AS a WHERE a.id = s.article_id AND a.source = search_latest.source))
        ORDER BY s.at DESC, s.article_id DESC
        LIMIT enough;
    ELSE
        RETURN QUERY
        SELECT f.article_id, f.at, f.vector
        FROM (SELECT s.article_id, s.at, s.language, s.vector
              FROM ingest.search AS s WHERE s.vector @@ wanted OFFSET 0) AS f
        WHERE f.language = lang AND f.at >= earliest AND f.at < latest
          AND (search_latest.source IS NULL
               OR EXISTS (SELECT FROM ingest.articles AS a WHERE a.id = f.article_id AND a.source = search_latest.source))
        ORDER BY f.at DESC, f.article_id DESC
        LIMIT most;
    END IF;
END
$$;
COMMENT ON FUNCTION ingest.search_latest IS 'Of one language the latest articles that have the words, at most so many; sample: how many are looked at to choose the way';

-- The places in a text where the words are. To look at every word of a text as the search does takes half a millisecond,
-- so that is done only around the places where the letters of the words stand first; and where they stand nowhere (an
-- inflected word may have others), for the whole text. The letters are those of the folded text, which is a little longer.
CREATE OR REPLACE FUNCTION ingest.snippet(language text, words text, exact tsquery, wide tsquery) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    options text := 'StartSel=«, StopSel=», MaxFragments=2, MaxWords=18, MinWords=8, FragmentDelimiter=" … "';
    folded text := ingest.folded(words);
    places int4multirange := (
        SELECT range_agg(int4range(greatest(place - 150, 1), place + 300))
        FROM regexp_matches(querytree(exact), $re$'([^']+)'$re$, 'g') AS lexeme
        CROSS JOIN LATERAL (
            SELECT (strpos(folded, lexeme[1])::bigint * length(words) / length(folded))::integer AS place) AS letters
        WHERE place > 0);
    around text := (
        SELECT string_agg(
            regexp_replace(
                substr(words, lower(place), upper(place) - lower(place)),
                concat_ws('|', CASE WHEN lower(place) > 1 THEN '^\S+\s' END,
                          CASE WHEN upper(place) <= length(words) THEN '\s\S+$' END), '', 'g'),
            E'\n\n' ORDER BY place)
        FROM unnest(places) AS place);
    made text := ts_headline(ingest.text_config(language), around, wide, options);
BEGIN
    IF made ~ '«' THEN
        RETURN made;
    END IF;
    RETURN ts_headline(ingest.text_config(language), words, wide, options);
END
$$;
COMMENT ON FUNCTION ingest.snippet IS 'Up to two places of a text where the words are, the words in «»';

CREATE OR REPLACE FUNCTION news.search(
    query text,
    lang text DEFAULT NULL,
    since timestamptz DEFAULT NULL,
    until timestamptz DEFAULT NULL,
    source text DEFAULT NULL,
    max_rows integer DEFAULT 20
)
RETURNS TABLE (
    article_id bigint,
    rank real,
    published_at timestamptz,
    source_name text,
    title text,
    snippet text,
    canonical_url text,
    language text,
    copy_of bigint
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE languages AS (
        (SELECT s.language FROM ingest.search AS s ORDER BY s.language LIMIT 1)
        UNION ALL
        SELECT (SELECT s.language FROM ingest.search AS s WHERE s.language > l.language ORDER BY s.language LIMIT 1)
        FROM languages AS l WHERE l.language IS NOT NULL
    ),
    queries AS MATERIALIZED (
        SELECT l.language, ingest.search_query(l.language, query) AS wide,
               ingest.search_query(l.language, query, compounds => false) AS exact,
               (count(*) OVER ())::integer AS number
        FROM languages AS l
        WHERE l.language IS NOT NULL AND (lang IS NULL OR l.language = lang)
    ),
    -- ranking reads every vector: of what a common word finds, the latest are ranked
    found AS MATERIALIZED (
        SELECT f.article_id, f.at, f.vector || '' AS vector, q.language, q.wide, q.exact
        FROM queries AS q
        CROSS JOIN LATERAL ingest.search_latest(
            q.language, q.wide, since, until, search.source, greatest(200, 2 * max_rows), 200 / q.number + 20) AS f
        ORDER BY f.at DESC, f.article_id DESC
        LIMIT greatest(200, 2 * max_rows)
    ),
    ranked AS MATERIALIZED (
        -- the word itself before compounds with it; title, teaser and text count as 1 : 0.4 : 0.1
        SELECT f.article_id, f.at, f.language, f.exact, f.wide,
               (2 * ts_rank('{0.02, 0.1, 0.4, 1}', f.vector, f.exact, 1)
                + ts_rank('{0.02, 0.1, 0.4, 1}', f.vector, f.wide, 1))::real AS rank
        FROM found AS f
        ORDER BY rank DESC, f.at DESC, f.article_id DESC
        LIMIT max_rows
    )
    SELECT r.article_id, r.rank, v.published_at, a.source, v.title,
           ingest.snippet(r.language, concat_ws(E'\n\n', v.teaser, v.text), r.exact, r.wide),
           a.canonical_url, v.language, a.copy_of
    FROM ranked AS r
    JOIN ingest.articles AS a ON a.id = r.article_id
    JOIN ingest.versions AS v ON v.article_id = a.id AND v.number = a.version
    ORDER BY r.rank DESC, r.at DESC, r.article_id DESC
$$;
COMMENT ON FUNCTION news.search IS 'Articles that have the words, best first: words are all wanted, "words in order", -without, one or other; compounds and ae for ä are found';

CREATE OR REPLACE FUNCTION news.mentions(
    query text,
    lang text DEFAULT NULL,
    since timestamptz DEFAULT NULL,
    until timestamptz DEFAULT NULL,
    source text DEFAULT NULL
)
RETURNS TABLE (article_id bigint, at timestamptz, source_name text, language text, copy_of bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE languages AS (  -- as in news.search
        (SELECT s.language FROM ingest.search AS s ORDER BY s.language LIMIT 1)
        UNION ALL
        SELECT (SELECT s.language FROM ingest.search AS s WHERE s.language > l.language ORDER BY s.language LIMIT 1)
        FROM languages AS l WHERE l.language IS NOT NULL
    ),
    queries AS MATERIALIZED (
        SELECT l.language, ingest.search_query(l.language, query) AS wanted
        FROM languages AS l
        WHERE l.language IS NOT NULL AND (lang IS NULL OR l.language = lang)
    )
    SELECT s.article_id, s.at, a.source, nullif(s.language, ''), a.copy_of
    FROM queries AS q
    JOIN ingest.search AS s ON s.language = q.language AND s.vector @@ q.wanted
    JOIN ingest.articles AS a ON a.id = s.article_id
    WHERE (since IS NULL OR s.at >= since) AND (until IS NULL OR s.at < until)
      AND (mentions.source IS NULL OR a.source = mentions.source)
$$;
COMMENT ON FUNCTION news.mentions IS 'All articles that have the words, as news.search finds them, without rank and snippet: for counting';
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
    source.next_run_at,
    coalesce(lesson.number, 0) AS lesson,
    lesson.made_at AS lesson_made_at,
    coalesce(latest.strange >= 8, false) AS template_changed,
    day.number AS articles_last_day,
    source.expected_per_day,
    -- a third: on a Sunday or a holiday many bring half
    CASE WHEN source.added_at < now() - interval '1 day' THEN day.number < source.expected_per_day / 3.0 END AS is_quiet
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
) AS page
CROSS JOIN LATERAL (
    SELECT count(*) AS number FROM ingest.articles
    WHERE articles.source = source.name AND articles.first_seen_at > now() - interval '1 day'
) AS day
LEFT JOIN LATERAL (
    SELECT * FROM ingest.lessons WHERE lessons.source = source.name ORDER BY number DESC LIMIT 1
) AS lesson ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS strange
    FROM (
        SELECT version.container
        FROM ingest.articles
        JOIN ingest.versions AS version ON version.article_id = articles.id AND version.number = 1
        WHERE articles.source = source.name AND cardinality(lesson.containers) > 0
        ORDER BY articles.first_seen_at DESC
        LIMIT 10
    ) AS read
    WHERE coalesce(rtrim(read.container, '!'), '') <> ALL (string_to_array(replace(
        array_to_string(lesson.containers, E'\n'), '!', ''), E'\n'))
) AS latest;

COMMENT ON VIEW news.sources IS 'A row per source, with its last and next run';
COMMENT ON COLUMN news.sources.name IS 'Name of the source, as in news.articles.source';
COMMENT ON COLUMN news.sources.title IS 'Name for people';
COMMENT ON COLUMN news.sources.homepage IS 'Address of the site';
COMMENT ON COLUMN news.sources.language IS 'Language code that its source file states';
COMMENT ON COLUMN news.sources.country IS 'Country code that its source file states';
COMMENT ON COLUMN news.sources.time_zone IS 'Zone in which the site writes its times';
COMMENT ON COLUMN news.sources.enabled IS 'Whether the schedule runs it';
COMMENT ON COLUMN news.sources.articles IS 'Articles stored of it, copies included';
COMMENT ON COLUMN news.sources.last_article_at IS 'When its latest article was first fetched';
COMMENT ON COLUMN news.sources.pending IS 'Pages that were found and have no end yet';
COMMENT ON COLUMN news.sources.last_run IS 'id in news.runs of its last run';
COMMENT ON COLUMN news.sources.last_run_started_at IS 'Begin of that run';
COMMENT ON COLUMN news.sources.last_run_ended_at IS 'End of that run; null while it runs';
COMMENT ON COLUMN news.sources.last_run_outcome IS 'running, finished, failed or stopped';
COMMENT ON COLUMN news.sources.last_run_error IS 'What went wrong in that run';
COMMENT ON COLUMN news.sources.next_run_at IS 'When the schedule will run it next; null where no schedule has said so';
COMMENT ON COLUMN news.sources.lesson IS 'Number of what its own pages have taught the reader; 0: nothing yet';
COMMENT ON COLUMN news.sources.lesson_made_at IS 'When that was learned';
COMMENT ON COLUMN news.sources.template_changed IS 'Whether 8 of its last 10 articles were not where the lesson says: the site was probably redesigned';
COMMENT ON COLUMN news.sources.articles_last_day IS 'Articles that were first fetched in the last 24 hours, copies included';
COMMENT ON COLUMN news.sources.expected_per_day IS 'New articles on an ordinary day, as its source file says; null: it says nothing';
COMMENT ON COLUMN news.sources.is_quiet IS 'Whether the last 24 hours brought less than a third of what is expected; null: nothing is expected, or it is known for less than a day';
CREATE OR REPLACE VIEW news.stories AS
SELECT
    story.id,
    first_version.title,
    story.first_seen_at,
    story.last_seen_at,
    story.articles,
    story.sources
FROM ingest.stories AS story
JOIN ingest.articles AS first ON first.id = story.id
JOIN ingest.versions AS first_version ON first_version.article_id = first.id AND first_version.number = first.version;

COMMENT ON VIEW news.stories IS 'A row per story: articles about one event, one of them or many';
COMMENT ON COLUMN news.stories.id IS 'Number of the story: the id of the article that began it; never changes';
COMMENT ON COLUMN news.stories.title IS 'Headline of that article as it reads now';
COMMENT ON COLUMN news.stories.first_seen_at IS 'First fetch of its first article';
COMMENT ON COLUMN news.stories.last_seen_at IS 'First fetch of its latest article';
COMMENT ON COLUMN news.stories.articles IS 'Articles, copies included';
COMMENT ON COLUMN news.stories.sources IS 'Sources that tell it';

CREATE OR REPLACE VIEW news.story_articles AS
SELECT
    member.story_id,
    member.article_id,
    member.likeness,
    article.source,
    version.title,
    version.published_at,
    article.first_seen_at,
    article.canonical_url,
    article.copy_of
FROM ingest.story_articles AS member
JOIN ingest.articles AS article ON article.id = member.article_id
JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version;

COMMENT ON VIEW news.story_articles IS 'A row per article with the story that it belongs to';
COMMENT ON COLUMN news.story_articles.story_id IS 'id in news.stories';
COMMENT ON COLUMN news.story_articles.article_id IS 'id in news.articles';
COMMENT ON COLUMN news.story_articles.likeness IS 'How much it resembled the story when it came, 0 to 1; null: it began the story';
COMMENT ON COLUMN news.story_articles.source IS 'Source of the article';
COMMENT ON COLUMN news.story_articles.title IS 'Headline';
COMMENT ON COLUMN news.story_articles.published_at IS 'When its site says it was published';
COMMENT ON COLUMN news.story_articles.first_seen_at IS 'First fetch of the article';
COMMENT ON COLUMN news.story_articles.canonical_url IS 'Address of the article';
COMMENT ON COLUMN news.story_articles.copy_of IS 'id of the article that had the same text first; null where this one was first';
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
    version.kind
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

CREATE OR REPLACE FUNCTION news.articles_as_of(at timestamptz)
RETURNS TABLE (
    id bigint, version integer, source text, canonical_url text, title text, teaser text, text text, text_markdown text,
    section text, authors text[], keywords text[], published_at timestamptz, modified_at timestamptz, language text,
    agency text, kind text, word_count integer, first_seen_at timestamptz, fetched_at timestamptz, is_gone boolean)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    -- from the views, which readers may read, and in one SELECT, which Postgres can merge with the query around it
    SELECT article.id, then_.version, article.source, article.canonical_url, then_.title, then_.teaser, then_.text,
           then_.text_markdown, then_.section, then_.authors, then_.keywords, then_.published_at, then_.modified_at,
           then_.language, then_.agency, then_.kind, then_.word_count, article.first_seen_at, then_.fetched_at,
           EXISTS (
               SELECT FROM news.absences AS absence
               WHERE absence.article_id = article.id AND absence.gone_at <= articles_as_of.at
                 AND (absence.back_at IS NULL OR absence.back_at > articles_as_of.at))
    FROM news.articles AS article
    CROSS JOIN LATERAL (
        SELECT * FROM news.versions AS version
        WHERE version.article_id = article.id AND version.fetched_at <= articles_as_of.at
        ORDER BY version.fetched_at DESC, version.version DESC
        LIMIT 1
    ) AS then_
    WHERE article.first_seen_at <= articles_as_of.at
$$;

COMMENT ON FUNCTION news.articles_as_of(timestamptz) IS 'The articles as Nachlese knew them at an instant: a row per article that it had fetched by then, in the wording it had then';
