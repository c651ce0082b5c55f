-- When an article was gone and when it came back; what a source is expected to bring; how bands were made.

CREATE TABLE ingest.absences (
    article_id bigint NOT NULL REFERENCES ingest.articles ON DELETE CASCADE,
    gone_at    timestamptz NOT NULL,
    back_at    timestamptz,
    reason     text,
    PRIMARY KEY (article_id, gone_at)
);
COMMENT ON TABLE ingest.absences IS 'A row per time that an article''s address said it was gone';
COMMENT ON COLUMN ingest.absences.article_id IS 'Article';
COMMENT ON COLUMN ingest.absences.gone_at IS 'When its address said so first';
COMMENT ON COLUMN ingest.absences.back_at IS 'The fetch that found it again; null: it is gone';
COMMENT ON COLUMN ingest.absences.reason IS 'What the address answered, as a reason; null where that is not known';

ALTER TABLE ingest.articles ADD COLUMN gone_reason text;
COMMENT ON COLUMN ingest.articles.gone_reason IS 'What its address answered when it was gone last';

INSERT INTO ingest.absences (article_id, gone_at) SELECT id, gone_at FROM ingest.articles WHERE gone_at IS NOT NULL;

CREATE FUNCTION ingest.keep_absence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.gone_at IS NULL THEN
        UPDATE ingest.absences SET back_at = greatest(NEW.fetched_at, gone_at)
        WHERE article_id = NEW.id AND back_at IS NULL;
    ELSIF OLD.gone_at IS NULL THEN
        INSERT INTO ingest.absences (article_id, gone_at, reason) VALUES (NEW.id, NEW.gone_at, NEW.gone_reason)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ingest.keep_absence IS 'Writes when an article was gone and came back';
CREATE TRIGGER absence AFTER UPDATE ON ingest.articles
    FOR EACH ROW WHEN (OLD.gone_at IS DISTINCT FROM NEW.gone_at) EXECUTE FUNCTION ingest.keep_absence();


ALTER TABLE ingest.sources
    ADD COLUMN expected_per_day integer CHECK (expected_per_day >= 0),
    ADD COLUMN day_zone text;
COMMENT ON COLUMN ingest.sources.expected_per_day IS 'New articles on an ordinary day, as the source file says; null: nothing is expected';
COMMENT ON COLUMN ingest.sources.day_zone IS 'time_zone where this server knows it: in what it does not know no time can be shown';
UPDATE ingest.sources SET day_zone = time_zone WHERE time_zone IN (SELECT name FROM pg_timezone_names);


ALTER TABLE ingest.versions ADD COLUMN bands_method smallint NOT NULL DEFAULT 1;
COMMENT ON COLUMN ingest.versions.bands_method IS 'How bands was made (fingerprint.METHOD); only equal methods find each other';
CREATE INDEX versions_changed ON ingest.versions (article_id) WHERE number > 1;
COMMENT ON INDEX ingest.versions_changed IS 'Serves news.revisions: the articles that have changed';
