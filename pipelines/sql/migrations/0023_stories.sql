-- Stories: articles of different sources about one event.

CREATE TABLE ingest.story_articles (
    article_id bigint PRIMARY KEY REFERENCES ingest.articles ON DELETE CASCADE,
    story_id   bigint NOT NULL,
    likeness   real,
    at         timestamptz NOT NULL,
    until      timestamptz NOT NULL,
    is_dated   boolean NOT NULL,
    keys       integer[] NOT NULL,
    terms      integer[] NOT NULL,
    weights    real[] NOT NULL,
    grouped_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ingest.story_articles IS 'A row per article that was looked at for its story';
COMMENT ON COLUMN ingest.story_articles.article_id IS 'Article';
COMMENT ON COLUMN ingest.story_articles.story_id IS 'Its story: the number of the article that began it';
COMMENT ON COLUMN ingest.story_articles.likeness IS 'How much it resembles the story; null: it began it';
COMMENT ON COLUMN ingest.story_articles.at IS 'When it was published, or first seen';
COMMENT ON COLUMN ingest.story_articles.until IS 'The same, or a day later where only the day is known';
COMMENT ON COLUMN ingest.story_articles.is_dated IS 'Whether its site says when it was published';
COMMENT ON COLUMN ingest.story_articles.keys IS 'Heaviest terms, by which others are looked up';
COMMENT ON COLUMN ingest.story_articles.terms IS 'Numbers of its terms';
COMMENT ON COLUMN ingest.story_articles.weights IS 'Their weights, in the same order';
COMMENT ON COLUMN ingest.story_articles.grouped_at IS 'When it was looked at';
CREATE INDEX story_articles_of_story ON ingest.story_articles (story_id);
COMMENT ON INDEX ingest.story_articles_of_story IS 'Serves news.stories';
CREATE INDEX story_articles_at ON ingest.story_articles (at);
COMMENT ON INDEX ingest.story_articles_at IS 'Serves the look-up of articles of the same days';
CREATE INDEX story_articles_keys ON ingest.story_articles USING gin (keys) WITH (fastupdate = off);
COMMENT ON INDEX ingest.story_articles_keys IS 'Serves the look-up of articles with the same terms';

CREATE TABLE ingest.story_terms (
    term     integer PRIMARY KEY,
    articles integer NOT NULL
);
COMMENT ON TABLE ingest.story_terms IS 'In how many articles each term occurs: what common words are';
COMMENT ON COLUMN ingest.story_terms.term IS 'Number of the term';
COMMENT ON COLUMN ingest.story_terms.articles IS 'Articles that have it';

CREATE TABLE ingest.story_state (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    change   bigint NOT NULL DEFAULT 0,
    articles bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE ingest.story_state IS 'How far the grouping is; one row, locked by who groups';
COMMENT ON COLUMN ingest.story_state.one IS 'There is one row';
COMMENT ON COLUMN ingest.story_state.change IS 'The change up to which all articles were looked at';
COMMENT ON COLUMN ingest.story_state.articles IS 'Articles that were counted in ingest.story_terms';
INSERT INTO ingest.story_state DEFAULT VALUES;

CREATE FUNCTION ingest.keep_story_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ingest.keep_change('story', NEW.article_id, NULL, NULL, NEW.story_id);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ingest.keep_story_change IS 'Writes the change of a row of ingest.story_articles';
CREATE CONSTRAINT TRIGGER change_story AFTER INSERT OR UPDATE OF story_id ON ingest.story_articles
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ingest.keep_story_change();
