-- Three roles with the least rights each of them needs. Applied by `nachlese db roles`, as often as one likes.
-- The roles exist already and the current user is a member of the owner.

-- Everything that is Nachlese's belongs to the owner: tables, their sequences, views.
DO $$
DECLARE
    one record;
BEGIN
    EXECUTE format('GRANT CREATE ON DATABASE %I TO nachlese_owner', current_database());
    FOR one IN
        SELECT nspname FROM pg_namespace WHERE nspname IN ('ingest', 'news') AND nspowner <> 'nachlese_owner'::regrole
    LOOP
        EXECUTE format('ALTER SCHEMA %I OWNER TO nachlese_owner', one.nspname);
    END LOOP;
    FOR one IN
        SELECT oid::regclass AS name, relkind FROM pg_class
        WHERE relnamespace IN ('ingest'::regnamespace, 'news'::regnamespace) AND relkind IN ('r', 'p', 'v')
          AND relowner <> 'nachlese_owner'::regrole
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO nachlese_owner', CASE one.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, one.name);
    END LOOP;
    -- the views' functions: some read with their owner's rights
    FOR one IN
        SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace IN ('ingest'::regnamespace, 'news'::regnamespace) AND proowner <> 'nachlese_owner'::regrole
    LOOP
        EXECUTE format('ALTER ROUTINE %s OWNER TO nachlese_owner', one.name);
    END LOOP;
    -- what `nachlese db meanings` stored before there were roles: the search reads it with the owner's rights
    IF to_regclass('meaning.articles') IS NOT NULL THEN
        ALTER SCHEMA meaning OWNER TO nachlese_owner;
        ALTER TABLE meaning.articles OWNER TO nachlese_owner;
    END IF;
    -- who may connect is the operator's to say; what may be made in this database is not for everybody
    EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END
$$;

REVOKE ALL ON SCHEMA ingest, news FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA ingest, news FROM PUBLIC, nachlese_writer, nachlese_reader;
REVOKE ALL ON SCHEMA ingest, news FROM nachlese_writer, nachlese_reader;

GRANT USAGE ON SCHEMA ingest, news TO nachlese_writer;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA ingest TO nachlese_writer;
REVOKE INSERT, UPDATE ON ingest.migrations FROM nachlese_writer;
-- links that were only seen again are counted and forgotten, fingerprints move and are replaced, watchlists are what the files
-- say, processes end, stories are regrouped beside those that are there; what [retention] says is too old goes once a day.
-- Claims on files end, and how far a reading of the archive had come is no matter when it has ended; nor are the files of
-- a batch that ended long ago.
-- No article that was published is ever deleted
GRANT DELETE ON ingest.runs, ingest.run_pages, ingest.attempts, ingest.versions, ingest.archive_records, ingest.claims,
    ingest.bands, ingest.watches, ingest.observations, ingest.workers, ingest.host_workers, ingest.regrouped_articles,
    ingest.regrouped_terms, ingest.file_claims, ingest.rereadings, ingest.backfills,
    ingest.file_batches, ingest.batch_files, ingest.batch_runs TO nachlese_writer;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA ingest TO nachlese_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA news TO nachlese_writer;

-- requests by month, endings by blocks of runs, where deploy/postgres/partition-*.sql were run
DO $$
BEGIN
    IF to_regprocedure('ingest.keep_attempts_by_month(timestamptz)') IS NOT NULL THEN
        REVOKE ALL ON FUNCTION ingest.keep_attempts_by_month FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION ingest.keep_attempts_by_month, ingest.attempts_partitions TO nachlese_writer;
    END IF;
    IF to_regprocedure('ingest.keep_run_pages_by_block(timestamptz)') IS NOT NULL THEN
        REVOKE ALL ON FUNCTION ingest.keep_run_pages_by_block FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION ingest.keep_run_pages_by_block, ingest.run_pages_partitions TO nachlese_writer;
    END IF;
END
$$;

-- the queues of `nachlese worker`, where there are some
DO $$
DECLARE
    queue text;
BEGIN
    FOREACH queue IN ARRAY ARRAY['nachlese_queue', 'nachlese_files']
    LOOP
        IF to_regnamespace(queue) IS NOT NULL THEN
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO nachlese_writer', queue);
            EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA %I TO nachlese_writer', queue);
            EXECUTE format('GRANT ALL ON ALL SEQUENCES IN SCHEMA %I TO nachlese_writer', queue);
        END IF;
    END LOOP;
END
$$;

-- vectors of meanings, where `nachlese db meanings` has made their table
DO $$
BEGIN
    IF to_regclass('meaning.articles') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA meaning TO nachlese_writer;
        GRANT SELECT, INSERT, UPDATE ON meaning.articles TO nachlese_writer;
    END IF;
END
$$;

GRANT USAGE ON SCHEMA news TO nachlese_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA news TO nachlese_reader;

-- and what later versions will add
ALTER DEFAULT PRIVILEGES FOR ROLE nachlese_owner IN SCHEMA ingest GRANT SELECT, INSERT, UPDATE ON TABLES TO nachlese_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE nachlese_owner IN SCHEMA ingest GRANT USAGE ON SEQUENCES TO nachlese_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE nachlese_owner IN SCHEMA news GRANT SELECT ON TABLES TO nachlese_writer, nachlese_reader;

-- a query that somebody forgot ends by itself; what the operator has set instead stays
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['statement_timeout=5min', 'default_transaction_read_only=on']
    LOOP
        IF NOT EXISTS (
            SELECT FROM pg_db_role_setting, unnest(setconfig) AS stated
            WHERE setrole = 'nachlese_reader'::regrole AND setdatabase = 0
              AND split_part(stated, '=', 1) = split_part(wanted, '=', 1))
        THEN
            EXECUTE format('ALTER ROLE nachlese_reader SET %I = %L', split_part(wanted, '=', 1), split_part(wanted, '=', 2));
        END IF;
    END LOOP;
END
$$;
