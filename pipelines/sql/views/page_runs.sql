CREATE OR REPLACE VIEW news.page_runs AS
SELECT
    done.run_id AS run,
    run.kind,
    run.source,
    done.page_id,
    done.recorded_at AS at,
    done.ending AS outcome,
    done.reason,
    done.detail,
    done.article_id,
    done.version,
    done.copy_of
FROM ingest.run_pages AS done
JOIN ingest.runs AS run ON run.id = done.run_id;

COMMENT ON VIEW news.page_runs IS 'A row per run and page that the run had in hand, for as long as they are kept';
COMMENT ON COLUMN news.page_runs.run IS 'id in news.runs';
COMMENT ON COLUMN news.page_runs.kind IS 'Kind of the run: crawl, replay, recheck or backfill';
COMMENT ON COLUMN news.page_runs.source IS 'Source of the run; null for a replay or backfill over several';
COMMENT ON COLUMN news.page_runs.page_id IS 'id in news.pages';
COMMENT ON COLUMN news.page_runs.at IS 'When it was recorded';
COMMENT ON COLUMN news.page_runs.outcome IS 'new, new_version, unchanged, copy or rejected; null: none in this run';
COMMENT ON COLUMN news.page_runs.reason IS 'Why it was rejected or put off';
COMMENT ON COLUMN news.page_runs.detail IS 'The same for people';
COMMENT ON COLUMN news.page_runs.article_id IS 'id in news.articles';
COMMENT ON COLUMN news.page_runs.version IS 'Wording that was read; see news.versions';
COMMENT ON COLUMN news.page_runs.copy_of IS 'id of the article that had the same text first';
