-- ingest.run_pages by blocks of runs, on a database that is in use: old endings of pages then go by dropping a table.
--
--     psql -v ON_ERROR_STOP=1 -f deploy/postgres/partition-run-pages.sql "$NACHLESE_DATABASE_URL"
--
-- Run it as the owner of the tables, outside a transaction, and to its end. It can be run again wherever it stopped, also when
-- all is done. The look through the old rows is done beside the writers. They wait for the last step only, which changes names
-- and copies nothing. The old rows stay where they are, as the first block.
--
-- A page ends once in a run, which is a matter of run, page and item: so what a table is made of are runs, by their numbers, and
-- not months. Numbers follow time. A block has as many runs as there were in the last thirty days, 100,000 at least.
--
-- From then on `nachlese db prune`, which the schedule does once a day, makes the next blocks and drops those of whose runs each
-- has ended longer than [retention] bookkeeping ago: rows stay up to the time of a block longer than without blocks.

SET lock_timeout = '5s';
SET statement_timeout = 0;

-- Up to which run the old rows go: at least a block ahead. To see that it is true takes a look at all of them, which is done
-- here, so that the last step need not.
DO $$
DECLARE
    size bigint;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'ingest.run_pages'::regclass) = 'r' THEN
        SELECT greatest(100000, count(*)) INTO size FROM ingest.runs WHERE started_at > now() - interval '30 days';
        ALTER TABLE ingest.run_pages DROP CONSTRAINT IF EXISTS run_pages_before;
        EXECUTE format('ALTER TABLE ingest.run_pages ADD CONSTRAINT run_pages_before CHECK (run_id < %s) NOT VALID',
                       (SELECT coalesce(max(id), 0) FROM ingest.runs) + size);
        EXECUTE format(
            'CREATE OR REPLACE FUNCTION ingest.run_pages_block() RETURNS bigint LANGUAGE sql IMMUTABLE AS %L',
            format('SELECT %s::bigint', size));
        COMMENT ON FUNCTION ingest.run_pages_block IS 'How many runs a block of ingest.run_pages has';
    END IF;
END
$$;
SELECT 'ALTER TABLE ingest.run_pages VALIDATE CONSTRAINT run_pages_before'
WHERE (SELECT relkind FROM pg_class WHERE oid = 'ingest.run_pages'::regclass) = 'r'
\gexec

-- The blocks: from the first run to before the second; without any for what no other is there for.
CREATE OR REPLACE FUNCTION ingest.run_pages_partitions() RETURNS TABLE (name regclass, begins bigint, ends bigint)
    LANGUAGE sql STABLE AS $$
    SELECT class.oid::regclass, coalesce(substring(bound FROM 'FROM \(''?(\d+)')::bigint, 0),
           substring(bound FROM 'TO \(''?(\d+)')::bigint
    FROM pg_inherits
    JOIN pg_class AS class ON class.oid = inhrelid
    CROSS JOIN LATERAL pg_get_expr(class.relpartbound, class.oid) AS bound
    WHERE inhparent = 'ingest.run_pages'::regclass
$$;
COMMENT ON FUNCTION ingest.run_pages_partitions IS 'The blocks of ingest.run_pages, from which run until which';

-- Makes blocks for two more than the latest run has, and drops those all of whose runs ended before an instant; how many it
-- dropped. What no block is there for goes to run_pages_rest, so no ending is ever refused; its rows go with their runs.
CREATE OR REPLACE FUNCTION ingest.keep_run_pages_by_block(before timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, ingest SET lock_timeout = '900ms' AS $$
DECLARE
    latest bigint := (SELECT coalesce(max(id), 0) FROM ingest.runs);
    next_begin bigint := (SELECT max(ends) FROM ingest.run_pages_partitions());
    next_end bigint;
    one record;
    dropped integer := 0;
BEGIN
    WHILE next_begin < latest + 2 * ingest.run_pages_block() LOOP
        next_end := next_begin + ingest.run_pages_block();
        EXIT WHEN EXISTS (SELECT FROM ingest.run_pages_rest WHERE run_id >= next_begin AND run_id < next_end);
        EXECUTE format('CREATE TABLE ingest.run_pages_%s PARTITION OF ingest.run_pages FOR VALUES FROM (%s) TO (%s)',
                       next_begin, next_begin, next_end);
        EXECUTE format('COMMENT ON TABLE ingest.run_pages_%s IS %L', next_begin, 'A block of ingest.run_pages');
        next_begin := next_end;
    END LOOP;
    -- the last block stays: the bounds of the next one are taken from it
    FOR one IN
        SELECT part.name FROM ingest.run_pages_partitions() AS part
        WHERE part.ends <= latest AND NOT EXISTS (
            SELECT FROM ingest.runs AS run
            WHERE run.id >= part.begins AND run.id < part.ends AND (run.ended_at IS NULL OR run.ended_at >= before))
    LOOP
        EXECUTE format('DROP TABLE %s', one.name);
        dropped := dropped + 1;
    END LOOP;
    DELETE FROM ingest.run_pages_rest AS done USING ingest.runs AS run
    WHERE run.id = done.run_id AND run.ended_at < before;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION ingest.keep_run_pages_by_block IS 'Makes the next blocks of ingest.run_pages and drops the old ones';
REVOKE ALL ON FUNCTION ingest.keep_run_pages_by_block FROM PUBLIC;

-- The last step, in one transaction: the old table becomes the first partition of a new one.
DO $$
DECLARE
    old CONSTANT oid := 'ingest.run_pages'::regclass;
    owner text;
    one record;
    commands text[] := '{}';
    command text;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = old) <> 'r' THEN
        RETURN;
    END IF;
    LOCK TABLE ingest.run_pages IN ACCESS EXCLUSIVE MODE;
    -- views follow the table, whatever its name is: they are made again over the new one
    FOR one IN
        SELECT DISTINCT view.oid::regclass AS name, pg_get_viewdef(view.oid) AS definition, view.reloptions AS options
        FROM pg_depend JOIN pg_rewrite AS rule ON rule.oid = objid JOIN pg_class AS view ON view.oid = ev_class
        WHERE pg_depend.classid = 'pg_rewrite'::regclass AND refobjid = old AND view.relkind = 'v'
    LOOP
        commands := commands || format('CREATE OR REPLACE VIEW %s %s AS %s', one.name,
            coalesce('WITH (' || array_to_string(one.options, ', ') || ')', ''), one.definition);
    END LOOP;
    FOR one IN
        SELECT acl.privilege_type AS privilege, role.rolname FROM pg_class, aclexplode(relacl) AS acl
        JOIN pg_roles AS role ON role.oid = acl.grantee WHERE pg_class.oid = old
    LOOP
        commands := commands || format('GRANT %s ON ingest.run_pages TO %I', one.privilege, one.rolname);
    END LOOP;
    SELECT rolname INTO owner FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner WHERE pg_class.oid = old;

    ALTER TABLE ingest.run_pages RENAME TO run_pages_first;
    ALTER INDEX ingest.run_pages_pkey RENAME TO run_pages_first_pkey;
    ALTER INDEX ingest.run_pages_of_page RENAME TO run_pages_first_of_page;

    CREATE TABLE ingest.run_pages (LIKE ingest.run_pages_first INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS)
        PARTITION BY RANGE (run_id);
    ALTER TABLE ingest.run_pages DROP CONSTRAINT run_pages_before;
    ALTER TABLE ingest.run_pages ADD CONSTRAINT run_pages_pkey PRIMARY KEY (run_id, page_id, item);
    CREATE INDEX run_pages_of_page ON ingest.run_pages (page_id);
    FOR one IN
        SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
        WHERE conrelid = 'ingest.run_pages_first'::regclass AND contype = 'f'
    LOOP
        EXECUTE format('ALTER TABLE ingest.run_pages ADD CONSTRAINT %I %s', one.conname, one.definition);
    END LOOP;
    FOR one IN
        SELECT indexrelid::regclass AS name, indexrelid FROM pg_index WHERE indrelid = 'ingest.run_pages_first'::regclass
    LOOP
        command := obj_description(one.indexrelid, 'pg_class');
        IF command IS NOT NULL THEN
            EXECUTE format('COMMENT ON INDEX %s IS %L', replace(one.name::text, 'run_pages_first_', 'run_pages_'), command);
        END IF;
    END LOOP;
    EXECUTE format('COMMENT ON TABLE ingest.run_pages IS %L', obj_description(old, 'pg_class'));
    EXECUTE (
        SELECT format('ALTER TABLE ingest.run_pages ATTACH PARTITION ingest.run_pages_first FOR VALUES FROM (MINVALUE) TO (%s)',
                      substring(pg_get_constraintdef(oid) FROM '(\d+)'))
        FROM pg_constraint WHERE conrelid = old AND conname = 'run_pages_before');
    CREATE TABLE ingest.run_pages_rest PARTITION OF ingest.run_pages DEFAULT;
    COMMENT ON TABLE ingest.run_pages_rest IS 'Rows of ingest.run_pages for whose run there is no block';
    EXECUTE format('ALTER TABLE ingest.run_pages OWNER TO %I', owner);
    EXECUTE format('ALTER TABLE ingest.run_pages_rest OWNER TO %I', owner);
    EXECUTE format('ALTER FUNCTION ingest.keep_run_pages_by_block OWNER TO %I', owner);
    EXECUTE format('ALTER FUNCTION ingest.run_pages_partitions OWNER TO %I', owner);
    EXECUTE format('ALTER FUNCTION ingest.run_pages_block OWNER TO %I', owner);
    FOREACH command IN ARRAY commands LOOP
        EXECUTE command;
    END LOOP;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'nachlese_writer') THEN
        GRANT EXECUTE ON FUNCTION ingest.keep_run_pages_by_block, ingest.run_pages_partitions TO nachlese_writer;
    END IF;
END
$$;

SELECT ingest.keep_run_pages_by_block('-infinity');
