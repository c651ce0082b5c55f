CREATE OR REPLACE VIEW news.health AS
SELECT
    source.name AS source,
    measured.measure,
    measured.baseline,
    measured.latest,
    measured.observed,
    measured.last_at,
    alarm.id AS alarm_id
FROM ingest.sources AS source
CROSS JOIN LATERAL (
    -- the latest 12 pages beside up to 600 before them that belong to the baseline
    WITH newest AS MATERIALIZED (
        SELECT *, row_number() OVER (ORDER BY id DESC) AS place FROM ingest.observations
        WHERE observations.source = source.name ORDER BY id DESC LIMIT 612
    ), articles AS (
        SELECT *, row_number() OVER (ORDER BY id DESC) AS article_place FROM newest WHERE outcome IN ('new', 'copy')
    )
    SELECT one.measure,
           CASE one.is_median WHEN true
                THEN percentile_cont(0.5) WITHIN GROUP (ORDER BY CASE WHEN counted AND article_place > 12 THEN one.value END)
                ELSE avg(one.value) FILTER (WHERE counted AND article_place > 12) END AS baseline,
           CASE one.is_median WHEN true
                THEN percentile_cont(0.5) WITHIN GROUP (ORDER BY CASE WHEN article_place <= 12 THEN one.value END)
                ELSE avg(one.value) FILTER (WHERE article_place <= 12) END AS latest,
           count(*) FILTER (WHERE counted AND article_place > 12)::integer AS observed, max(at) AS last_at
    FROM articles CROSS JOIN LATERAL (VALUES
        ('words', true, words::float8), ('date', false, is_dated::int), ('author', false, is_signed::int),
        ('section', false, has_section::int), ('paid', false, is_paid::int), ('copies', false, (outcome = 'copy')::int),
        ('titles', false, title_again::int), ('delay', true, delay), ('fetch', true, ms)
    ) AS one (measure, is_median, value)
    WHERE one.value IS NOT NULL
    GROUP BY one.measure, one.is_median
    UNION ALL
    SELECT ended.name, avg((newest.outcome || '_' || coalesce(newest.reason, '') = ended.name)::int)
               FILTER (WHERE counted AND place > 12),
           avg((newest.outcome || '_' || coalesce(newest.reason, '') = ended.name)::int) FILTER (WHERE place <= 12),
           count(*) FILTER (WHERE counted AND place > 12)::integer, max(at)
    FROM newest CROSS JOIN (
        SELECT DISTINCT outcome || '_' || coalesce(reason, '') AS name FROM newest WHERE outcome IN ('rejected', 'failed')
    ) AS ended
    GROUP BY ended.name
    UNION ALL
    SELECT 'articles',
           (SELECT sum(hour.articles) FROM unnest(rhythm.hours) WITH ORDINALITY AS hour (articles, place)
            WHERE (place - 1)::integer / 24 + 1 = extract(isodow FROM now() AT TIME ZONE 'UTC')),
           (SELECT count(*) FROM ingest.observations WHERE observations.source = source.name
                AND outcome IN ('new', 'copy') AND at > now() - interval '1 day'),
           rhythm.articles, rhythm.learned_at
    FROM ingest.rhythms AS rhythm WHERE rhythm.source = source.name
) AS measured
LEFT JOIN ingest.alarms AS alarm
    ON alarm.source = source.name AND alarm.measure = measured.measure AND alarm.closed_at IS NULL;

COMMENT ON VIEW news.health IS 'A row per source and measure: what its own history lets one expect, and how its latest pages are';
COMMENT ON COLUMN news.health.source IS 'Source';
COMMENT ON COLUMN news.health.measure IS 'words, delay (minutes from publication until it was found) and fetch (milliseconds): medians; articles: in a day; all others are shares of the pages';
COMMENT ON COLUMN news.health.baseline IS 'Over up to 600 pages before the latest twelve, those left out that were ill; of articles: on this day of the week; null: there are none yet';
COMMENT ON COLUMN news.health.latest IS 'Over the latest twelve pages; of articles: in the last 24 hours';
COMMENT ON COLUMN news.health.observed IS 'How many pages the baseline is made of';
COMMENT ON COLUMN news.health.last_at IS 'Latest of them';
COMMENT ON COLUMN news.health.alarm_id IS 'id in news.alarms of the open alarm; null: none';
