-- Sources, and the runs that read them.

CREATE SCHEMA IF NOT EXISTS ingest;
COMMENT ON SCHEMA ingest IS 'Private: what the crawler and the reader write. Changes from release to release; read schema news.';

CREATE SCHEMA IF NOT EXISTS news;
COMMENT ON SCHEMA news IS 'Public: views for people who query articles. Views only ever grow; docs/sql.md describes every column.';

COMMENT ON COLUMN ingest.migrations.name IS 'File name without .sql; views for all view files together';
COMMENT ON COLUMN ingest.migrations.digest IS 'SHA-256 of the text that was applied';
COMMENT ON COLUMN ingest.migrations.applied_at IS 'When it was applied';


CREATE TABLE ingest.sources (
    name        text PRIMARY KEY CHECK (name <> ''),
    title       text NOT NULL,
    homepage    text,
    language    text,
    country     text,
    time_zone   text,
    enabled     boolean NOT NULL DEFAULT true,
    next_run_at timestamptz,
    added_at    timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ingest.sources IS 'News sites as their source files describe them; a name that came with a replay has only its name';
COMMENT ON COLUMN ingest.sources.name IS 'Name of the source file without .toml';
COMMENT ON COLUMN ingest.sources.title IS 'Name for people';
COMMENT ON COLUMN ingest.sources.homepage IS 'Address of the site';
COMMENT ON COLUMN ingest.sources.language IS 'Language code that the source file states';
COMMENT ON COLUMN ingest.sources.country IS 'Country code that the source file states';
COMMENT ON COLUMN ingest.sources.time_zone IS 'Zone in which the site writes its times';
COMMENT ON COLUMN ingest.sources.enabled IS 'Whether the schedule runs it';
COMMENT ON COLUMN ingest.sources.next_run_at IS 'When the schedule will run it next; null: no schedule has said so';
COMMENT ON COLUMN ingest.sources.added_at IS 'When this database first heard of it';
COMMENT ON COLUMN ingest.sources.updated_at IS 'When its description was last written';


CREATE TABLE ingest.runs (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token        uuid NOT NULL UNIQUE,
    source       text REFERENCES ingest.sources,
    kind         text NOT NULL CHECK (kind IN ('crawl', 'replay', 'recheck')),
    slot         timestamptz,
    holder       text NOT NULL,
    started_at   timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now(),
    lease_until  timestamptz NOT NULL,
    ended_at     timestamptz,
    outcome      text CHECK (outcome IN ('finished', 'failed', 'stopped')),
    error        text,
    new          integer NOT NULL DEFAULT 0,
    new_version  integer NOT NULL DEFAULT 0,
    unchanged    integer NOT NULL DEFAULT 0,
    copy         integer NOT NULL DEFAULT 0,
    rejected     integer NOT NULL DEFAULT 0,
    pending      integer NOT NULL DEFAULT 0,
    reasons      jsonb NOT NULL DEFAULT '{}',
    CHECK ((ended_at IS NULL) = (outcome IS NULL)),
    CHECK (source IS NOT NULL OR kind = 'replay')
);
COMMENT ON TABLE ingest.runs IS 'A row per run of a source (or replay), with its lease while it runs and its counts when it has ended';
COMMENT ON COLUMN ingest.runs.id IS 'Number of the run';
COMMENT ON COLUMN ingest.runs.token IS 'Made by who began the run: finds it again when the answer was lost';
COMMENT ON COLUMN ingest.runs.source IS 'The source; null for a replay over several';
COMMENT ON COLUMN ingest.runs.kind IS 'crawl, replay or recheck';
COMMENT ON COLUMN ingest.runs.slot IS 'The instant of the schedule at which this run belongs; null for a run that a person started';
COMMENT ON COLUMN ingest.runs.holder IS 'Host and process that runs it';
COMMENT ON COLUMN ingest.runs.started_at IS 'Begin';
COMMENT ON COLUMN ingest.runs.heartbeat_at IS 'Last sign of life';
COMMENT ON COLUMN ingest.runs.lease_until IS 'From then on another process may take the source over';
COMMENT ON COLUMN ingest.runs.ended_at IS 'End; null while it runs';
COMMENT ON COLUMN ingest.runs.outcome IS 'finished, failed or stopped; null while it runs';
COMMENT ON COLUMN ingest.runs.error IS 'What went wrong; lost lease: the process died or froze';
COMMENT ON COLUMN ingest.runs.new IS 'Pages that became a new article';
COMMENT ON COLUMN ingest.runs.new_version IS 'Pages whose article had changed';
COMMENT ON COLUMN ingest.runs.unchanged IS 'Pages whose article is stored as it is';
COMMENT ON COLUMN ingest.runs.copy IS 'Pages that became an article whose text another article had first';
COMMENT ON COLUMN ingest.runs.rejected IS 'Pages that are no article';
COMMENT ON COLUMN ingest.runs.pending IS 'Pages without an end when the run ended; they come again';
COMMENT ON COLUMN ingest.runs.reasons IS 'Rejected and pending pages by reason';

CREATE UNIQUE INDEX runs_one_per_slot ON ingest.runs (source, slot) WHERE slot IS NOT NULL;
COMMENT ON INDEX ingest.runs_one_per_slot IS 'Holds begin_run to one run per source and slot, whatever the number of schedulers';
CREATE UNIQUE INDEX runs_one_at_a_time ON ingest.runs (source) WHERE ended_at IS NULL AND kind <> 'replay';
COMMENT ON INDEX ingest.runs_one_at_a_time IS 'Holds begin_run to one running crawl per source; finds the runs whose lease is over';
CREATE INDEX runs_of_source ON ingest.runs (source, started_at DESC);
COMMENT ON INDEX ingest.runs_of_source IS 'Serves the last run of a source in news.sources';


CREATE TABLE ingest.hosts (
    host              text PRIMARY KEY,
    not_before        timestamptz,
    robots_status     integer,
    robots_body       bytea,
    robots_fetched_at timestamptz,
    updated_at        timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ingest.hosts IS 'What all sources and runs share about a web host';
COMMENT ON COLUMN ingest.hosts.host IS 'Host, or scheme, host and port: as the crawler names it';
COMMENT ON COLUMN ingest.hosts.not_before IS 'The host asked (Retry-After) to be left alone until then';
COMMENT ON COLUMN ingest.hosts.robots_status IS 'HTTP status of the last robots.txt';
COMMENT ON COLUMN ingest.hosts.robots_body IS 'The last robots.txt, as bytes';
COMMENT ON COLUMN ingest.hosts.robots_fetched_at IS 'When that robots.txt was fetched';
COMMENT ON COLUMN ingest.hosts.updated_at IS 'When this row was last written';


CREATE TABLE ingest.documents (
    source                text NOT NULL REFERENCES ingest.sources,
    url_key               bytea NOT NULL,
    url                   text NOT NULL,
    kind                  text NOT NULL CHECK (kind IN ('feed', 'sitemap', 'section')),
    etag                  text,
    last_modified         text,
    not_modified_in_a_row integer NOT NULL DEFAULT 0,
    status                integer,
    links                 integer NOT NULL DEFAULT 0,
    error                 text,
    checked_at            timestamptz NOT NULL DEFAULT now(),
    changed_at            timestamptz,
    PRIMARY KEY (source, url_key)
);
COMMENT ON TABLE ingest.documents IS 'Feeds, sitemaps and section pages, with what a conditional request needs';
COMMENT ON COLUMN ingest.documents.source IS 'The source that reads it; two sources that read one feed have a row each';
COMMENT ON COLUMN ingest.documents.url_key IS '16 bytes that identify the normalised address: addresses may be too long for an index';
COMMENT ON COLUMN ingest.documents.url IS 'Address';
COMMENT ON COLUMN ingest.documents.kind IS 'feed, sitemap or section';
COMMENT ON COLUMN ingest.documents.etag IS 'ETag of the last answer whose links are stored';
COMMENT ON COLUMN ingest.documents.last_modified IS 'Last-Modified of the last answer whose links are stored';
COMMENT ON COLUMN ingest.documents.not_modified_in_a_row IS '304 answers since the last full one';
COMMENT ON COLUMN ingest.documents.status IS 'HTTP status of the last answer';
COMMENT ON COLUMN ingest.documents.links IS 'Links in the last full answer';
COMMENT ON COLUMN ingest.documents.error IS 'What went wrong with the last fetch; null: nothing';
COMMENT ON COLUMN ingest.documents.checked_at IS 'Last fetch, whatever came of it';
COMMENT ON COLUMN ingest.documents.changed_at IS 'Last full answer';
