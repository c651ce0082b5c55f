CREATE OR REPLACE VIEW news.alarms AS
SELECT
    alarm.id,
    alarm.source,
    alarm.measure,
    alarm.opened_at,
    alarm.since,
    alarm.closed_at,
    alarm.closed_because,
    alarm.says,
    alarm.advice,
    alarm.example_url,
    alarm.wording
FROM ingest.alarms AS alarm;

COMMENT ON VIEW news.alarms IS 'A row per time that a source deviated from its own history; those without closed_at are open';
COMMENT ON COLUMN news.alarms.id IS 'Number';
COMMENT ON COLUMN news.alarms.source IS 'Source';
COMMENT ON COLUMN news.alarms.measure IS 'What deviates: as in news.health, or rejected_ and failed_ with a reason, lists_failing, lists_empty, articles, boilerplate';
COMMENT ON COLUMN news.alarms.opened_at IS 'When it was noticed';
COMMENT ON COLUMN news.alarms.since IS 'From when on it deviates';
COMMENT ON COLUMN news.alarms.closed_at IS 'When it was over; null: it is open';
COMMENT ON COLUMN news.alarms.closed_because IS 'well: as before; accepted: a person said that it is how it should be; null: it is open';
COMMENT ON COLUMN news.alarms.says IS 'What is wrong, a sentence for people';
COMMENT ON COLUMN news.alarms.advice IS 'What to do about it';
COMMENT ON COLUMN news.alarms.example_url IS 'A page or list that shows it; null: there is none';
COMMENT ON COLUMN news.alarms.wording IS 'says and advice once more, each as a text with names in braces and their values, to be said in another language; null: from an older version';
