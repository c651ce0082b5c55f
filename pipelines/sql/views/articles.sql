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
    version.published_on,
    CASE WHEN article.gone_at IS NOT NULL THEN article.gone_reason END AS gone_reason,
    -- subqueries, so that who does not ask for them does not pay for them
    greatest(article.fetched_at, (
        SELECT max(attempt.at) FROM ingest.pages AS page
        JOIN ingest.attempts AS attempt ON attempt.page_id = page.id
        WHERE page.article_id = article.id)) AS checked_at,
    (SELECT min(page.next_check_at) FROM ingest.pages AS page
     WHERE page.article_id = article.id AND page.state = 'ended') AS next_check_at,
    ARRAY(SELECT DISTINCT page.source FROM ingest.pages AS page
          WHERE page.article_id = article.id AND page.source <> article.source ORDER BY page.source) AS named_by,
    article.tdm_reserved,
    article.tdm_policy,
    article.robots_directives,
    article.ai_crawlers_disallowed,
    article.license,
    article.rights_stated_in,
    version.text_withheld,
    EXISTS (SELECT FROM ingest.versions AS same
            JOIN ingest.articles AS other ON other.id = same.article_id AND other.version = same.number
            WHERE same.text_key = version.text_key AND other.id <> article.id
              AND coalesce(other.copy_of, other.id) <> coalesce(article.copy_of, article.id)) AS is_wall,
    version.backfilled_from
FROM ingest.articles AS article
JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version;

COMMENT ON VIEW news.articles IS 'A row per article, in its current wording; copies have rows of their own';
COMMENT ON COLUMN news.articles.id IS 'Number of the article; never changes, never given twice';
COMMENT ON COLUMN news.articles.url IS 'Address from which the article is read: its own page, or a view of it where only that is known';
COMMENT ON COLUMN news.articles.canonical_url IS 'Address under which it is known; one row per canonical address';
COMMENT ON COLUMN news.articles.source IS 'Source on whose site it is, or else that found it first; see news.sources';
COMMENT ON COLUMN news.articles.title IS 'Headline';
COMMENT ON COLUMN news.articles.teaser IS 'Lead above the text; not repeated in the text';
COMMENT ON COLUMN news.articles.section IS 'Section of the site, the first one where it names several';
COMMENT ON COLUMN news.articles.authors IS 'Names of the authors; empty where none is named';
COMMENT ON COLUMN news.articles.keywords IS 'Keywords the page states; empty where it states none';
COMMENT ON COLUMN news.articles.published_at IS 'When the site says it was published; null where it does not say';
COMMENT ON COLUMN news.articles.published_precision IS 'second, minute or day; day means that the time of published_at is local midnight';
COMMENT ON COLUMN news.articles.published_provenance IS 'Where published_at was stated: jsonld, meta, microdata, time, text, url, feed, sitemap or htmldate';
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
COMMENT ON COLUMN news.articles.kind IS 'article, live_blog, video, gallery, press_release, advertorial or other (of a service, shop, forum, company)';
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
COMMENT ON COLUMN news.articles.checked_at IS 'Last look at its page, whatever came of it; fetched_at is the last one that found the article';
COMMENT ON COLUMN news.articles.next_check_at IS 'When its page is due to be looked at again, in the first run of its source after that; null: no more';
COMMENT ON COLUMN news.articles.named_by IS 'Other sources whose feeds, sitemaps or pages named it, too; empty: none';
COMMENT ON COLUMN news.articles.tdm_reserved IS 'TDM Reservation Protocol: mining is reserved (true) or not (false); null: not stated';
COMMENT ON COLUMN news.articles.tdm_policy IS 'Address of the policy that goes with it';
COMMENT ON COLUMN news.articles.robots_directives IS 'Restrictions of X-Robots-Tag and meta robots: noai, noarchive, "AGENT: noindex" ...';
COMMENT ON COLUMN news.articles.ai_crawlers_disallowed IS 'AI crawlers that robots.txt names and keeps from the page';
COMMENT ON COLUMN news.articles.license IS 'Address or name of the licence that the page states';
COMMENT ON COLUMN news.articles.rights_stated_in IS 'Where that was stated; what was stated before: see news.rights';
COMMENT ON COLUMN news.articles.text_withheld IS 'The text is empty because the site reserves its rights and settings.toml says do_not_store_text';
COMMENT ON COLUMN news.articles.is_wall IS 'Whether the same text stands on another article under a headline that has no word with it in common: a request to log in, to pay or to agree in the place of an article';
COMMENT ON COLUMN news.articles.backfilled_from IS 'Archive of others from which a backfill read this wording, path or address; null: this installation fetched it';
