-- What discovery remembers: undated entries, servers whose 304 is not to be trusted, what was left out, parameters that
-- mean nothing, and whose site an article is on.

COMMENT ON COLUMN ingest.articles.source IS 'Source on whose site it is, or else in which it was first found';

ALTER TABLE ingest.documents
    ADD COLUMN entries integer,
    ADD COLUMN left_out integer NOT NULL DEFAULT 0,
    ADD COLUMN note text,
    ADD COLUMN digest bytea,
    ADD COLUMN confirmed_looks integer NOT NULL DEFAULT 0,
    ADD COLUMN distrusted_at timestamptz,
    ADD COLUMN distrusted_because text;
COMMENT ON COLUMN ingest.documents.entries IS 'Entries that the last full answer lists; null: not known';
COMMENT ON COLUMN ingest.documents.left_out IS 'How many of them were over a limit and were not taken';
COMMENT ON COLUMN ingest.documents.note IS 'What was wrong with parts of the last full answer, and what was left out of it; null: nothing';
COMMENT ON COLUMN ingest.documents.digest IS '16 bytes that stand for everything that the last full answer lists';
COMMENT ON COLUMN ingest.documents.confirmed_looks IS 'Full looks right after a 304 that showed what was known: each makes the next one rarer';
COMMENT ON COLUMN ingest.documents.distrusted_at IS 'When its server was caught with a 304 that was not true; it is asked unconditionally since';
COMMENT ON COLUMN ingest.documents.distrusted_because IS 'How it was caught';

CREATE TABLE ingest.document_memories (
    source        text NOT NULL,
    url_key       bytea NOT NULL,
    entries       bytea NOT NULL,
    remembered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, url_key),
    FOREIGN KEY (source, url_key) REFERENCES ingest.documents ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE ingest.document_memories IS 'What lists without dates have listed: what was not there before is new';
COMMENT ON COLUMN ingest.document_memories.source IS 'Source that reads the document';
COMMENT ON COLUMN ingest.document_memories.url_key IS 'The document';
COMMENT ON COLUMN ingest.document_memories.entries IS '8 bytes of the key of each undated entry that counts as known, in order';
COMMENT ON COLUMN ingest.document_memories.remembered_at IS 'When this was written';

ALTER TABLE ingest.sources
    ADD COLUMN hosts text[] NOT NULL DEFAULT '{}',
    ADD COLUMN drop_params text[] NOT NULL DEFAULT '{}',
    ADD COLUMN noise_params text[] NOT NULL DEFAULT '{}',
    ADD COLUMN settled_params text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN ingest.sources.hosts IS 'Hosts whose articles are its own: that of its homepage, and those its source file names';
COMMENT ON COLUMN ingest.sources.drop_params IS 'Parameters of addresses that its source file says mean nothing';
COMMENT ON COLUMN ingest.sources.noise_params IS 'Parameters of addresses that its pages'' canonical addresses leave out';
COMMENT ON COLUMN ingest.sources.settled_params IS 'The parameters without which its pages'' stable_key was worked out';

ALTER TABLE ingest.pages
    ADD COLUMN dated_at timestamptz,
    ADD COLUMN stable_key bytea;
COMMENT ON COLUMN ingest.pages.dated_at IS 'When the page was published or changed, as its feed or sitemap says';
COMMENT ON COLUMN ingest.pages.stable_key IS 'Key of its address without parameters that mean nothing; null: it has none of them';
CREATE INDEX pages_newest ON ingest.pages (source, coalesce(dated_at, found_at) DESC, id) WHERE state = 'pending';
COMMENT ON INDEX ingest.pages_newest IS 'Serves take(): pending pages of a source, latest first; and the oldest ones, which make room';
CREATE INDEX pages_stable ON ingest.pages (stable_key, source) WHERE stable_key IS NOT NULL;
COMMENT ON INDEX ingest.pages_stable IS 'Serves offer(): an address that was asked for under other parameters';

-- a story names the sources of its members
CREATE TRIGGER story_moved AFTER UPDATE ON ingest.articles
    FOR EACH ROW WHEN (OLD.source <> NEW.source) EXECUTE FUNCTION ingest.count_story_again();

-- who keeps a copy of the row wants it again when its source is another
CREATE FUNCTION ingest.keep_owner_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ingest.keep_change('version', NEW.id, NEW.version, NULL, NULL);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ingest.keep_owner_change IS 'Writes the change of an article that belongs to another source now';
CREATE CONSTRAINT TRIGGER change_source AFTER UPDATE ON ingest.articles
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.source <> NEW.source AND OLD.version = NEW.version) EXECUTE FUNCTION ingest.keep_owner_change();

-- With its owner's rights: who writes may not delete, and of what both names have one row must go.
CREATE FUNCTION ingest.rename_source(former text, name text) RETURNS boolean
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
COMMENT ON FUNCTION ingest.rename_source IS 'Gives everything that a source''s former name has to the source; false: one of them runs now';
