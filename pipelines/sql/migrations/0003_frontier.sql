-- The frontier: pages found, and how each ended in each run.

CREATE TABLE ingest.pages (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source           text NOT NULL REFERENCES ingest.sources,
    url_key          bytea NOT NULL,
    url              text NOT NULL,
    found_on         text,
    found_at         timestamptz NOT NULL DEFAULT now(),
    hint             jsonb,
    state            text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'ended')),
    attempts         integer NOT NULL DEFAULT 0,
    next_attempt_at  timestamptz NOT NULL DEFAULT now(),
    ending           text CHECK (ending IN ('new', 'new_version', 'unchanged', 'copy', 'rejected')),
    reason           text CHECK (reason ~ '^[a-z0-9_]+$'),
    detail           text,
    http_status      integer,
    ended_at         timestamptz,
    article_id       bigint REFERENCES ingest.articles,
    last_fetched_at  timestamptz,
    etag             text,
    last_modified    text,
    next_check_at    timestamptz,
    checks_unchanged integer NOT NULL DEFAULT 0,
    CONSTRAINT pages_one_per_source UNIQUE (url_key, source),
    CHECK ((state = 'ended') = (ending IS NOT NULL)),
    CHECK (ending IS DISTINCT FROM 'rejected' OR reason IS NOT NULL)
);
COMMENT ON TABLE ingest.pages IS 'The frontier: every page that discovery accepted, until and after its end';
COMMENT ON CONSTRAINT pages_one_per_source ON ingest.pages IS 'Holds the frontier to one row per source and address; finds a page by its address';
COMMENT ON COLUMN ingest.pages.id IS 'Number of the page';
COMMENT ON COLUMN ingest.pages.source IS 'Source that found it';
COMMENT ON COLUMN ingest.pages.url_key IS '16 bytes that identify the normalised address';
COMMENT ON COLUMN ingest.pages.url IS 'Address as it was found';
COMMENT ON COLUMN ingest.pages.found_on IS 'Feed, sitemap or section page that first named it';
COMMENT ON COLUMN ingest.pages.found_at IS 'When it was found';
COMMENT ON COLUMN ingest.pages.hint IS 'What the feed or sitemap said about it';
COMMENT ON COLUMN ingest.pages.state IS 'pending or ended';
COMMENT ON COLUMN ingest.pages.attempts IS 'Failed attempts since it was found or last read';
COMMENT ON COLUMN ingest.pages.next_attempt_at IS 'A pending page is due from then on';
COMMENT ON COLUMN ingest.pages.ending IS 'Where it ended: new, new_version, unchanged, copy or rejected';
COMMENT ON COLUMN ingest.pages.reason IS 'Why it was rejected, or why its last attempt failed';
COMMENT ON COLUMN ingest.pages.detail IS 'The same for people';
COMMENT ON COLUMN ingest.pages.http_status IS 'HTTP status of the last attempt';
COMMENT ON COLUMN ingest.pages.ended_at IS 'When it ended';
COMMENT ON COLUMN ingest.pages.article_id IS 'The article that was read from it';
COMMENT ON COLUMN ingest.pages.last_fetched_at IS 'Last fetch that brought or confirmed the article';
COMMENT ON COLUMN ingest.pages.etag IS 'ETag of that fetch';
COMMENT ON COLUMN ingest.pages.last_modified IS 'Last-Modified of that fetch';
COMMENT ON COLUMN ingest.pages.next_check_at IS 'When the stored article is due to be looked at again; null: no more';
COMMENT ON COLUMN ingest.pages.checks_unchanged IS 'Rechecks in a row that found nothing new';

CREATE INDEX pages_due ON ingest.pages (source, next_attempt_at) WHERE state = 'pending';
COMMENT ON INDEX ingest.pages_due IS 'Serves take(): pending pages of a source that are due; counts the pending ones';
CREATE INDEX pages_due_for_recheck ON ingest.pages (source, next_check_at) WHERE state = 'ended' AND next_check_at IS NOT NULL;
COMMENT ON INDEX ingest.pages_due_for_recheck IS 'Serves take(): stored articles of a source that are due for a recheck';
CREATE INDEX pages_of_article ON ingest.pages (article_id) WHERE article_id IS NOT NULL;
COMMENT ON INDEX ingest.pages_of_article IS 'Serves explain: all addresses of an article';
CREATE INDEX pages_rejected ON ingest.pages (source, ended_at DESC) WHERE ending = 'rejected';
COMMENT ON INDEX ingest.pages_rejected IS 'Serves news.rejections';


CREATE TABLE ingest.run_pages (
    run_id      bigint NOT NULL REFERENCES ingest.runs ON DELETE CASCADE,
    page_id     bigint NOT NULL REFERENCES ingest.pages ON DELETE CASCADE,
    item        text NOT NULL DEFAULT '',
    ending      text CHECK (ending IN ('new', 'new_version', 'unchanged', 'copy', 'rejected')),
    reason      text CHECK (reason ~ '^[a-z0-9_]+$'),
    detail      text,
    asked       boolean NOT NULL DEFAULT true,
    fetched_at  timestamptz,
    content_key bytea,
    article_id  bigint,
    version     integer,
    copy_of     bigint,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, page_id, item)
);
COMMENT ON TABLE ingest.run_pages IS 'How each page ended in each run; the counts of a run are counted from here';
COMMENT ON COLUMN ingest.run_pages.run_id IS 'Run';
COMMENT ON COLUMN ingest.run_pages.page_id IS 'Page';
COMMENT ON COLUMN ingest.run_pages.item IS 'Empty in a crawl; in a replay the stored record''s time and text, for one address may have several';
COMMENT ON COLUMN ingest.run_pages.ending IS 'Where the page ended in this run; null: it has not';
COMMENT ON COLUMN ingest.run_pages.reason IS 'Why it was rejected or put off';
COMMENT ON COLUMN ingest.run_pages.detail IS 'The same for people';
COMMENT ON COLUMN ingest.run_pages.asked IS 'False: a known page that was seen again and not asked for; removed when the run has been counted';
COMMENT ON COLUMN ingest.run_pages.fetched_at IS 'Fetch that brought this end';
COMMENT ON COLUMN ingest.run_pages.content_key IS 'Hash of the title, teaser and text that were read';
COMMENT ON COLUMN ingest.run_pages.article_id IS 'Article';
COMMENT ON COLUMN ingest.run_pages.version IS 'Version';
COMMENT ON COLUMN ingest.run_pages.copy_of IS 'The article that had the text first';
COMMENT ON COLUMN ingest.run_pages.recorded_at IS 'When this was written';
CREATE INDEX run_pages_of_page ON ingest.run_pages (page_id);
COMMENT ON INDEX ingest.run_pages_of_page IS 'Serves explain: the ends of a page in all runs';


CREATE TABLE ingest.attempts (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    run_id  bigint NOT NULL REFERENCES ingest.runs ON DELETE CASCADE,
    source  text NOT NULL,
    kind    text NOT NULL CHECK (kind IN ('page', 'feed', 'sitemap', 'section')),
    page_id bigint REFERENCES ingest.pages ON DELETE CASCADE,
    url     text,
    status  integer,
    ms      integer,
    bytes   bigint,
    outcome text NOT NULL,
    detail  text
);
COMMENT ON TABLE ingest.attempts IS 'A row per request for a page or discovery document: answers why there is no news from X';
COMMENT ON COLUMN ingest.attempts.id IS 'Number';
COMMENT ON COLUMN ingest.attempts.at IS 'When it was recorded';
COMMENT ON COLUMN ingest.attempts.run_id IS 'Run';
COMMENT ON COLUMN ingest.attempts.source IS 'Source';
COMMENT ON COLUMN ingest.attempts.kind IS 'page, feed, sitemap or section';
COMMENT ON COLUMN ingest.attempts.page_id IS 'The page; null for a discovery document';
COMMENT ON COLUMN ingest.attempts.url IS 'The discovery document; null for a page';
COMMENT ON COLUMN ingest.attempts.status IS 'HTTP status; null: no answer';
COMMENT ON COLUMN ingest.attempts.ms IS 'Milliseconds it took; null: not measured';
COMMENT ON COLUMN ingest.attempts.bytes IS 'Bytes after decompression';
COMMENT ON COLUMN ingest.attempts.outcome IS 'A page''s ending or reason; ok, not_modified or error for a discovery document';
COMMENT ON COLUMN ingest.attempts.detail IS 'The same for people';
CREATE INDEX attempts_of_source ON ingest.attempts (source, at DESC);
COMMENT ON INDEX ingest.attempts_of_source IS 'Serves the latest requests of a source';
CREATE INDEX attempts_of_page ON ingest.attempts (page_id) WHERE page_id IS NOT NULL;
COMMENT ON INDEX ingest.attempts_of_page IS 'Serves explain: all requests for a page';
