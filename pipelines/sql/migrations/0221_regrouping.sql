-- Grouping anew what is stored: made beside the stories that are there, then put in their place at once.

ALTER TABLE ingest.stories ADD COLUMN first_id bigint;
COMMENT ON COLUMN ingest.stories.first_id IS 'Article whose headline the story has, where that is another than the one of its number: that one tells another story now';
COMMENT ON COLUMN ingest.stories.articles IS 'Articles; 0: it has become part of another';

CREATE TABLE ingest.regrouped_articles (
    article_id bigint PRIMARY KEY REFERENCES ingest.articles ON DELETE CASCADE,
    story_id   bigint NOT NULL,
    likeness   real,
    at         timestamptz NOT NULL,
    until      timestamptz NOT NULL,
    is_dated   boolean NOT NULL,
    keys       integer[] NOT NULL,
    terms      integer[] NOT NULL,
    weights    real[] NOT NULL
);
COMMENT ON TABLE ingest.regrouped_articles IS 'While nachlese db regroup is under way: what ingest.story_articles will be';
COMMENT ON COLUMN ingest.regrouped_articles.article_id IS 'Article';
COMMENT ON COLUMN ingest.regrouped_articles.story_id IS 'Its new story: the number of the article that begins it';
COMMENT ON COLUMN ingest.regrouped_articles.likeness IS 'How much it resembles the story; null: it begins it';
COMMENT ON COLUMN ingest.regrouped_articles.at IS 'When it was published, or first seen';
COMMENT ON COLUMN ingest.regrouped_articles.until IS 'The same, or a day later where only the day is known';
COMMENT ON COLUMN ingest.regrouped_articles.is_dated IS 'Whether its site says when it was published';
COMMENT ON COLUMN ingest.regrouped_articles.keys IS 'Heaviest terms, by which others are looked up';
COMMENT ON COLUMN ingest.regrouped_articles.terms IS 'Numbers of its terms';
COMMENT ON COLUMN ingest.regrouped_articles.weights IS 'Their weights, in the same order';
CREATE INDEX regrouped_articles_places ON ingest.regrouped_articles USING gin (ingest.story_places(keys, at, at))
    WITH (fastupdate = off);
COMMENT ON INDEX ingest.regrouped_articles_places IS 'Serves the look-up of articles of the same days with the same terms';

CREATE TABLE ingest.regrouped_terms (
    term     integer PRIMARY KEY,
    articles integer NOT NULL
);
COMMENT ON TABLE ingest.regrouped_terms IS 'While nachlese db regroup is under way: what ingest.story_terms will be';
COMMENT ON COLUMN ingest.regrouped_terms.term IS 'Number of the term';
COMMENT ON COLUMN ingest.regrouped_terms.articles IS 'Articles that have it';

CREATE TABLE ingest.regroup_state (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    seen_at    timestamptz,
    url_key    bytea,
    articles   bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE ingest.regroup_state IS 'How far nachlese db regroup is; one row, locked by who regroups';
COMMENT ON COLUMN ingest.regroup_state.one IS 'There is one row';
COMMENT ON COLUMN ingest.regroup_state.seen_at IS 'First fetch of the latest article that was looked at; null: none';
COMMENT ON COLUMN ingest.regroup_state.url_key IS 'That article';
COMMENT ON COLUMN ingest.regroup_state.articles IS 'Articles that were looked at';
INSERT INTO ingest.regroup_state DEFAULT VALUES;

CREATE TABLE ingest.story_history (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    story_id    bigint NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('split', 'merged')),
    other_id    bigint NOT NULL,
    articles    bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ingest.story_history IS 'A row per story of whose articles some tell another story now';
COMMENT ON COLUMN ingest.story_history.id IS 'Number, growing';
COMMENT ON COLUMN ingest.story_history.story_id IS 'The story as it was';
COMMENT ON COLUMN ingest.story_history.kind IS 'split: it goes on without them; merged: it is no more';
COMMENT ON COLUMN ingest.story_history.other_id IS 'The story that they tell now';
COMMENT ON COLUMN ingest.story_history.articles IS 'How many they are';
COMMENT ON COLUMN ingest.story_history.recorded_at IS 'When that was found';
CREATE INDEX story_history_of_story ON ingest.story_history (story_id);
COMMENT ON INDEX ingest.story_history_of_story IS 'Serves news.story_history: what became of a story';
CREATE INDEX story_history_into ON ingest.story_history (other_id);
COMMENT ON INDEX ingest.story_history_into IS 'Serves news.story_history: where a story comes from';
