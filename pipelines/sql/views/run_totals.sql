CREATE OR REPLACE VIEW news.run_totals AS
SELECT
    source,
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
    GROUP BY 1, 2, 3
    UNION ALL
    SELECT source, kind, outcome, sum(runs), sum(took), sum(new), sum(new_version), sum(unchanged), sum(copy), sum(rejected)
    FROM ingest.run_days GROUP BY source, kind, outcome
) AS counted
GROUP BY source, kind, outcome;

COMMENT ON VIEW news.run_totals IS 'What all runs of a source ever counted together, also those whose row in news.runs is gone';
COMMENT ON COLUMN news.run_totals.source IS 'The source; null for replays and backfills over several';
COMMENT ON COLUMN news.run_totals.kind IS 'crawl, replay, recheck or backfill';
COMMENT ON COLUMN news.run_totals.outcome IS 'finished, failed or stopped; runs that have not ended are not counted';
COMMENT ON COLUMN news.run_totals.runs IS 'Runs';
COMMENT ON COLUMN news.run_totals.took IS 'Time that they took together';
COMMENT ON COLUMN news.run_totals.new IS 'Pages that became a new article';
COMMENT ON COLUMN news.run_totals.new_version IS 'Pages whose article had changed';
COMMENT ON COLUMN news.run_totals.unchanged IS 'Pages whose article was stored as it is';
COMMENT ON COLUMN news.run_totals.copy IS 'Pages that became a new article whose text another had first';
COMMENT ON COLUMN news.run_totals.rejected IS 'Pages that were no article';
