-- ingest.attempts by month, on a database that is in use: old requests then go by dropping a table, not row by row.
--
--     psql -v ON_ERROR_STOP=1 -f deploy/postgres/partition-attempts.sql "$NACHLESE_DATABASE_URL"
--
-- Run it as the owner of the tables, outside a transaction. It can be run again wherever it stopped, also when all is done.
-- What takes long (an index over the old rows, a look through them) is done beside the writers. They wait for the last step
-- only, which changes names and copies nothing. The old rows stay where they are, as the first partition.
--
-- From then on `nachlese db prune`, which the schedule does once a day, makes the partitions of the next months and drops those
-- in which everything is older than [retention] bookkeeping: rows stay up to a month longer than without partitions.

SET lock_timeout = '5s';
SET statement_timeout = 0;
SET timezone = 'UTC';

-- A partition's key belongs to the primary key. An index that an earlier try left half made is made anew.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('ingest.attempts_by_month') AND NOT indisvalid) THEN
        DROP INDEX ingest.attempts_by_month;
    END IF;
END
$$;
SELECT 'CREATE UNIQUE INDEX CONCURRENTLY attempts_by_month ON ingest.attempts (id, at)'
WHERE (SELECT relkind FROM pg_class WHERE oid = 'ingest.attempts'::regclass) = 'r'
  AND to_regclass('ingest.attempts_by_month') IS NULL
\gexec

-- Up to when the old rows go: the first of a month, at least a day ahead. To see that it is true takes a look at all of them,
-- which is done here, so that the last step need not.
DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'ingest.attempts'::regclass) = 'r' THEN
        ALTER TABLE ingest.attempts DROP CONSTRAINT IF EXISTS attempts_before;
        EXECUTE format(
            'ALTER TABLE ingest.attempts ADD CONSTRAINT attempts_before CHECK (at < %L::timestamptz) NOT VALID',
            date_trunc('month', now() + interval '1 day') + interval '1 month');
    END IF;
END
$$;
SELECT 'ALTER TABLE ingest.attempts VALIDATE CONSTRAINT attempts_before'
WHERE (SELECT relkind FROM pg_class WHERE oid = 'ingest.attempts'::regclass) = 'r'
\gexec

-- Makes the partitions of this month and of the three that follow, and drops those that are older than an instant; how many it
-- dropped. What no partition is there for goes to attempts_rest, so no request is ever refused; its rows go one by one.
CREATE OR REPLACE FUNCTION ingest.keep_attempts_by_month(before timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, ingest SET lock_timeout = '900ms' SET timezone = 'UTC' AS $$
DECLARE
    month_begin timestamptz := date_trunc('month', now());
    month_end timestamptz;
    one record;
    dropped integer := 0;
BEGIN
    FOR number IN 0..3 LOOP
        month_end := month_begin + interval '1 month';
        IF to_regclass(format('ingest.attempts_%s', to_char(month_begin, 'YYYY_MM'))) IS NULL
            AND NOT EXISTS (
                SELECT FROM ingest.attempts_partitions() AS part WHERE part.ends IS NOT NULL AND month_begin < part.ends
                    AND month_end > part.begins)
            AND NOT EXISTS (SELECT FROM ingest.attempts_rest WHERE at >= month_begin AND at < month_end)
        THEN
            EXECUTE format('CREATE TABLE ingest.attempts_%s PARTITION OF ingest.attempts FOR VALUES FROM (%L) TO (%L)',
                           to_char(month_begin, 'YYYY_MM'), month_begin, month_end);
            EXECUTE format('COMMENT ON TABLE ingest.attempts_%s IS %L', to_char(month_begin, 'YYYY_MM'),
                           'A month of ingest.attempts');
        END IF;
        month_begin := month_end;
    END LOOP;
    FOR one IN SELECT part.name FROM ingest.attempts_partitions() AS part WHERE part.ends <= before LOOP
        EXECUTE format('DROP TABLE %s', one.name);
        dropped := dropped + 1;
    END LOOP;
    DELETE FROM ingest.attempts_rest WHERE at < before;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION ingest.keep_attempts_by_month IS 'Makes the partitions of ingest.attempts for the next months and drops the old ones';

-- The partitions with their bounds; without any for what no other is there for.
CREATE OR REPLACE FUNCTION ingest.attempts_partitions() RETURNS TABLE (name regclass, begins timestamptz, ends timestamptz)
    LANGUAGE sql STABLE AS $$
    SELECT class.oid::regclass, coalesce(substring(bound FROM 'FROM \(''([^'']+)''\)')::timestamptz, '-infinity'),
           substring(bound FROM 'TO \(''([^'']+)''\)')::timestamptz
    FROM pg_inherits
    JOIN pg_class AS class ON class.oid = inhrelid
    CROSS JOIN LATERAL pg_get_expr(class.relpartbound, class.oid) AS bound
    WHERE inhparent = 'ingest.attempts'::regclass
$$;
COMMENT ON FUNCTION ingest.attempts_partitions IS 'The partitions of ingest.attempts, from when until when';
REVOKE ALL ON FUNCTION ingest.keep_attempts_by_month FROM PUBLIC;

-- The last step, in one transaction: the old table becomes the first partition of a new one.
DO $$
DECLARE
    old CONSTANT oid := 'ingest.attempts'::regclass;
    owner text;
    next_id bigint;
    one record;
    commands text[] := '{}';
    command text;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = old) <> 'r' THEN
        RETURN;
    END IF;
    LOCK TABLE ingest.attempts IN ACCESS EXCLUSIVE MODE;
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
        commands := commands || format('GRANT %s ON ingest.attempts TO %I', one.privilege, one.rolname);
    END LOOP;
    SELECT rolname INTO owner FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner WHERE pg_class.oid = old;
    SELECT coalesce(max(id), 0) + 1 INTO next_id FROM ingest.attempts;

    ALTER TABLE ingest.attempts RENAME TO attempts_first;
    ALTER TABLE ingest.attempts_first ALTER COLUMN id DROP IDENTITY;
    ALTER TABLE ingest.attempts_first DROP CONSTRAINT attempts_pkey;
    ALTER TABLE ingest.attempts_first ADD CONSTRAINT attempts_first_pkey PRIMARY KEY USING INDEX attempts_by_month;
    ALTER INDEX ingest.attempts_of_source RENAME TO attempts_first_of_source;
    ALTER INDEX ingest.attempts_of_page RENAME TO attempts_first_of_page;

    CREATE TABLE ingest.attempts (LIKE ingest.attempts_first INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS)
        PARTITION BY RANGE (at);
    ALTER TABLE ingest.attempts DROP CONSTRAINT attempts_before;
    EXECUTE format('ALTER TABLE ingest.attempts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (START WITH %s)', next_id);
    ALTER TABLE ingest.attempts ADD CONSTRAINT attempts_pkey PRIMARY KEY (id, at);
    CREATE INDEX attempts_of_source ON ingest.attempts (source, at DESC);
    CREATE INDEX attempts_of_page ON ingest.attempts (page_id) WHERE page_id IS NOT NULL;
    FOR one IN
        SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
        WHERE conrelid = 'ingest.attempts_first'::regclass AND contype = 'f'
    LOOP
        EXECUTE format('ALTER TABLE ingest.attempts ADD CONSTRAINT %I %s', one.conname, one.definition);
    END LOOP;
    FOR one IN
        SELECT indexrelid::regclass AS name, indexrelid FROM pg_index WHERE indrelid = 'ingest.attempts_first'::regclass
    LOOP
        command := obj_description(one.indexrelid, 'pg_class');
        IF command IS NOT NULL THEN
            EXECUTE format('COMMENT ON INDEX %s IS %L', replace(one.name::text, 'attempts_first_', 'attempts_'), command);
        END IF;
    END LOOP;
    EXECUTE format('COMMENT ON TABLE ingest.attempts IS %L', obj_description(old, 'pg_class'));
    EXECUTE (
        SELECT format('ALTER TABLE ingest.attempts ATTACH PARTITION ingest.attempts_first FOR VALUES FROM (MINVALUE) TO (%L)',
                      substring(pg_get_constraintdef(oid) FROM '''([^'']+)'''))
        FROM pg_constraint WHERE conrelid = old AND conname = 'attempts_before');
    CREATE TABLE ingest.attempts_rest PARTITION OF ingest.attempts DEFAULT;
    COMMENT ON TABLE ingest.attempts_rest IS 'Rows of ingest.attempts for whose month there is no partition';
    EXECUTE format('ALTER TABLE ingest.attempts OWNER TO %I', owner);
    EXECUTE format('ALTER TABLE ingest.attempts_rest OWNER TO %I', owner);
    EXECUTE format('ALTER FUNCTION ingest.keep_attempts_by_month OWNER TO %I', owner);
    EXECUTE format('ALTER FUNCTION ingest.attempts_partitions OWNER TO %I', owner);
    FOREACH command IN ARRAY commands LOOP
        EXECUTE command;
    END LOOP;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'nachlese_writer') THEN
        GRANT EXECUTE ON FUNCTION ingest.keep_attempts_by_month, ingest.attempts_partitions TO nachlese_writer;
    END IF;
END
$$;

SELECT ingest.keep_attempts_by_month('-infinity');
