CREATE INDEX changes_edits ON ingest.changes (id) WHERE kind IN ('version', 'gone', 'back');
COMMENT ON INDEX ingest.changes_edits IS 'Serves the list of what was changed and taken down, which is little beside what was new';
