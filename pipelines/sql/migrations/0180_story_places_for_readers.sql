-- Who may only read could not read news.stories and news.story_articles: to plan them Postgres parses the body of a function
-- that an index is made with, as the reader, who may not look into this schema. A body that was parsed when it was made is
-- not parsed again.
CREATE OR REPLACE FUNCTION ingest.story_places(keys integer[], since timestamptz, until timestamptz) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT array_agg(key::bigint * 65536 + period)
    FROM unnest(keys) AS key, generate_series(ingest.story_period(since), ingest.story_period(until)) AS period;
END;
