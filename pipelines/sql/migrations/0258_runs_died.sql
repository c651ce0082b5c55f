-- Runs that a process left behind when it died, and that nobody went on with.

CREATE INDEX runs_died ON ingest.runs (source, started_at)
    WHERE outcome = 'failed' AND error IN ('lost lease', 'its process was killed');
COMMENT ON INDEX ingest.runs_died IS 'Finds the runs whose process died; they are few';
