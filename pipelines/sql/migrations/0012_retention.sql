-- What deleting old archive files asks.

CREATE INDEX versions_archive_record ON ingest.versions (archive_record_id) WHERE archive_record_id IS NOT NULL;
COMMENT ON INDEX ingest.versions_archive_record IS 'Serves the deletion of archive records: the versions that were read from one';
