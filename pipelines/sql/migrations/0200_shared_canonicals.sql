-- Templates name one canonical address for every page of a section. Two pages with other headlines and other texts tell.

CREATE TABLE ingest.shared_canonicals (
    url_key    bytea PRIMARY KEY,
    url        text NOT NULL,
    noticed_at timestamptz NOT NULL
);
COMMENT ON TABLE ingest.shared_canonicals IS 'Canonical addresses that pages of different articles name: not believed, each page goes by its own address';
COMMENT ON COLUMN ingest.shared_canonicals.url_key IS '16 bytes that identify the address, as in ingest.articles';
COMMENT ON COLUMN ingest.shared_canonicals.url IS 'The address';
COMMENT ON COLUMN ingest.shared_canonicals.noticed_at IS 'Fetch of the page that showed it';
