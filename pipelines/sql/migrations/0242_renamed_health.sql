-- A source that has a new name keeps its baseline, its rhythm and its alarms; until now they went with the former name.

CREATE OR REPLACE FUNCTION ingest.rename_source(former text, name text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lessons integer;
    kept bigint[];
    gone bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('run of ' || former, 0));
    PERFORM pg_advisory_xact_lock(hashtextextended('run of ' || name, 0));
    IF EXISTS (SELECT FROM ingest.runs WHERE source IN (former, name) AND ended_at IS NULL AND lease_until > clock_timestamp()) THEN
        RETURN false;
    END IF;
    IF NOT EXISTS (SELECT FROM ingest.sources WHERE sources.name = former) THEN
        RETURN true;
    END IF;
    UPDATE ingest.runs SET ended_at = clock_timestamp(), outcome = 'failed', error = 'lost lease'
    WHERE source IN (former, name) AND ended_at IS NULL;
    UPDATE ingest.runs AS run SET slot = NULL
    WHERE run.source = former AND EXISTS (
        SELECT FROM ingest.runs AS other WHERE other.source = rename_source.name AND other.slot = run.slot);
    UPDATE ingest.runs SET source = rename_source.name WHERE source = former;

    -- of a page under both names the one that has ended stays, else the newer
    SELECT array_agg(CASE WHEN theirs.state = 'ended' OR ours.state = 'pending' THEN theirs.id ELSE ours.id END),
           array_agg(CASE WHEN theirs.state = 'ended' OR ours.state = 'pending' THEN ours.id ELSE theirs.id END)
    INTO kept, gone
    FROM ingest.pages AS ours
    JOIN ingest.pages AS theirs ON theirs.url_key = ours.url_key AND theirs.source = rename_source.name
    WHERE ours.source = former;
    UPDATE ingest.run_pages SET page_id = pair.kept FROM unnest(kept, gone) AS pair (kept, gone) WHERE page_id = pair.gone;
    UPDATE ingest.attempts SET page_id = pair.kept FROM unnest(kept, gone) AS pair (kept, gone) WHERE page_id = pair.gone;
    UPDATE ingest.observations SET page_id = pair.kept FROM unnest(kept, gone) AS pair (kept, gone) WHERE page_id = pair.gone;
    DELETE FROM ingest.pages WHERE id = ANY (gone);
    UPDATE ingest.pages SET source = rename_source.name WHERE source = former;
    DELETE FROM ingest.documents AS ours USING ingest.documents AS theirs
    WHERE ours.source = former AND theirs.source = rename_source.name AND theirs.url_key = ours.url_key;
    UPDATE ingest.documents SET source = rename_source.name WHERE source = former;

    -- lessons keep their order, and versions the lesson they were read with
    SELECT coalesce(max(number), 0) INTO lessons FROM ingest.lessons WHERE source = former;
    IF lessons > 0 AND EXISTS (SELECT FROM ingest.lessons WHERE source = rename_source.name) THEN
        UPDATE ingest.versions SET lesson = lesson + lessons FROM ingest.articles
        WHERE articles.id = versions.article_id AND articles.source = rename_source.name AND versions.lesson > 0;
        UPDATE ingest.lessons SET number = number + lessons + 1000000 WHERE source = rename_source.name;
        UPDATE ingest.lessons SET number = number - 1000000 WHERE source = rename_source.name;
    END IF;
    UPDATE ingest.lessons SET source = rename_source.name WHERE source = former;
    UPDATE ingest.articles SET source = rename_source.name WHERE source = former;
    UPDATE ingest.attempts SET source = rename_source.name WHERE source = former;
    UPDATE ingest.archive_records SET source = rename_source.name WHERE source = former;

    -- the baseline is that of both; of two rhythms the one that was learned from more stays, of two open alarms the older
    UPDATE ingest.observations SET source = rename_source.name WHERE source = former;
    DELETE FROM ingest.rhythms AS theirs USING ingest.rhythms AS ours
    WHERE theirs.source = rename_source.name AND ours.source = former AND theirs.articles <= ours.articles;
    UPDATE ingest.rhythms SET source = rename_source.name
    WHERE source = former AND NOT EXISTS (SELECT FROM ingest.rhythms AS theirs WHERE theirs.source = rename_source.name);
    DELETE FROM ingest.alarms AS theirs USING ingest.alarms AS ours
    WHERE theirs.source = rename_source.name AND ours.source = former AND theirs.measure = ours.measure
      AND theirs.closed_at IS NULL AND ours.closed_at IS NULL;
    UPDATE ingest.alarms SET source = rename_source.name WHERE source = former;

    UPDATE ingest.sources AS theirs
    SET added_at = least(theirs.added_at, ours.added_at), lesson_serial = greatest(theirs.lesson_serial, ours.lesson_serial),
        next_run_at = coalesce(theirs.next_run_at, ours.next_run_at),
        noise_params = ARRAY(SELECT DISTINCT unnest(theirs.noise_params || ours.noise_params) ORDER BY 1), settled_params = '{}'
    FROM ingest.sources AS ours
    WHERE theirs.name = rename_source.name AND ours.name = former;
    DELETE FROM ingest.sources WHERE sources.name = former;
    RETURN true;
END
$$;
