-- Who writes does not own the index that has to be flushed.

CREATE FUNCTION ingest.flush_search() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT gin_clean_pending_list('ingest.search_words')
$$;
COMMENT ON FUNCTION ingest.flush_search IS 'Moves what was written lately into the index of the search';
