-- Politeness over all processes: who works on this database, and when each host may be asked next.
-- What is in these tables is worth nothing a minute later: unlogged, they cost no write-ahead log and start empty after a crash.

CREATE UNLOGGED TABLE ingest.workers (
    worker_id   text PRIMARY KEY,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    alive_until timestamptz NOT NULL,
    is_sharing  boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE ingest.workers IS 'Processes that ask web hosts, while they live';
COMMENT ON COLUMN ingest.workers.worker_id IS 'Machine and process, as in ingest.runs.holder';
COMMENT ON COLUMN ingest.workers.started_at IS 'When it was first seen';
COMMENT ON COLUMN ingest.workers.alive_until IS 'Without another sign of life it counts as gone from then on';
COMMENT ON COLUMN ingest.workers.is_sharing IS 'It knows of others, and asks no host without a turn from ingest.host_slots';

CREATE UNLOGGED TABLE ingest.host_slots (
    host         text PRIMARY KEY,
    free_at      timestamptz NOT NULL DEFAULT '-infinity',
    unsent_until timestamptz NOT NULL DEFAULT '-infinity',
    claim        text NOT NULL DEFAULT '',
    was_list     boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE ingest.host_slots IS 'When a host may be asked next, for all processes, by the clock of the database';
COMMENT ON COLUMN ingest.host_slots.host IS 'Host, with its port where it is not the usual one';
COMMENT ON COLUMN ingest.host_slots.free_at IS 'Not before then';
COMMENT ON COLUMN ingest.host_slots.unsent_until IS 'Until then the request of the last turn is waited for, which is granted and not sent yet';
COMMENT ON COLUMN ingest.host_slots.claim IS 'Which turn was granted last';
COMMENT ON COLUMN ingest.host_slots.was_list IS 'The last turn was for a feed, sitemap or section page';

CREATE UNLOGGED TABLE ingest.host_workers (
    host      text NOT NULL,
    worker_id text NOT NULL,
    in_flight integer NOT NULL,
    most      integer NOT NULL,
    PRIMARY KEY (host, worker_id)
);
COMMENT ON TABLE ingest.host_workers IS 'How many requests each process has in flight at a host';
COMMENT ON COLUMN ingest.host_workers.host IS 'The host';
COMMENT ON COLUMN ingest.host_workers.worker_id IS 'The process';
COMMENT ON COLUMN ingest.host_workers.in_flight IS 'Its requests that have a turn and no end';
COMMENT ON COLUMN ingest.host_workers.most IS 'How many the strictest of its sources allows at a time';

CREATE UNLOGGED TABLE ingest.host_waiters (
    host        text NOT NULL,
    source      text NOT NULL,
    is_list     boolean NOT NULL,
    waits_until timestamptz NOT NULL,
    served_at   timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (host, source, is_list)
);
COMMENT ON TABLE ingest.host_waiters IS 'Which sources wait for a turn at a host, so that each has its share whatever process runs it';
COMMENT ON COLUMN ingest.host_waiters.host IS 'The host';
COMMENT ON COLUMN ingest.host_waiters.source IS 'The source';
COMMENT ON COLUMN ingest.host_waiters.is_list IS 'It waits with a feed, sitemap or section page';
COMMENT ON COLUMN ingest.host_waiters.waits_until IS 'In the past: it waits no more';
COMMENT ON COLUMN ingest.host_waiters.served_at IS 'Its last turn';
