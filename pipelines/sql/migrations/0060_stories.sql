-- A row per story, kept with its members: to count them all for a list of today's stories takes seconds in a large archive.

CREATE TABLE ingest.stories (
    id            bigint PRIMARY KEY,
    first_seen_at timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    articles      bigint NOT NULL,
    sources       text[] NOT NULL
);
COMMENT ON TABLE ingest.stories IS 'A row per story, kept by the triggers of its members';
COMMENT ON COLUMN ingest.stories.id IS 'The article that began it';
COMMENT ON COLUMN ingest.stories.first_seen_at IS 'First fetch of its first article';
COMMENT ON COLUMN ingest.stories.last_seen_at IS 'First fetch of its latest article';
COMMENT ON COLUMN ingest.stories.articles IS 'Articles';
COMMENT ON COLUMN ingest.stories.sources IS 'Their sources, in the order of the alphabet';
CREATE INDEX stories_last_seen ON ingest.stories (last_seen_at DESC);
COMMENT ON INDEX ingest.stories_last_seen IS 'Serves news.stories: those of the last days';

INSERT INTO ingest.stories (id, first_seen_at, last_seen_at, articles, sources)
SELECT member.story_id, min(article.first_seen_at), max(article.first_seen_at), count(*),
       array_agg(DISTINCT article.source ORDER BY article.source)
FROM ingest.story_articles AS member
JOIN ingest.articles AS article ON article.id = member.article_id
GROUP BY member.story_id;

CREATE FUNCTION ingest.count_story(story bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ingest.stories
    SET first_seen_at = counted.first, last_seen_at = counted.last, articles = counted.number, sources = counted.names
    FROM (
        SELECT min(article.first_seen_at) AS first, max(article.first_seen_at) AS last, count(*) AS number,
               array_agg(DISTINCT article.source ORDER BY article.source) AS names
        FROM ingest.story_articles AS member
        JOIN ingest.articles AS article ON article.id = member.article_id
        WHERE member.story_id = story) AS counted
    WHERE stories.id = story AND counted.number > 0;
END
$$;
COMMENT ON FUNCTION ingest.count_story IS 'Brings the row of a story up to date; that of a story without articles stays, and is shown to nobody';

CREATE FUNCTION ingest.keep_story() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ingest.stories AS story (id, first_seen_at, last_seen_at, articles, sources)
    SELECT NEW.story_id, article.first_seen_at, article.first_seen_at, 1, ARRAY[article.source]
    FROM ingest.articles AS article WHERE article.id = NEW.article_id
    ON CONFLICT (id) DO UPDATE
    SET first_seen_at = least(story.first_seen_at, excluded.first_seen_at),
        last_seen_at = greatest(story.last_seen_at, excluded.last_seen_at),
        articles = story.articles + 1,
        sources = CASE WHEN excluded.sources <@ story.sources THEN story.sources ELSE
            array(SELECT name FROM unnest(story.sources || excluded.sources) AS name ORDER BY name) END;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ingest.keep_story IS 'Counts a new member of a story';
CREATE TRIGGER story_grown AFTER INSERT ON ingest.story_articles FOR EACH ROW EXECUTE FUNCTION ingest.keep_story();

CREATE FUNCTION ingest.count_story_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'articles' THEN
        PERFORM ingest.count_story(story_id) FROM ingest.story_articles WHERE article_id = NEW.id;
    ELSE
        PERFORM ingest.count_story(OLD.story_id);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ingest.count_story_again IS 'Counts a story whose member was deleted by hand, or turned out to have been fetched earlier';
CREATE TRIGGER story_shrunk AFTER DELETE ON ingest.story_articles
    FOR EACH ROW EXECUTE FUNCTION ingest.count_story_again();
CREATE TRIGGER story_earlier AFTER UPDATE ON ingest.articles
    FOR EACH ROW WHEN (OLD.first_seen_at <> NEW.first_seen_at) EXECUTE FUNCTION ingest.count_story_again();
