"""The statements about sources, runs, discovery documents and pages. ``store.Store`` says what they are for."""

from __future__ import annotations

KEEP_SOURCES = """
    INSERT INTO ingest.sources AS source (
        name, title, homepage, language, country, time_zone, enabled, expected_per_day, day_zone, hosts, drop_params)
    SELECT row.name, title, homepage, language, country, time_zone, enabled, expected_per_day, zone.name, hosts,
           drop_params
    FROM jsonb_to_recordset(%s) AS row (
        name text, title text, homepage text, language text, country text, time_zone text, enabled boolean,
        expected_per_day integer, hosts text[], drop_params text[])
    LEFT JOIN pg_timezone_names AS zone ON zone.name = row.time_zone
    ORDER BY row.name
    ON CONFLICT (name) DO UPDATE
    SET title = excluded.title, homepage = excluded.homepage, language = excluded.language, country = excluded.country,
        time_zone = excluded.time_zone, enabled = excluded.enabled, expected_per_day = excluded.expected_per_day,
        day_zone = excluded.day_zone, hosts = excluded.hosts, drop_params = excluded.drop_params, updated_at = now()
"""

KEEP_SOURCE_NAME = "INSERT INTO ingest.sources (name, title) VALUES (%(source)s, %(source)s) ON CONFLICT DO NOTHING"

KEEP_NEXT_RUN = "UPDATE ingest.sources SET next_run_at = %(at)s WHERE name = %(source)s"

# ---------------------------------------------------------------------------------------------------------------------
# runs

LOCK_SOURCE = "SELECT pg_advisory_xact_lock(hashtextextended('run of ' || %(source)s, 0))"

FIND_DEAD_RUNS = """
    SELECT id FROM ingest.runs
    WHERE (source = %(source)s OR source IS NULL AND %(source)s::text IS NULL)
      AND ended_at IS NULL
      -- or its last sign of life is in the future: the clock was set back, and who lives says so again in no time
      AND (lease_until < clock_timestamp() OR heartbeat_at > clock_timestamp() + (lease_until - heartbeat_at))
    ORDER BY id
    FOR UPDATE
"""

HOLDERS = "SELECT id, holder FROM ingest.runs WHERE source IS NOT DISTINCT FROM %(source)s AND ended_at IS NULL"

# the answer to an earlier try may have been lost: then the run is there already
FIND_BEGUN = "SELECT id, started_at FROM ingest.runs WHERE token = %(token)s"

BEGIN_RUN = """
    INSERT INTO ingest.runs (token, source, kind, slot, holder, lease_until)
    VALUES (%(token)s, %(source)s, %(kind)s, %(slot)s, %(holder)s, clock_timestamp() + %(lease)s)
    ON CONFLICT DO NOTHING
    RETURNING id, started_at
"""

HEARTBEAT = """
    UPDATE ingest.runs SET heartbeat_at = clock_timestamp(), lease_until = clock_timestamp() + %(lease)s
    WHERE id = %(run)s AND ended_at IS NULL
    RETURNING id
"""

# Every page that the run ended, and every page of its source (for a replay: of its own) that waits. A page is in one of
# the parts only, so the counts always add up.
COUNT_RUN = """
    SELECT coalesce(ending, 'pending') AS ending, reason, count(*)::integer AS number
    FROM (
        SELECT ended.ending, CASE WHEN ended.ending = 'rejected' THEN ended.reason END AS reason
        FROM ingest.run_pages AS ended
        WHERE ended.run_id = %(run)s AND ended.ending IS NOT NULL
        UNION ALL
        SELECT NULL, page.reason
        FROM ingest.pages AS page
        JOIN ingest.runs AS run ON run.source = page.source AND run.kind = 'crawl'
        WHERE run.id = %(run)s AND page.state = 'pending'
        UNION ALL
        SELECT NULL, waiting.reason
        FROM ingest.run_pages AS waiting
        JOIN ingest.pages AS page ON page.id = waiting.page_id
        JOIN ingest.runs AS run ON run.id = waiting.run_id
        WHERE waiting.run_id = %(run)s AND waiting.ending IS NULL AND (page.state = 'ended' OR run.kind = 'replay')
    ) AS counted
    GROUP BY 1, 2
"""

RUN_STATE = """
    SELECT ended_at, new, new_version, unchanged, copy, rejected, pending, reasons
    FROM ingest.runs WHERE id = %(run)s FOR UPDATE
"""

END_RUN = """
    UPDATE ingest.runs
    SET ended_at = clock_timestamp(), outcome = %(outcome)s, error = %(error)s, new = %(new)s,
        new_version = %(new_version)s, unchanged = %(unchanged)s, copy = %(copy)s, rejected = %(rejected)s,
        pending = %(pending)s, reasons = %(reasons)s
    WHERE id = %(run)s
"""

# they are as many as the feeds have entries, every few minutes; counted, they have done their service
FORGET_SEEN_AGAIN = "DELETE FROM ingest.run_pages WHERE run_id = %(run)s AND NOT asked"

# ---------------------------------------------------------------------------------------------------------------------
# discovery

VALIDATORS = """
    SELECT etag, last_modified, checked_at, not_modified_in_a_row
    FROM ingest.documents
    WHERE source = %(source)s AND url_key = %(key)s AND (etag IS NOT NULL OR last_modified IS NOT NULL)
"""

# A server that was caught with an untrue 304 is trusted with none of its documents.
DOCUMENT_STATE = """
    SELECT document.etag, document.last_modified, document.checked_at, document.not_modified_in_a_row, document.digest,
           document.confirmed_looks, memory.entries AS memory,
           EXISTS (SELECT FROM ingest.documents AS other
                   WHERE other.source = document.source AND other.distrusted_at IS NOT NULL
                     AND split_part(other.url, '/', 3) = split_part(document.url, '/', 3)) AS is_distrusted
    FROM ingest.documents AS document
    LEFT JOIN ingest.document_memories AS memory USING (source, url_key)
    WHERE document.source = %(source)s AND document.url_key = %(key)s
"""

KEEP_DOCUMENT = """
    INSERT INTO ingest.documents AS document (
        source, url_key, url, kind, etag, last_modified, status, links, error, changed_at, entries, left_out, note,
        digest, distrusted_at, distrusted_because)
    VALUES (%(source)s, %(key)s, %(url)s, %(kind)s, %(etag)s, %(last_modified)s, %(status)s, %(links)s, %(error)s,
            CASE WHEN %(is_full)s THEN now() END, %(entries)s, %(left_out)s, %(note)s, %(digest)s,
            CASE WHEN %(distrusted)s::text IS NOT NULL THEN now() END, %(distrusted)s)
    ON CONFLICT (source, url_key) DO UPDATE
    SET status = excluded.status, error = excluded.error, checked_at = now(), kind = excluded.kind,
        etag = CASE WHEN %(is_full)s THEN excluded.etag ELSE document.etag END,
        last_modified = CASE WHEN %(is_full)s THEN excluded.last_modified ELSE document.last_modified END,
        links = CASE WHEN %(is_full)s THEN excluded.links ELSE document.links END,
        changed_at = coalesce(excluded.changed_at, document.changed_at),
        entries = CASE WHEN %(is_full)s THEN excluded.entries ELSE document.entries END,
        left_out = CASE WHEN %(is_full)s THEN excluded.left_out ELSE document.left_out END,
        note = CASE WHEN %(is_full)s THEN excluded.note ELSE document.note END,
        digest = CASE WHEN %(is_full)s THEN excluded.digest ELSE document.digest END,
        confirmed_looks = CASE
            WHEN %(distrusted)s::text IS NOT NULL THEN 0 ELSE document.confirmed_looks + %(confirmed)s::integer END,
        distrusted_at = coalesce(document.distrusted_at, excluded.distrusted_at),
        distrusted_because = coalesce(document.distrusted_because, excluded.distrusted_because),
        not_modified_in_a_row = CASE
            WHEN %(is_full)s THEN 0
            WHEN %(not_modified)s THEN document.not_modified_in_a_row + 1
            ELSE document.not_modified_in_a_row END
"""

KEEP_MEMORY = """
    INSERT INTO ingest.document_memories AS known (source, url_key, entries)
    VALUES (%(source)s, %(key)s, %(memory)s)
    ON CONFLICT (source, url_key) DO UPDATE
    SET entries = excluded.entries, remembered_at = now()
    WHERE known.entries <> excluded.entries
"""

KEEP_DOCUMENT_ATTEMPT = """
    INSERT INTO ingest.attempts (run_id, source, kind, url, status, ms, bytes, outcome, detail)
    VALUES (%(run)s, %(source)s, %(kind)s, %(url)s, %(status)s, %(ms)s, %(bytes)s, %(outcome)s, %(error)s)
"""

# Two documents of one run are offered at the same time: each sees the room that the other has left.
LOCK_FRONTIER = """
    SELECT drop_params || noise_params AS params FROM ingest.sources WHERE name = %(source)s FOR NO KEY UPDATE
"""

KNOWN_PAGES = """
    SELECT url_key, stable_key FROM ingest.pages
    WHERE source = %(source)s AND url_key = ANY (%(keys)s)
    UNION ALL
    SELECT url_key, stable_key FROM ingest.pages
    WHERE source = %(source)s AND stable_key = ANY (%(keys)s)
"""

# Of addresses that had parameters: pages whose article is known under what is left.
KNOWN_BY_ARTICLE = """
    SELECT page.url_key, article.url_key AS stable_key
    FROM ingest.articles AS article
    JOIN ingest.pages AS page ON page.article_id = article.id AND page.source = %(source)s
    WHERE article.url_key = ANY (%(keys)s)
"""

COUNT_WAITING = "SELECT count(*) AS number FROM ingest.pages WHERE source = %(source)s AND state = 'pending'"

# those that were never asked for, oldest first
OLDEST_WAITING = """
    SELECT id, coalesce(dated_at, found_at) AS at FROM ingest.pages
    WHERE source = %(source)s AND state = 'pending' AND attempts = 0 AND id <> ALL (%(in_hand)s)
    ORDER BY coalesce(dated_at, found_at), id DESC
    LIMIT %(limit)s
"""

# A page that nobody has asked for gives its place to a newer one. It is the same row, because who writes may not
# delete; nothing refers to it yet.
DISPLACE = """
    UPDATE ingest.pages AS page
    SET url_key = decode(row.url_key, 'hex'), url = row.url, found_on = row.found_on, found_at = now(), hint = row.hint,
        dated_at = row.dated_at, next_attempt_at = now(), stable_key = NULL, reason = NULL, detail = NULL,
        http_status = NULL
    FROM jsonb_to_recordset(%(links)s) AS row (
        id bigint, url_key text, url text, found_on text, hint jsonb, dated_at timestamptz)
    WHERE page.id = row.id AND page.state = 'pending' AND page.attempts = 0
      AND NOT EXISTS (SELECT FROM ingest.pages AS other
                      WHERE other.source = page.source AND other.url_key = decode(row.url_key, 'hex'))
    RETURNING page.url_key
"""

OFFER = """
    INSERT INTO ingest.pages (source, url_key, url, found_on, hint, dated_at)
    SELECT %(source)s, decode(url_key, 'hex'), url, found_on, hint, dated_at
    FROM jsonb_to_recordset(%(links)s) AS row (
        url_key text, url text, found_on text, hint jsonb, dated_at timestamptz)
    ORDER BY url_key
    ON CONFLICT DO NOTHING
    RETURNING url_key
"""

# The sitemap says that a page was changed after it was fetched: look again, but not at every lie of a sitemap.
HASTEN_RECHECKS = """
    UPDATE ingest.pages AS page
    SET next_check_at = now()
    FROM jsonb_to_recordset(%(links)s) AS row (url_key text, modified_at timestamptz)
    WHERE page.source = %(source)s AND page.url_key = decode(row.url_key, 'hex') AND page.next_check_at > now()
      AND row.modified_at > page.last_fetched_at AND page.last_fetched_at < now() - interval '30 minutes'
"""

# Known pages that nobody asks for: they end unchanged in this run, too.
SEEN_AGAIN = """
    INSERT INTO ingest.run_pages (run_id, page_id, ending, asked, article_id)
    SELECT %(run)s, page.id, 'unchanged', false, page.article_id
    FROM ingest.pages AS page
    WHERE page.source = %(source)s AND page.url_key = ANY (%(keys)s) AND page.state = 'ended'
      AND (page.next_check_at IS NULL OR page.next_check_at > now())
    ORDER BY page.id
    ON CONFLICT DO NOTHING
"""

OFFERED = """
    SELECT count(*) FILTER (WHERE state = 'pending') AS waiting, count(*) FILTER (WHERE state = 'ended') AS ended
    FROM ingest.pages WHERE source = %(source)s AND url_key = ANY (%(keys)s)
"""

REJECT_BAD_LINKS = """
    UPDATE ingest.pages
    SET state = 'ended', ending = 'rejected', reason = 'bad_url', detail = row.detail, ended_at = now()
    FROM jsonb_to_recordset(%(links)s) AS row (url_key text, detail text)
    WHERE source = %(source)s AND pages.url_key = decode(row.url_key, 'hex') AND state = 'pending'
    RETURNING id, pages.detail
"""

# Latest first: what waits in a long frontier is older than what is news now.
# A page whose time is more than a month ahead is due as well: nothing is put off for so long, so the clock was wrong.
TAKE = """
    SELECT id, url, hint, attempts, etag, last_modified, false AS recheck
    FROM ingest.pages
    WHERE source = %(source)s AND state = 'pending' AND id <> ALL (%(in_hand)s)
      AND (next_attempt_at <= now() OR next_attempt_at > now() + interval '32 days')
    ORDER BY coalesce(dated_at, found_at) DESC, id
    LIMIT %(limit)s
"""

TAKE_RECHECKS = """
    SELECT id, url, hint, attempts, true AS recheck,
           CASE WHEN split_part(url, '/', 3) = ANY (distrusted.hosts) THEN NULL ELSE etag END AS etag,
           CASE WHEN split_part(url, '/', 3) = ANY (distrusted.hosts) THEN NULL ELSE last_modified END AS last_modified,
           (SELECT version.lesson
            FROM ingest.articles AS article
            JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version
            WHERE article.id = pages.article_id AND article.source = pages.source) AS lesson
    FROM ingest.pages
    CROSS JOIN (
        SELECT coalesce(array_agg(split_part(url, '/', 3)), '{}') AS hosts FROM ingest.documents
        WHERE source = %(source)s AND distrusted_at IS NOT NULL) AS distrusted
    WHERE source = %(source)s AND state = 'ended' AND id <> ALL (%(in_hand)s)
      AND (next_check_at <= now() OR next_check_at > now() + interval '32 days')
    ORDER BY next_check_at, id
    LIMIT %(limit)s
"""

# One page of each article, the one that was asked last: others have led to the same. Those of an address, whatever
# their age; those of a source that were first seen since then.
RECHECK_NOW = """
    WITH wanted AS (
        SELECT DISTINCT ON (page.article_id) page.id
        FROM ingest.pages AS page
        JOIN ingest.articles AS article ON article.id = page.article_id
        WHERE page.state = 'ended' AND article.url NOT LIKE 'file:%%' AND (
            page.article_id = ANY (%(articles)s)
            OR page.source = ANY (%(sources)s) AND article.first_seen_at >= %(since)s)
        ORDER BY page.article_id, page.next_check_at IS NULL, page.last_fetched_at DESC NULLS LAST, page.id
    )
    UPDATE ingest.pages AS page SET next_check_at = now()
    FROM wanted WHERE page.id = wanted.id
    RETURNING page.source
"""

FIND_ARTICLE_IDS = """
    SELECT wanted.url, (SELECT id FROM news.find(wanted.url)) AS id FROM unnest(%(urls)s::text[]) AS wanted (url)
"""

TAKEN_FOR_RECHECK = """
    INSERT INTO ingest.run_pages (run_id, page_id)
    SELECT %(run)s, id FROM unnest(%(ids)s::bigint[]) AS id
    ORDER BY id
    ON CONFLICT (run_id, page_id, item) DO UPDATE
    SET ending = NULL, asked = true
"""

# ---------------------------------------------------------------------------------------------------------------------
# ends

FIND_PAGE = """
    SELECT id, state, attempts, article_id, checks_unchanged, last_fetched_at, next_check_at
    FROM ingest.pages WHERE source = %(source)s AND url_key = %(key)s
    FOR NO KEY UPDATE
"""

KEEP_PAGE = """
    INSERT INTO ingest.pages (source, url_key, url) VALUES (%(source)s, %(key)s, %(url)s)
    ON CONFLICT DO NOTHING
"""

FIND_RUN_PAGE = """
    SELECT ending, reason, article_id, fetched_at, recorded_at
    FROM ingest.run_pages WHERE run_id = %(run)s AND page_id = %(page)s AND item = %(item)s
"""

KEEP_RUN_PAGE = """
    INSERT INTO ingest.run_pages (run_id, page_id, item, ending, reason, detail, article_id, version, fetched_at)
    VALUES (%(run)s, %(page)s, %(item)s, %(ending)s, %(reason)s, %(detail)s, %(article)s, %(version)s, %(fetched_at)s)
    ON CONFLICT (run_id, page_id, item) DO UPDATE
    SET ending = excluded.ending, reason = excluded.reason, detail = excluded.detail, asked = true,
        article_id = excluded.article_id, version = excluded.version, fetched_at = excluded.fetched_at,
        recorded_at = now()
"""

REJECT_PAGE = """
    UPDATE ingest.pages
    SET state = 'ended', ending = 'rejected', reason = %(reason)s, detail = %(detail)s, http_status = %(status)s,
        ended_at = now(), attempts = attempts + 1, next_check_at = NULL
    WHERE id = %(page)s
"""

# A stored article stays what it is; its page is looked at again later.
REJECT_RECHECK = """
    UPDATE ingest.pages
    SET reason = %(reason)s, detail = %(detail)s, http_status = %(status)s, attempts = attempts + 1,
        next_check_at = %(next)s
    WHERE id = %(page)s
"""

ARTICLE_GONE = """
    UPDATE ingest.articles SET gone_at = now(), gone_reason = %(reason)s WHERE id = %(article)s AND gone_at IS NULL
"""

POSTPONE_PAGE = """
    UPDATE ingest.pages
    SET attempts = %(attempts)s, reason = %(reason)s, detail = %(detail)s, http_status = %(status)s,
        next_attempt_at = CASE
            WHEN state = 'pending' THEN greatest(%(not_before)s, now() + %(wait)s)
            ELSE next_attempt_at END,
        next_check_at = CASE WHEN state = 'ended' THEN greatest(%(not_before)s, now() + %(wait)s) END
    WHERE id = %(page)s
"""

# Nothing was asked: the host is to be left alone for a while.
LET_REST = """
    UPDATE ingest.pages
    SET reason = %(reason)s, detail = %(detail)s,
        next_attempt_at = CASE
            WHEN state = 'pending' THEN greatest(next_attempt_at, %(not_before)s) ELSE next_attempt_at END,
        next_check_at = CASE WHEN state = 'ended' THEN greatest(next_check_at, %(not_before)s) ELSE next_check_at END
    WHERE id = %(page)s
"""

UNMODIFIED = """
    UPDATE ingest.pages
    SET ending = 'unchanged', ended_at = now(), http_status = 304, attempts = 0, reason = NULL, detail = NULL,
        last_fetched_at = now(), checks_unchanged = checks_unchanged + 1, next_check_at = %(next)s
    WHERE id = %(page)s
"""

FIND_ARTICLE_TIMES = """
    SELECT article.id, article.version, article.first_seen_at, version.published_at, now() AS now
    FROM ingest.articles AS article
    JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version
    WHERE article.id = %(article)s
"""

CONFIRM_ARTICLE = (
    "UPDATE ingest.articles SET fetched_at = greatest(fetched_at, now()), gone_at = NULL WHERE id = %(article)s"
)

KEEP_ATTEMPT = """
    INSERT INTO ingest.attempts (run_id, source, kind, page_id, status, ms, bytes, outcome, detail)
    VALUES (%(run)s, %(source)s, 'page', %(page)s, %(status)s, %(ms)s, %(size)s, %(outcome)s, %(detail)s)
"""

KEEP_ARCHIVE_RECORD = """
    INSERT INTO ingest.archive_records (file, record_offset, length, source, url, fetched_at, run_id)
    VALUES (%(file)s, %(offset)s, %(length)s, %(source)s, %(url)s, %(fetched_at)s, %(run)s)
    ON CONFLICT DO NOTHING
"""

# Bytes of archive files that no record covers: pages that were archived by a process that then was killed. A file of
# which nothing was recorded is one gap.
ARCHIVE_GAPS = """
    WITH covered AS (
        SELECT file, record_offset, record_offset + length AS behind
        FROM ingest.archive_records WHERE file = ANY (%(files)s)
        UNION ALL
        SELECT file, 0, 0 FROM unnest(%(files)s::text[]) AS file
    )
    SELECT file, behind AS gap_begin, following AS gap_end
    FROM (
        SELECT file, behind, lead(record_offset) OVER (PARTITION BY file ORDER BY record_offset, behind) AS following
        FROM covered
    ) AS places
    WHERE following IS NULL OR following > behind
    ORDER BY file, behind
"""

BROKEN_OFF = """
    SELECT outcome <> 'finished' AS broken_off FROM ingest.runs
    WHERE source = %(source)s AND id < %(run)s AND kind <> 'replay'
    ORDER BY id DESC LIMIT 1
"""
