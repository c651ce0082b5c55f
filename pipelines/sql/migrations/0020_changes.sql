-- What happened, in the order in which it was committed.
--
-- A plain sequence would not do: of two writers the one that took the lower number may commit later, and a reader who has
-- seen the higher one would never look back. Numbers here are given under a lock that is held until the commit, so they
-- are visible in their own order: whoever has read up to n has read everything up to n. A cursor of transaction ids
-- would need no lock, but any old transaction in the whole server stops it, and it means nothing after dump and restore.
-- The rows are written by deferred triggers, at the commit itself: the lock is the last that a writer takes (so there is
-- nothing it could deadlock with) and is held for as long as a commit takes; and no writer can forget to write them.

CREATE TABLE ingest.changes (
    id          bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('new', 'version', 'copy', 'gone', 'back', 'story')),
    article_id  bigint NOT NULL,
    version     integer,
    copy_of     bigint,
    story_id    bigint,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE ingest.changes IS 'A row per change of what schema news shows; ids are visible in their own order';
COMMENT ON COLUMN ingest.changes.id IS 'Number; given under a lock that is held until the commit';
COMMENT ON COLUMN ingest.changes.kind IS 'new, version, copy, gone, back or story';
COMMENT ON COLUMN ingest.changes.article_id IS 'Article; not a foreign key: the change stays when the article is deleted';
COMMENT ON COLUMN ingest.changes.version IS 'Version that came or was written anew';
COMMENT ON COLUMN ingest.changes.copy_of IS 'The article that had the text first';
COMMENT ON COLUMN ingest.changes.story_id IS 'Story that the article now belongs to';
COMMENT ON COLUMN ingest.changes.recorded_at IS 'Time of the commit';

-- what is stored already, in the order in which it came
INSERT INTO ingest.changes (kind, article_id, version, copy_of, recorded_at)
SELECT kind, article_id, version, copy_of, stored_at
FROM (
    SELECT CASE WHEN article.copy_of IS NULL THEN 'new' ELSE 'copy' END AS kind, article.id AS article_id, 1 AS version,
           article.copy_of, article.stored_at, 0 AS serial
    FROM ingest.articles AS article
    UNION ALL
    SELECT 'version', version.article_id, version.number, NULL, greatest(article.stored_at, version.fetched_at),
           version.serial
    FROM ingest.versions AS version
    JOIN ingest.articles AS article ON article.id = version.article_id
    WHERE version.number > 1
    UNION ALL
    SELECT 'gone', article.id, NULL, NULL, greatest(article.stored_at, article.gone_at), 0
    FROM ingest.articles AS article
    WHERE article.gone_at IS NOT NULL
) AS past
ORDER BY stored_at, article_id, serial;


CREATE FUNCTION ingest.keep_change(kind text, article_id bigint, version integer, copy_of bigint, story_id bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- two numbers: a key space apart from the locks of articles and texts, which are one
    PERFORM pg_advisory_xact_lock(6224537, 1);
    INSERT INTO ingest.changes (kind, article_id, version, copy_of, story_id) VALUES ($1, $2, $3, $4, $5);
    PERFORM pg_notify('nachlese_changes', '');  -- equal ones of a transaction are sent once
END
$$;
COMMENT ON FUNCTION ingest.keep_change IS 'Writes a change; only for deferred triggers, for its lock is held until the commit';

CREATE FUNCTION ingest.keep_article_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kind text := CASE WHEN TG_ARGV[0] = 'new' AND NEW.copy_of IS NOT NULL THEN 'copy' ELSE TG_ARGV[0] END;
BEGIN
    PERFORM ingest.keep_change(kind, NEW.id, CASE WHEN kind IN ('new', 'copy') THEN NEW.version END, NEW.copy_of, NULL);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ingest.keep_article_change IS 'Writes the change of a row of ingest.articles; its argument is the kind';

CREATE FUNCTION ingest.keep_version_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ingest.keep_change('version', NEW.article_id, NEW.number, NULL, NULL);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ingest.keep_version_change IS 'Writes the change of a row of ingest.versions';

CREATE CONSTRAINT TRIGGER change_new AFTER INSERT ON ingest.articles
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ingest.keep_article_change('new');
CREATE CONSTRAINT TRIGGER change_copy AFTER UPDATE ON ingest.articles
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.copy_of IS DISTINCT FROM NEW.copy_of) EXECUTE FUNCTION ingest.keep_article_change('copy');
CREATE CONSTRAINT TRIGGER change_gone AFTER UPDATE ON ingest.articles
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.gone_at IS NULL AND NEW.gone_at IS NOT NULL) EXECUTE FUNCTION ingest.keep_article_change('gone');
CREATE CONSTRAINT TRIGGER change_back AFTER UPDATE ON ingest.articles
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.gone_at IS NOT NULL AND NEW.gone_at IS NULL) EXECUTE FUNCTION ingest.keep_article_change('back');
CREATE CONSTRAINT TRIGGER change_version AFTER INSERT ON ingest.versions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.number > 1) EXECUTE FUNCTION ingest.keep_version_change();
-- the same bytes, better read: no new number, but readers who keep a copy of the row want it again
CREATE CONSTRAINT TRIGGER change_rewritten AFTER UPDATE ON ingest.versions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.content_key, OLD.text_markdown, OLD.kicker, OLD.sections, OLD.authors, OLD.keywords, OLD.published_at,
           OLD.modified_at, OLD.language, OLD.agency, OLD.dateline, OLD.details, OLD.kind, OLD.image_url)
        IS DISTINCT FROM
          (NEW.content_key, NEW.text_markdown, NEW.kicker, NEW.sections, NEW.authors, NEW.keywords, NEW.published_at,
           NEW.modified_at, NEW.language, NEW.agency, NEW.dateline, NEW.details, NEW.kind, NEW.image_url))
    EXECUTE FUNCTION ingest.keep_version_change();
