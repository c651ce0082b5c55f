-- Runs go when they are old. What they counted stays, summed up by day.

CREATE TABLE ingest.run_days (
    source      text NOT NULL,
    day         date NOT NULL,
    kind        text NOT NULL,
    outcome     text NOT NULL,
    runs        bigint NOT NULL,
    took        interval NOT NULL,
    new         bigint NOT NULL,
    new_version bigint NOT NULL,
    unchanged   bigint NOT NULL,
    copy        bigint NOT NULL,
    rejected    bigint NOT NULL,
    PRIMARY KEY (source, day, kind, outcome)
);
COMMENT ON TABLE ingest.run_days IS 'What the runs counted whose rows were deleted; news.run_days adds those that are there';
COMMENT ON COLUMN ingest.run_days.source IS 'The source';
COMMENT ON COLUMN ingest.run_days.day IS 'Day on which they began, in UTC';
COMMENT ON COLUMN ingest.run_days.kind IS 'crawl or recheck; others are not deleted';
COMMENT ON COLUMN ingest.run_days.outcome IS 'finished, failed or stopped';
COMMENT ON COLUMN ingest.run_days.runs IS 'Runs';
COMMENT ON COLUMN ingest.run_days.took IS 'Time that they took together';
COMMENT ON COLUMN ingest.run_days.new IS 'Pages that became a new article';
COMMENT ON COLUMN ingest.run_days.new_version IS 'Pages whose article had changed';
COMMENT ON COLUMN ingest.run_days.unchanged IS 'Pages whose article was stored as it is';
COMMENT ON COLUMN ingest.run_days.copy IS 'Pages that became an article whose text another article had first';
COMMENT ON COLUMN ingest.run_days.rejected IS 'Pages that are no article';

-- A run that goes must not make Postgres look for it in tables without an index by run, row by row. The numbers stay there,
-- as those in ingest.alarms and ingest.observations do, and name nothing any more.
ALTER TABLE ingest.archive_records DROP CONSTRAINT IF EXISTS archive_records_run_id_fkey;
ALTER TABLE ingest.versions DROP CONSTRAINT IF EXISTS versions_run_id_fkey;
ALTER TABLE ingest.attempts DROP CONSTRAINT IF EXISTS attempts_run_id_fkey;
COMMENT ON COLUMN ingest.archive_records.run_id IS 'Run that fetched it, whose row may be gone';
COMMENT ON COLUMN ingest.versions.run_id IS 'Run that stored it, whose row may be gone';

-- where there are roles already: who writes also deletes what is old
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'nachlese_writer') AND has_table_privilege('nachlese_writer', 'ingest.runs', 'UPDATE')
    THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON ingest.run_days TO nachlese_writer;
        GRANT DELETE ON ingest.runs TO nachlese_writer;
    END IF;
END
$$;
