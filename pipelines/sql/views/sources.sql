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
    CASE WHEN source.added_at < now() - interval '1 day' THEN day.number < source.expected_per_day / 3.0 END AS is_quiet,
    source.next_run_why,
    (SELECT count(*) FROM ingest.alarms WHERE alarms.source = source.name AND alarms.closed_at IS NULL)::integer AS alarms,
    (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY found.delay)
     FROM (SELECT delay FROM ingest.observations AS seen
           WHERE seen.source = source.name AND seen.outcome IN ('new', 'copy')
           ORDER BY seen.id DESC LIMIT 12) AS found) AS minutes_until_found
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
COMMENT ON COLUMN news.sources.next_run_why IS 'Why the next run is then; null where the source file says how often it runs';
COMMENT ON COLUMN news.sources.alarms IS 'How many alarms are open; see news.alarms';
COMMENT ON COLUMN news.sources.minutes_until_found IS 'Median over its latest twelve articles of the minutes from publication until they were found; null: of none it is known';
