-- A reader has no right to look into this schema. A function whose body is a text is parsed with the rights of who asks, also
-- where the planner only reads the definition of an index; one whose body is parsed when it is made needs none of them.

CREATE OR REPLACE FUNCTION ingest.story_period(at timestamptz) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT floor(extract(epoch FROM at - '1990-01-01 00:00:00+00'::timestamptz) / 432000)::integer;
END;

CREATE OR REPLACE FUNCTION ingest.story_places(keys integer[], since timestamptz, until timestamptz) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT array_agg(key::bigint * 65536 + period)
    FROM unnest(keys) AS key, generate_series(ingest.story_period(since), ingest.story_period(until)) AS period;
END;
