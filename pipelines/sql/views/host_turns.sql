-- Turns at web hosts for all processes. In one call: what a process has sent and finished, and what it wants to ask.
-- The rows of the hosts are locked in order of their names; each statement after that sees what others have committed.
-- `states`: [{host, in_flight, most, claim, ago, delay}]; with a claim, that request was sent `ago` seconds ago and the host
-- is free `delay` seconds after that (null: it was not sent). `claims`: [{host, source, is_list, delay, most, claim}], each
-- host once. One row a claim: whether it is granted, else after how many seconds to ask again; and whether the host rests.

CREATE OR REPLACE FUNCTION ingest.claim_host_turns(worker text, states jsonb, claims jsonb)
RETURNS TABLE (claim text, is_granted boolean, wait double precision, is_resting boolean)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    wish record;
    slot ingest.host_slots;
    mine ingest.host_waiters;
    moment timestamptz;
    inside bigint;
    allowed integer;
    is_next boolean;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO ingest.host_slots (host)
    SELECT DISTINCT one ->> 'host' FROM jsonb_array_elements(states || claims) AS one ORDER BY 1
    ON CONFLICT DO NOTHING;
    PERFORM FROM ingest.host_slots
    WHERE host IN (SELECT one ->> 'host' FROM jsonb_array_elements(states || claims) AS one) ORDER BY host FOR UPDATE;

    INSERT INTO ingest.host_workers (host, worker_id, in_flight, most)
    SELECT DISTINCT ON (state.host) state.host, worker, state.in_flight, state.most
    FROM jsonb_to_recordset(states) AS state (host text, in_flight integer, most integer)
    ON CONFLICT (host, worker_id) DO UPDATE SET in_flight = excluded.in_flight, most = excluded.most;
    UPDATE ingest.host_slots AS slot
    SET unsent_until = '-infinity',
        free_at = greatest(slot.free_at, clock_timestamp() + make_interval(secs => state.delay - state.ago))
    FROM jsonb_to_recordset(states) AS state (host text, claim text, ago double precision, delay double precision)
    WHERE slot.host = state.host AND slot.claim = state.claim;

    FOR wish IN
        SELECT * FROM jsonb_to_recordset(claims)
            AS wish (host text, source text, is_list boolean, delay double precision, most integer, claim text)
    LOOP
        moment := clock_timestamp();
        SELECT * INTO slot FROM ingest.host_slots WHERE host = wish.host;
        -- what waits is believed for half a second after the host is free: who waits is there by then, or died
        INSERT INTO ingest.host_waiters AS known (host, source, is_list, waits_until)
        VALUES (wish.host, wish.source, wish.is_list, greatest(moment, slot.free_at) + interval '0.5 seconds')
        ON CONFLICT (host, source, is_list) DO UPDATE SET waits_until = excluded.waits_until
        RETURNING * INTO mine;
        SELECT coalesce(sum(other.in_flight), 0), least(wish.most, min(other.most) FILTER (WHERE other.in_flight > 0))
        INTO inside, allowed
        FROM ingest.host_workers AS other JOIN ingest.workers AS alive ON alive.worker_id = other.worker_id
        WHERE other.host = wish.host AND (alive.alive_until > moment OR other.worker_id = worker);
        -- lists and pages take turns where both wait; among equals, who was served longest ago goes first
        is_next := NOT EXISTS (
            SELECT FROM ingest.host_waiters AS other
            WHERE other.host = wish.host AND other.waits_until > moment
              AND (other.source, other.is_list) <> (wish.source, wish.is_list)
              AND (other.is_list = slot.was_list, other.served_at, other.source)
                  < (wish.is_list = slot.was_list, mine.served_at, wish.source));
        claim := wish.claim;
        is_resting := EXISTS (
            SELECT FROM ingest.host_rests AS rest
            WHERE rest.host = wish.host AND rest.source IN ('', wish.source) AND rest.not_before > moment);
        is_granted := is_next AND inside < allowed AND slot.free_at <= moment AND slot.unsent_until <= moment;
        wait := 0;
        IF is_granted THEN
            UPDATE ingest.host_slots
            -- 12 seconds: SENDS_WITHIN; who sent at their end, and cannot say so, has the delay all the same
            SET free_at = moment + make_interval(secs => wish.delay),
                unsent_until = moment + CASE WHEN wish.delay > 0 THEN make_interval(secs => 12 + wish.delay)
                                             ELSE interval '0' END,
                claim = wish.claim, was_list = wish.is_list
            WHERE host = wish.host;
            UPDATE ingest.host_waiters SET served_at = moment, waits_until = moment
            WHERE host = wish.host AND source = wish.source AND is_list = wish.is_list;
            INSERT INTO ingest.host_workers AS known (host, worker_id, in_flight, most)
            VALUES (wish.host, worker, 1, wish.most)
            ON CONFLICT (host, worker_id) DO UPDATE SET in_flight = known.in_flight + 1, most = wish.most;
        ELSIF slot.free_at > moment THEN
            wait := extract(epoch FROM slot.free_at - moment);
        ELSIF inside >= allowed THEN
            wait := 0.1;
        ELSE
            wait := 0.02;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ingest.claim_host_turns IS 'Turns at web hosts: what a process did and what it wants to ask';

CREATE OR REPLACE FUNCTION ingest.forget_workers(gone text[]) RETURNS void
LANGUAGE sql VOLATILE AS $$
    WITH forgotten AS (
        DELETE FROM ingest.workers
        WHERE worker_id = ANY(gone) OR alive_until < clock_timestamp() - interval '1 hour'
        RETURNING worker_id)
    DELETE FROM ingest.host_workers WHERE worker_id IN (SELECT worker_id FROM forgotten)
$$;
COMMENT ON FUNCTION ingest.forget_workers IS 'Processes that have ended, or gave no sign of life for an hour, are none any more';

-- A sign of life; who lives, whether they share, and the time of the database. One after the other: of two processes that
-- begin at the same moment, the second one sees the first. `gone`: processes that are known to have ended.
CREATE OR REPLACE FUNCTION ingest.beat(worker text, alive_for interval, sharing boolean, gone text[])
RETURNS TABLE (worker_id text, is_sharing boolean, now timestamptz)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('nachlese workers', 0)), set_config('synchronous_commit', 'off', true);
    PERFORM ingest.forget_workers(gone);
    INSERT INTO ingest.workers AS known (worker_id, alive_until, is_sharing)
    VALUES (worker, clock_timestamp() + alive_for, sharing)
    ON CONFLICT (worker_id) DO UPDATE SET alive_until = excluded.alive_until, is_sharing = excluded.is_sharing;
    RETURN QUERY SELECT known.worker_id, known.is_sharing, clock_timestamp() FROM ingest.workers AS known
                 WHERE known.alive_until > clock_timestamp();
END
$$;
COMMENT ON FUNCTION ingest.beat IS 'Sign of life of a process that asks web hosts; which others live';
