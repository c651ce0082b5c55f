CREATE OR REPLACE VIEW news.rhythms AS
SELECT
    rhythm.source,
    (hour.place - 1)::integer / 24 + 1 AS weekday,
    (hour.place - 1)::integer % 24 AS hour,
    hour.articles,
    rhythm.learned_at
FROM ingest.rhythms AS rhythm
CROSS JOIN LATERAL unnest(rhythm.hours) WITH ORDINALITY AS hour (articles, place);

COMMENT ON VIEW news.rhythms IS 'A row per source and hour of the week: how many articles it usually brings then, from its last four weeks';
COMMENT ON COLUMN news.rhythms.source IS 'Source';
COMMENT ON COLUMN news.rhythms.weekday IS '1 is Monday, 7 is Sunday, in UTC';
COMMENT ON COLUMN news.rhythms.hour IS 'Hour of the day in UTC, 0 to 23';
COMMENT ON COLUMN news.rhythms.articles IS 'Articles in this hour of an ordinary week';
COMMENT ON COLUMN news.rhythms.learned_at IS 'When it was worked out';
