CREATE OR REPLACE VIEW news.changes AS
SELECT
    change.id,
    change.kind,
    change.article_id,
    change.version,
    change.copy_of,
    change.story_id,
    change.recorded_at,
    article.source,
    article.canonical_url
FROM ingest.changes AS change
LEFT JOIN ingest.articles AS article ON article.id = change.article_id;

COMMENT ON VIEW news.changes IS 'A row per change, numbered in the order of the commits: who has read up to an id has missed nothing before it';
COMMENT ON COLUMN news.changes.id IS 'Number, growing, with gaps; keep the last one that you have dealt with as your cursor';
COMMENT ON COLUMN news.changes.kind IS 'new, version (came or was read better), copy (a new row with a known text, or copy_of changed), gone, back, story, metadata (the page states other authors, times, section ... under the same words)';
COMMENT ON COLUMN news.changes.article_id IS 'id in news.articles';
COMMENT ON COLUMN news.changes.version IS 'The version meant, for new, version, copy and metadata; see news.versions';
COMMENT ON COLUMN news.changes.copy_of IS 'copy_of of the article at that moment, for new, copy, gone and back';
COMMENT ON COLUMN news.changes.story_id IS 'For story: the story that the article has joined or begun; what became of it since, news.story_history tells';
COMMENT ON COLUMN news.changes.recorded_at IS 'Time of the commit';
COMMENT ON COLUMN news.changes.source IS 'Source of the article; null only where its row was deleted by hand';
COMMENT ON COLUMN news.changes.canonical_url IS 'Address of the article; null only where its row was deleted by hand';

CREATE OR REPLACE FUNCTION news.changes_since(cursor bigint DEFAULT 0, "limit" integer DEFAULT 1000)
RETURNS SETOF news.changes LANGUAGE sql STABLE AS $$
    SELECT * FROM news.changes WHERE id > coalesce($1, 0) ORDER BY id LIMIT $2  -- null: who has no cursor yet
$$;
COMMENT ON FUNCTION news.changes_since(bigint, integer) IS 'The changes after a cursor (0: all), oldest first; the last id is the next cursor. NOTIFY nachlese_changes tells that there is more';

CREATE OR REPLACE FUNCTION news.changes_since(cursor bigint, "limit" integer, without text[])
RETURNS SETOF news.changes LANGUAGE plpgsql STABLE AS $$
DECLARE
    strange text := (SELECT string_agg(kind, ', ' ORDER BY kind) FROM unnest(without) AS kind
                     WHERE kind IS NULL OR kind NOT IN ('new', 'version', 'copy', 'gone', 'back', 'story', 'metadata'));
BEGIN
    IF strange IS NOT NULL THEN
        RAISE EXCEPTION 'there is no kind of change %', strange
            USING HINT = 'The kinds are new, version, copy, gone, back, story and metadata.', ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY
    SELECT * FROM news.changes AS change
    WHERE change.id > coalesce($1, 0) AND change.kind <> ALL (coalesce(without, '{}'))
    ORDER BY change.id LIMIT $2;
END
$$;
COMMENT ON FUNCTION news.changes_since(bigint, integer, text[]) IS 'As changes_since(cursor, limit), without some kinds; a kind that there is not is an error';
