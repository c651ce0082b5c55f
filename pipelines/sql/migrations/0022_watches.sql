-- Watchlists, and the articles that match them.

CREATE TABLE ingest.watches (
    name      text PRIMARY KEY CHECK (name <> ''),
    title     text NOT NULL,
    wanted    text NOT NULL,
    unwanted  text NOT NULL,
    sources   text[] NOT NULL,
    languages text[] NOT NULL,
    has_hook  boolean NOT NULL
);
COMMENT ON TABLE ingest.watches IS 'Watchlists as their files describe them, so that every writer matches by the same ones';
COMMENT ON COLUMN ingest.watches.name IS 'Name of the file without .toml';
COMMENT ON COLUMN ingest.watches.title IS 'Name for people';
COMMENT ON COLUMN ingest.watches.wanted IS 'What an article must have, as news.search understands it';
COMMENT ON COLUMN ingest.watches.unwanted IS 'What it must not have; empty: nothing';
COMMENT ON COLUMN ingest.watches.sources IS 'Only of these sources; empty: of all';
COMMENT ON COLUMN ingest.watches.languages IS 'Only in these languages; empty: in all';
COMMENT ON COLUMN ingest.watches.has_hook IS 'Whether its matches are sent to an address';

CREATE TABLE ingest.matches (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    watch           text NOT NULL,
    article_id      bigint NOT NULL REFERENCES ingest.articles ON DELETE CASCADE,
    version         integer NOT NULL,
    matched_at      timestamptz NOT NULL DEFAULT now(),
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    delivered_at    timestamptz,
    error           text,
    UNIQUE (watch, article_id, version)
);
COMMENT ON TABLE ingest.matches IS 'A row per watchlist and version of an article that matches it, and what became of telling it';
COMMENT ON COLUMN ingest.matches.id IS 'Number';
COMMENT ON COLUMN ingest.matches.watch IS 'Watchlist; its file may be gone';
COMMENT ON COLUMN ingest.matches.article_id IS 'Article';
COMMENT ON COLUMN ingest.matches.version IS 'Version that matches';
COMMENT ON COLUMN ingest.matches.matched_at IS 'When it was stored';
COMMENT ON COLUMN ingest.matches.attempts IS 'Attempts to send it';
COMMENT ON COLUMN ingest.matches.next_attempt_at IS 'It is due to be sent from then on; null: not, or never more';
COMMENT ON COLUMN ingest.matches.delivered_at IS 'When the address took it';
COMMENT ON COLUMN ingest.matches.error IS 'Why the last attempt failed';
CREATE INDEX matches_due ON ingest.matches (watch, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
COMMENT ON INDEX ingest.matches_due IS 'Serves what is to be sent';
CREATE INDEX matches_latest ON ingest.matches (watch, id DESC);
COMMENT ON INDEX ingest.matches_latest IS 'Serves the feed of a watchlist';
CREATE INDEX matches_of_article ON ingest.matches (article_id);
COMMENT ON INDEX ingest.matches_of_article IS 'Serves the matches of an article';
