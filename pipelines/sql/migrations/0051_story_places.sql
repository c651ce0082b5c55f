-- Which articles of the same days have a heavy term in common, asked of one index: an index of terms alone finds more
-- with every year, one of days alone all that these days have brought.

-- Periods of five days since 1990, the number of the period below that of the term.
CREATE FUNCTION ingest.story_period(at timestamptz) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT floor(extract(epoch FROM at - '1990-01-01 00:00:00+00'::timestamptz) / 432000)::integer
$$;
COMMENT ON FUNCTION ingest.story_period IS 'Number of the five days in which an instant lies';

CREATE FUNCTION ingest.story_places(keys integer[], since timestamptz, until timestamptz) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(key::bigint * 65536 + period)
    FROM unnest(keys) AS key, generate_series(ingest.story_period(since), ingest.story_period(until)) AS period
$$;
COMMENT ON FUNCTION ingest.story_places IS 'Each key with each period between two instants, as one number';

DROP INDEX ingest.story_articles_keys;
CREATE INDEX story_articles_places ON ingest.story_articles USING gin (ingest.story_places(keys, at, at))
    WITH (fastupdate = off);
COMMENT ON INDEX ingest.story_articles_places IS 'Serves the look-up of articles of the same days with the same terms';
DROP INDEX ingest.story_articles_at;
