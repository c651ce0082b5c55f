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

COMMENT ON VIEW news.runs IS 'A row per run of a source or replay, for as long as it is kept; counts are written when it ends';
COMMENT ON COLUMN news.runs.id IS 'Number of the run';
COMMENT ON COLUMN news.runs.source IS 'The source; null for a replay or backfill over several';
COMMENT ON COLUMN news.runs.kind IS 'crawl, replay, recheck or backfill';
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
