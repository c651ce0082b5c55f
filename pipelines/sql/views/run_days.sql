CREATE OR REPLACE VIEW news.run_days AS
SELECT
    source,
    day,
    kind,
    outcome,
    sum(runs)::bigint AS runs,
    sum(took) AS took,
    sum(new)::bigint AS new,
    sum(new_version)::bigint AS new_version,
    sum(unchanged)::bigint AS unchanged,
    sum(copy)::bigint AS copy,
    sum(rejected)::bigint AS rejected
FROM (
    SELECT
        run.source,
        (run.started_at AT TIME ZONE 'UTC')::date AS day,
        run.kind,
        run.outcome,
        count(*) AS runs,
        sum(run.ended_at - run.started_at) AS took,
        sum(run.new) AS new,
        sum(run.new_version) AS new_version,
        sum(run.unchanged) AS unchanged,
        sum(run.copy) AS copy,
        sum(run.rejected) AS rejected
    FROM ingest.runs AS run
    WHERE run.ended_at IS NOT NULL
    GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT source, day, kind, outcome, runs, took, new, new_version, unchanged, copy, rejected FROM ingest.run_days
) AS counted
GROUP BY source, day, kind, outcome;

COMMENT ON VIEW news.run_days IS 'What the runs of a day counted together, also those whose row in news.runs is gone';
COMMENT ON COLUMN news.run_days.source IS 'The source; null for replays and backfills over several';
COMMENT ON COLUMN news.run_days.day IS 'Day on which they began, in UTC';
COMMENT ON COLUMN news.run_days.kind IS 'crawl, replay, recheck or backfill';
COMMENT ON COLUMN news.run_days.outcome IS 'finished, failed or stopped; runs that have not ended are not counted';
COMMENT ON COLUMN news.run_days.runs IS 'Runs';
COMMENT ON COLUMN news.run_days.took IS 'Time that they took together';
COMMENT ON COLUMN news.run_days.new IS 'Pages that became a new article';
COMMENT ON COLUMN news.run_days.new_version IS 'Pages whose article had changed';
COMMENT ON COLUMN news.run_days.unchanged IS 'Pages whose article was stored as it is';
COMMENT ON COLUMN news.run_days.copy IS 'Pages that became a new article whose text another had first';
COMMENT ON COLUMN news.run_days.rejected IS 'Pages that were no article';
