-- Whether a source is well: what its pages looked like one by one, when its articles come, and what deviated from that.

CREATE TABLE ingest.observations (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text NOT NULL REFERENCES ingest.sources ON UPDATE CASCADE ON DELETE CASCADE,
    run_id      bigint NOT NULL,
    page_id     bigint NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    outcome     text NOT NULL CHECK (outcome IN ('new', 'copy', 'rejected', 'failed')),
    reason      text,
    status      integer,
    words       integer,
    is_dated    boolean,
    is_signed   boolean,
    has_section boolean,
    is_paid     boolean,
    title_again boolean,
    delay       real,
    ms          integer,
    paragraphs  integer[],
    counted     boolean NOT NULL DEFAULT true,
    UNIQUE (run_id, page_id)
);
COMMENT ON TABLE ingest.observations IS 'A row per page that a crawl met for the first time or could not fetch: what the baselines of news.health are made of';
COMMENT ON COLUMN ingest.observations.id IS 'Number, in the order of time';
COMMENT ON COLUMN ingest.observations.source IS 'Source';
COMMENT ON COLUMN ingest.observations.run_id IS 'Run that met the page';
COMMENT ON COLUMN ingest.observations.page_id IS 'The page';
COMMENT ON COLUMN ingest.observations.at IS 'When its outcome was recorded';
COMMENT ON COLUMN ingest.observations.outcome IS 'new, copy, rejected; failed: it could not be fetched and stays pending';
COMMENT ON COLUMN ingest.observations.reason IS 'Why it was rejected or could not be fetched';
COMMENT ON COLUMN ingest.observations.status IS 'HTTP status of the last attempt';
COMMENT ON COLUMN ingest.observations.words IS 'Words of the article''s text';
COMMENT ON COLUMN ingest.observations.is_dated IS 'Whether the article has a time of publication';
COMMENT ON COLUMN ingest.observations.is_signed IS 'Whether it names an author';
COMMENT ON COLUMN ingest.observations.has_section IS 'Whether it has a section';
COMMENT ON COLUMN ingest.observations.is_paid IS 'Whether its site says that it is not free';
COMMENT ON COLUMN ingest.observations.title_again IS 'Whether one of the source''s latest articles has the same headline';
COMMENT ON COLUMN ingest.observations.delay IS 'Minutes from publication until it was found; null: not known, or nobody had looked for hours';
COMMENT ON COLUMN ingest.observations.ms IS 'Milliseconds that the fetch took';
COMMENT ON COLUMN ingest.observations.paragraphs IS 'Hashes of its paragraphs, to see what is suddenly in all of them';
COMMENT ON COLUMN ingest.observations.counted IS 'Whether it belongs to the baseline: false while an alarm of its source was open';

CREATE INDEX observations_of_source ON ingest.observations (source, id DESC);
COMMENT ON INDEX ingest.observations_of_source IS 'Serves the check after each run and news.health: the latest pages of a source';
CREATE INDEX observations_articles ON ingest.observations (source, at) WHERE outcome IN ('new', 'copy');
COMMENT ON INDEX ingest.observations_articles IS 'Serves rhythms and silences: when the articles of a source came';


CREATE TABLE ingest.rhythms (
    source      text PRIMARY KEY REFERENCES ingest.sources ON UPDATE CASCADE ON DELETE CASCADE,
    learned_at  timestamptz NOT NULL DEFAULT now(),
    days        real NOT NULL,
    articles    integer NOT NULL,
    hours       real[] NOT NULL CHECK (cardinality(hours) = 168),
    root_sum    real NOT NULL,
    longest_gap interval,
    next_why    text
);
COMMENT ON TABLE ingest.rhythms IS 'When a source''s articles come: articles an hour for each hour of the week, from its last four weeks';
COMMENT ON COLUMN ingest.rhythms.source IS 'Source';
COMMENT ON COLUMN ingest.rhythms.learned_at IS 'When it was worked out; it is again after some hours';
COMMENT ON COLUMN ingest.rhythms.days IS 'How many days it was learned from';
COMMENT ON COLUMN ingest.rhythms.articles IS 'How many articles it was learned from';
COMMENT ON COLUMN ingest.rhythms.hours IS 'Articles an hour, for the 168 hours of a week in UTC from Monday 0 o''clock on';
COMMENT ON COLUMN ingest.rhythms.root_sum IS 'Sum of the roots of hours: its share of the requests that all sources with every = "auto" have together';
COMMENT ON COLUMN ingest.rhythms.longest_gap IS 'Longest time between two articles in these weeks';
COMMENT ON COLUMN ingest.rhythms.next_why IS 'Why the next look at a source with every = "auto" is when it is';


CREATE TABLE ingest.alarms (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source         text NOT NULL REFERENCES ingest.sources ON UPDATE CASCADE ON DELETE CASCADE,
    measure        text NOT NULL CHECK (measure <> ''),
    opened_at      timestamptz NOT NULL DEFAULT now(),
    since          timestamptz NOT NULL,
    closed_at      timestamptz,
    closed_because text,
    baseline       double precision,
    value          double precision,
    observed       integer,
    example_url    text,
    says           text NOT NULL,
    advice         text NOT NULL,
    run_id         bigint,
    told_at        timestamptz,
    told_closed_at timestamptz,
    CHECK ((closed_at IS NULL) = (closed_because IS NULL))
);
COMMENT ON TABLE ingest.alarms IS 'A row per time that a measure of a source deviated from its own history';
COMMENT ON COLUMN ingest.alarms.id IS 'Number';
COMMENT ON COLUMN ingest.alarms.source IS 'Source';
COMMENT ON COLUMN ingest.alarms.measure IS 'What deviates, as in news.health';
COMMENT ON COLUMN ingest.alarms.opened_at IS 'When it was noticed';
COMMENT ON COLUMN ingest.alarms.since IS 'From when on it deviates';
COMMENT ON COLUMN ingest.alarms.closed_at IS 'When it was over; null: it is open';
COMMENT ON COLUMN ingest.alarms.closed_because IS 'well: as before; accepted: a person said that it is how it should be';
COMMENT ON COLUMN ingest.alarms.baseline IS 'What is usual';
COMMENT ON COLUMN ingest.alarms.value IS 'What was found';
COMMENT ON COLUMN ingest.alarms.observed IS 'On how many pages or looks';
COMMENT ON COLUMN ingest.alarms.example_url IS 'One of the pages';
COMMENT ON COLUMN ingest.alarms.says IS 'What is wrong, a sentence';
COMMENT ON COLUMN ingest.alarms.advice IS 'What to do about it';
COMMENT ON COLUMN ingest.alarms.run_id IS 'Run after which it was noticed';
COMMENT ON COLUMN ingest.alarms.told_at IS 'When the addresses of [alerts] were told that it opened';
COMMENT ON COLUMN ingest.alarms.told_closed_at IS 'When they were told that it closed';
CREATE UNIQUE INDEX alarms_open ON ingest.alarms (source, measure) WHERE closed_at IS NULL;
COMMENT ON INDEX ingest.alarms_open IS 'Holds an alarm to one at a time; serves the question whether a source is well';
CREATE INDEX alarms_of_source ON ingest.alarms (source, opened_at DESC);
COMMENT ON INDEX ingest.alarms_of_source IS 'Serves the alarms of a source in news.alarms';


ALTER TABLE ingest.documents
    ADD COLUMN failed_in_a_row integer NOT NULL DEFAULT 0,
    ADD COLUMN failing_since timestamptz,
    ADD COLUMN empty_in_a_row integer NOT NULL DEFAULT 0,
    ADD COLUMN empty_since timestamptz,
    ADD COLUMN longest_empty interval,
    ADD COLUMN most_entries integer NOT NULL DEFAULT 0,
    ADD COLUMN fresh_for integer,
    ADD COLUMN skip_hours integer[],
    ADD COLUMN skip_days integer[];
COMMENT ON COLUMN ingest.documents.failed_in_a_row IS 'Looks since the last one that went well';
COMMENT ON COLUMN ingest.documents.failing_since IS 'The first of these';
COMMENT ON COLUMN ingest.documents.empty_in_a_row IS 'Looks since it last listed anything';
COMMENT ON COLUMN ingest.documents.empty_since IS 'The first of these';
COMMENT ON COLUMN ingest.documents.longest_empty IS 'Longest time that it listed nothing and was well again, up to half a day';
COMMENT ON COLUMN ingest.documents.most_entries IS 'Most entries that it ever listed';
COMMENT ON COLUMN ingest.documents.fresh_for IS 'Seconds for which its server says (Cache-Control, ttl) that a new look brings nothing; null: it says nothing';
COMMENT ON COLUMN ingest.documents.skip_hours IS 'Hours in UTC in which it asks to be left alone';
COMMENT ON COLUMN ingest.documents.skip_days IS 'Days in UTC (1 is Monday) on which it asks to be left alone';
UPDATE ingest.documents SET most_entries = coalesce(entries, links);
