-- The day of publication as a column: what is computed from three tables when it is asked for has no index.

ALTER TABLE ingest.versions ADD COLUMN published_on date;
COMMENT ON COLUMN ingest.versions.published_on IS 'Day of published_at where the site is; kept by triggers';

CREATE FUNCTION ingest.day_of(at timestamptz, "precision" text, zone text) RETURNS date LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    -- a day without a time is local midnight: half a day later it is the same date in UTC, whatever the zone
    SELECT (CASE WHEN "precision" = 'day' THEN at AT TIME ZONE 'UTC' + interval '12 hours'
                 ELSE at AT TIME ZONE coalesce(zone, 'Europe/Berlin') END)::date;
END;
COMMENT ON FUNCTION ingest.day_of IS 'Day of an instant in a zone (null: Europe/Berlin); precision day: the day for which local midnight stands';

UPDATE ingest.versions AS version
SET published_on = ingest.day_of(version.published_at, version.published_precision, source.day_zone)
FROM ingest.articles AS article
JOIN ingest.sources AS source ON source.name = article.source
WHERE article.id = version.article_id AND version.published_at IS NOT NULL;

CREATE FUNCTION ingest.keep_published_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.published_on := ingest.day_of(NEW.published_at, NEW.published_precision, (
        SELECT source.day_zone FROM ingest.articles AS article
        JOIN ingest.sources AS source ON source.name = article.source
        WHERE article.id = NEW.article_id));
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION ingest.keep_published_on IS 'Sets published_on of a row of ingest.versions';
CREATE TRIGGER published_on BEFORE INSERT OR UPDATE OF published_at, published_precision ON ingest.versions
    FOR EACH ROW EXECUTE FUNCTION ingest.keep_published_on();

CREATE FUNCTION ingest.keep_published_on_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ingest.versions AS version
    SET published_on = fresh.day
    FROM (
        SELECT version.article_id, version.number,
               ingest.day_of(version.published_at, version.published_precision, source.day_zone) AS day
        FROM ingest.articles AS article
        JOIN ingest.sources AS source ON source.name = article.source
        JOIN ingest.versions AS version ON version.article_id = article.id
        WHERE CASE WHEN TG_TABLE_NAME = 'sources' THEN article.source = to_jsonb(NEW) ->> 'name'
                   ELSE article.id = (to_jsonb(NEW) ->> 'id')::bigint END
    ) AS fresh
    WHERE version.article_id = fresh.article_id AND version.number = fresh.number
      AND version.published_on IS DISTINCT FROM fresh.day;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ingest.keep_published_on_again IS 'Sets published_on of the versions of a source whose zone changed, or of an article that has another source now';
CREATE TRIGGER published_on AFTER UPDATE OF day_zone ON ingest.sources
    FOR EACH ROW WHEN (OLD.day_zone IS DISTINCT FROM NEW.day_zone) EXECUTE FUNCTION ingest.keep_published_on_again();
CREATE TRIGGER published_on AFTER UPDATE OF source ON ingest.articles
    FOR EACH ROW WHEN (OLD.source IS DISTINCT FROM NEW.source) EXECUTE FUNCTION ingest.keep_published_on_again();
