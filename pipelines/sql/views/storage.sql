CREATE OR REPLACE VIEW news.storage AS
SELECT
    class.relname::text AS name,
    greatest(class.reltuples, 0)::bigint AS rows,
    pg_table_size(class.oid) AS bytes,
    pg_indexes_size(class.oid) AS index_bytes,
    obj_description(class.oid, 'pg_class') AS about
FROM pg_class AS class
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE namespace.nspname = 'ingest' AND class.relkind = 'r';

COMMENT ON VIEW news.storage IS 'A row per table behind the views, with its size';
COMMENT ON COLUMN news.storage.name IS 'Name of the table; its columns are the crawler''s own';
COMMENT ON COLUMN news.storage.rows IS 'Rows, as Postgres estimates them';
COMMENT ON COLUMN news.storage.bytes IS 'Bytes of its rows, long texts included';
COMMENT ON COLUMN news.storage.index_bytes IS 'Bytes of its indexes';
COMMENT ON COLUMN news.storage.about IS 'What its rows are';
