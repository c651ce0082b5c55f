-- Until when a host is left alone, and by whom: a row per host and source, shown and lifted by `nachlese hosts`.

CREATE TABLE ingest.host_rests (
    host        text NOT NULL,
    source      text NOT NULL DEFAULT '',
    not_before  timestamptz NOT NULL,
    unreachable boolean NOT NULL DEFAULT false,
    why         text NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (host, source)
);
COMMENT ON TABLE ingest.host_rests IS 'Hosts that are not asked until a time, because they said so or did not answer';
COMMENT ON COLUMN ingest.host_rests.host IS 'Host, with its port where it is not the usual one';
COMMENT ON COLUMN ingest.host_rests.source IS 'The only source that leaves the host alone; empty: every source does';
COMMENT ON COLUMN ingest.host_rests.not_before IS 'Until then nothing is asked; in the past: the rest is over or was lifted';
COMMENT ON COLUMN ingest.host_rests.unreachable IS 'The host did not answer; false: it asked for time';
COMMENT ON COLUMN ingest.host_rests.why IS 'What happened, for a person';
COMMENT ON COLUMN ingest.host_rests.updated_at IS 'When this row was last written';

INSERT INTO ingest.host_rests (host, not_before, why)
SELECT host, not_before, 'it asked for time' FROM ingest.hosts WHERE not_before > now();
COMMENT ON COLUMN ingest.hosts.not_before IS 'Not used any more: see ingest.host_rests';
