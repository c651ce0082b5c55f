-- Who goes on with the work of a process that died or was stopped.

ALTER TABLE ingest.runs ADD COLUMN takes_over bigint;
COMMENT ON COLUMN ingest.runs.takes_over IS 'The run of a process that died or was stopped, with whose work this one goes on';

CREATE INDEX runs_stopped ON ingest.runs (source, started_at) WHERE outcome = 'stopped';
COMMENT ON INDEX ingest.runs_stopped IS 'Finds the runs that a process handed over when it was stopped; they are few';
