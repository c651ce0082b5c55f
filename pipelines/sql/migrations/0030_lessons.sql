-- What a source's own pages have taught the reader: numbered states that never change, and the one that each version was read with.

CREATE TABLE ingest.lessons (
    source     text NOT NULL REFERENCES ingest.sources,
    number     integer NOT NULL CHECK (number > 0),
    made_at    timestamptz NOT NULL DEFAULT now(),
    articles   integer NOT NULL,
    containers text[] NOT NULL,
    repeated   jsonb NOT NULL,
    PRIMARY KEY (source, number)
);
COMMENT ON TABLE ingest.lessons IS 'What a source''s pages have taught the reader: a row per state, never changed; made between runs';
COMMENT ON COLUMN ingest.lessons.source IS 'Source';
COMMENT ON COLUMN ingest.lessons.number IS '1, 2, 3 ...; the last one is in force. 0, without a row, is: nothing learned';
COMMENT ON COLUMN ingest.lessons.made_at IS 'When it was made';
COMMENT ON COLUMN ingest.lessons.articles IS 'Articles that were looked at';
COMMENT ON COLUMN ingest.lessons.containers IS 'Names of the elements that hold the article; ! at the end: its blocks are read as they stand';
COMMENT ON COLUMN ingest.lessons.repeated IS 'Paragraphs that are boilerplate: [{key, text, articles, days}]';

ALTER TABLE ingest.sources ADD COLUMN lesson_serial bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN ingest.sources.lesson_serial IS 'serial of the latest version that a lesson has looked at';

ALTER TABLE ingest.versions
    ADD COLUMN lesson integer NOT NULL DEFAULT 0,
    ADD COLUMN container text;
COMMENT ON COLUMN ingest.versions.lesson IS 'State in ingest.lessons with which it was read; 0: none';
COMMENT ON COLUMN ingest.versions.container IS 'Name of the element of the page that was read; null: it has none, or the whole page was';
