"""The statements of ``store.health``."""

from __future__ import annotations

# Pages that the run met for the first time or could not fetch. What was known before says nothing: a recheck.
OBSERVE = """
    INSERT INTO ingest.observations (
        source, run_id, page_id, at, outcome, reason, status, words, is_dated, is_signed, has_section, is_paid,
        title_again, delay, ms, paragraphs, counted)
    SELECT run.source, run.id, page.id, done.recorded_at,
           CASE WHEN done.ending IS NULL THEN 'failed' ELSE done.ending END, done.reason,
           CASE WHEN done.reason IS NOT NULL THEN page.http_status END,
           CASE WHEN version.text <> '' THEN version.word_count END, version.published_at IS NOT NULL,
           cardinality(version.authors) > 0, version.section IS NOT NULL, version.is_accessible_for_free IS FALSE,
           coalesce(version.title = ANY (latest.titles), false)
               OR count(version.title) OVER (PARTITION BY version.title) > 1,
           CASE WHEN version.published_precision IN ('second', 'minute')
                 AND version.published_at > source.added_at
                 AND run.started_at - before.started_at < interval '3 hours'
                THEN extract(epoch FROM page.found_at - version.published_at) / 60 END,
           attempt.ms,
           CASE WHEN version.text <> '' THEN ARRAY(
               SELECT DISTINCT hashtext(line) FROM unnest(string_to_array(left(version.text, 20000), E'\n\n')) AS line
               LIMIT 80) END,
           NOT EXISTS (SELECT FROM ingest.alarms WHERE alarms.source = run.source AND closed_at IS NULL)
    FROM ingest.runs AS run
    JOIN ingest.sources AS source ON source.name = run.source
    JOIN ingest.run_pages AS done ON done.run_id = run.id AND done.asked
    JOIN ingest.pages AS page ON page.id = done.page_id
    LEFT JOIN ingest.versions AS version ON version.article_id = done.article_id AND version.number = done.version
        AND done.ending IN ('new', 'copy')
    LEFT JOIN LATERAL (
        SELECT ms FROM ingest.attempts WHERE attempts.page_id = page.id ORDER BY id DESC LIMIT 1) AS attempt ON true
    LEFT JOIN LATERAL (
        SELECT started_at FROM ingest.runs AS earlier
        WHERE earlier.source = run.source AND earlier.started_at < run.started_at
        ORDER BY started_at DESC LIMIT 1) AS before ON true
    CROSS JOIN LATERAL (
        SELECT array_agg(title) AS titles FROM (
            SELECT other.title FROM ingest.articles AS article
            JOIN ingest.versions AS other ON other.article_id = article.id AND other.number = 1
            WHERE article.source = run.source AND article.first_seen_at < run.started_at
            ORDER BY article.first_seen_at DESC LIMIT 20) AS newest) AS latest
    WHERE run.id = %(run)s AND run.kind = 'crawl'
      AND (done.ending IN ('new', 'copy')
           OR done.ending = 'rejected' AND done.article_id IS NULL
           OR done.ending IS NULL AND done.reason IS NOT NULL AND page.article_id IS NULL)
    ORDER BY done.recorded_at, page.id
    ON CONFLICT DO NOTHING
    RETURNING id
"""

# What a look that brought nothing new needs to know: mostly, that all is well.
STATE = """
    SELECT
        (SELECT count(*) FROM ingest.alarms WHERE source = %(source)s AND closed_at IS NULL) AS alarms,
        (SELECT outcome = 'failed' FROM ingest.observations WHERE source = %(source)s ORDER BY id DESC LIMIT 1)
            AS is_failing,
        (SELECT max(at) FROM ingest.observations WHERE source = %(source)s AND outcome IN ('new', 'copy'))
            AS last_article_at,
        (SELECT min(run.started_at) FROM ingest.runs AS run WHERE run.source = %(source)s AND run.kind = 'crawl'
            AND run.outcome = 'finished' AND run.started_at > (
                SELECT max(at) FROM ingest.observations WHERE source = %(source)s AND outcome IN ('new', 'copy'))
        ) AS looking_since,
        rhythm.learned_at, rhythm.days, rhythm.articles, rhythm.hours, rhythm.longest_gap
    FROM (SELECT 1) AS one
    LEFT JOIN ingest.rhythms AS rhythm ON rhythm.source = %(source)s
"""

# Documents that were part of the latest look; a sitemap that nothing leads to any more is not asked for, and not ill.
DOCUMENTS = """
    SELECT document.url, document.kind, document.status, document.error, document.failed_in_a_row,
           document.failing_since, document.empty_in_a_row, document.empty_since, document.longest_empty,
           document.most_entries,
           coalesce(document.error IS NOT NULL AND document.failed_in_a_row >= %(failed)s
                AND (document.failed_in_a_row >= 3 OR document.status IN (401, 403, 404, 410)
                     OR document.error LIKE 'html:%%' OR %(now)s - document.failing_since > interval '40 minutes'),
                false) AS is_failing,
           coalesce(document.error IS NULL AND document.empty_in_a_row >= %(empty)s AND document.most_entries > 0
                AND (document.longest_empty IS NULL
                     OR %(now)s - document.empty_since > 2 * document.longest_empty), false) AS is_empty
    FROM ingest.documents AS document
    WHERE document.source = %(source)s
      AND document.checked_at >= (SELECT max(checked_at) FROM ingest.documents WHERE source = %(source)s)
          - interval '10 minutes'
    ORDER BY document.checked_at DESC
    LIMIT 200
"""

# greatest() passes over what is not known, adding a product does not: a text that is withheld has no length, not none.
VALUES = {
    "words": "ln(greatest(words, 1) + 0 * words)::float8", "date": "is_dated::int", "author": "is_signed::int",
    "section": "has_section::int", "paid": "is_paid::int", "copies": "(outcome = 'copy')::int",
    "titles": "title_again::int", "delay": "ln(greatest(delay, 0) + 5 + 0 * delay)",
    "fetch": "ln(greatest(ms, 20) + 0 * ms)",
}  # fmt: skip
_PAIRS = ", ".join(f"('{name}', {value})" for name, value in VALUES.items())
MEASURED = f"""
    WITH newest AS (
        SELECT * FROM ingest.observations
        WHERE source = %(source)s AND outcome IN ('new', 'copy')
        ORDER BY id DESC LIMIT %(window)s
    ), measured AS (
        SELECT newest.id, newest.page_id, newest.run_id, newest.at, newest.counted, one.measure, one.value,
               row_number() OVER (PARTITION BY one.measure ORDER BY newest.id DESC) AS place
        FROM newest CROSS JOIN LATERAL (VALUES {_PAIRS}) AS one (measure, value)
        WHERE one.value IS NOT NULL
    )
    SELECT measure, count(*) FILTER (WHERE counted) AS count, coalesce(sum(value) FILTER (WHERE counted), 0) AS total,
           coalesce(sum(value * value) FILTER (WHERE counted), 0) AS squares,
           array_agg(id ORDER BY place) FILTER (WHERE place <= %(latest)s) AS ids,
           array_agg(page_id ORDER BY place) FILTER (WHERE place <= %(latest)s) AS pages,
           array_agg(run_id ORDER BY place) FILTER (WHERE place <= %(latest)s) AS runs,
           array_agg(at ORDER BY place) FILTER (WHERE place <= %(latest)s) AS times,
           array_agg(counted ORDER BY place) FILTER (WHERE place <= %(latest)s) AS are_counted,
           array_agg(value ORDER BY place) FILTER (WHERE place <= %(latest)s) AS values
    FROM measured GROUP BY measure
"""

# How far the history has ever come, over so many pages in a row, towards the value that was found.
EXTREME = """
    WITH newest AS (
        SELECT *, row_number() OVER (ORDER BY id DESC) AS place FROM ingest.observations
        WHERE source = %(source)s AND counted AND id < %(before)s AND {which}
        ORDER BY id DESC LIMIT %(long_window)s
    )
    SELECT min(mean)::float8 AS least, max(mean)::float8 AS most
    FROM (
        SELECT avg(value) OVER (ORDER BY place ROWS {size} PRECEDING) AS mean,
               count(*) OVER (ORDER BY place ROWS {size} PRECEDING) AS number
        FROM (SELECT place, ({value})::float8 AS value FROM newest) AS one WHERE value IS NOT NULL) AS windows
    WHERE number > {size}
"""
# The history again, of some hours of the day only; and how long there has been one.
SAME_HOURS = """
    WITH known AS (
        SELECT at, ({value})::float8 AS value,
               extract(hour FROM at AT TIME ZONE 'UTC')::integer = ANY (%(hours)s) AS is_same
        FROM ingest.observations
        WHERE source = %(source)s AND counted AND id < %(before)s AND {which}
        ORDER BY id DESC LIMIT %(long_window)s
    )
    SELECT count(value) FILTER (WHERE is_same) AS count, coalesce(sum(value) FILTER (WHERE is_same), 0) AS total,
           coalesce(sum(value * value) FILTER (WHERE is_same), 0) AS squares,
           coalesce(max(at) - min(at), interval '0') AS known
    FROM known
"""
ARTICLES = "outcome IN ('new', 'copy')"
ENDED = "(outcome = %(outcome)s AND reason IS NOT DISTINCT FROM %(reason)s)::int"

LATEST_PAGES = """
    SELECT id, page_id, run_id, at, counted, outcome, reason, status FROM ingest.observations
    WHERE source = %(source)s ORDER BY id DESC LIMIT %(latest)s
"""
PAGE_COUNTS = """
    SELECT outcome, reason, count(*) AS number FROM (
        SELECT * FROM ingest.observations WHERE source = %(source)s ORDER BY id DESC LIMIT %(window)s) AS newest
    WHERE counted GROUP BY outcome, reason
"""
# How many pages of a run end alike: pairs that do, beyond those to be expected by chance, for each page that ends so.
BUNCH = """
    WITH of_run AS (
        SELECT count(*) AS pages,
               count(*) FILTER (WHERE outcome = %(outcome)s AND reason IS NOT DISTINCT FROM %(reason)s) AS number
        FROM (SELECT * FROM ingest.observations WHERE source = %(source)s AND counted AND id < %(before)s
              ORDER BY id DESC LIMIT %(long_window)s) AS newest
        GROUP BY run_id
    )
    SELECT (1 + greatest(0, sum(number * (number - 1)) - sum(pages * (pages - 1)) * (sum(number) / sum(pages)) ^ 2)
            / sum(number))::float8 AS bunch
    FROM of_run HAVING sum(number) > 0
"""
RUNS_SINCE = """
    SELECT count(*) AS number FROM ingest.runs
    WHERE source = %(source)s AND kind = 'crawl' AND id >= %(first)s
"""

# A paragraph in nearly all of the latest articles, or in all of fewer where it was missing for longer: from one of them
# on in most, and in none of those before that one.
PROMPTS = """
    WITH newest AS MATERIALIZED (
        SELECT id, page_id, at, paragraphs, row_number() OVER (ORDER BY id DESC) AS place FROM ingest.observations
        WHERE source = %(source)s AND outcome = 'new' AND cardinality(paragraphs) > 1
        ORDER BY id DESC LIMIT 120
    ), common AS (
        SELECT paragraph, max(page_id) AS page FROM newest, unnest(paragraphs) AS paragraph
        WHERE place <= %(size)s
        GROUP BY paragraph
        HAVING count(*) >= %(share)s * %(size)s OR count(*) FILTER (WHERE place <= %(fewer)s) = %(fewer)s
    )
    SELECT common.paragraph, common.page, had.first_id, had.since, had.number, all_since.number AS since_then
    FROM common
    CROSS JOIN LATERAL (
        SELECT min(id) AS first_id, min(at) AS since, count(*) AS number
        FROM newest WHERE common.paragraph = ANY (paragraphs)) AS had
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE id >= had.first_id) AS number, count(*) FILTER (WHERE id < had.first_id) AS before
        FROM newest) AS all_since
    WHERE all_since.before >= CASE WHEN had.number >= %(share)s * %(size)s THEN %(fewest)s ELSE %(long)s END
        AND had.number >= 0.6 * all_since.number
    ORDER BY had.number DESC LIMIT 1
"""
PROMPT_TEXT = """
    SELECT line FROM ingest.pages AS page
    JOIN ingest.versions AS version ON version.article_id = page.article_id AND version.number = 1,
    unnest(string_to_array(version.text, E'\n\n')) AS line
    WHERE page.id = %(page)s AND hashtext(line) = %(paragraph)s LIMIT 1
"""
PROMPT_LATEST = """
    SELECT at, paragraphs FROM ingest.observations
    WHERE source = %(source)s AND outcome = 'new' AND paragraphs IS NOT NULL ORDER BY id DESC LIMIT 4
"""

PAGE = "SELECT url, detail FROM ingest.pages WHERE id = %(page)s"

OPEN_ALARMS = """
    SELECT id, measure, opened_at, since, baseline, value, example_url FROM ingest.alarms
    WHERE source = %(source)s AND closed_at IS NULL
"""
OPEN_ALARM = """
    INSERT INTO ingest.alarms (
        source, measure, opened_at, since, baseline, value, observed, example_url, says, advice, run_id,
        wording)
    VALUES (%(source)s, %(measure)s, %(now)s, %(since)s, %(baseline)s, %(value)s, %(observed)s, %(example)s, %(says)s,
            %(advice)s, %(run)s, %(wording)s)
    ON CONFLICT DO NOTHING
    RETURNING id, source, measure, since, says, advice, example_url
"""
CLOSE_ALARM = """
    UPDATE ingest.alarms SET closed_at = %(now)s, closed_because = 'well' WHERE id = %(id)s AND closed_at IS NULL
    RETURNING id, source, measure, since, says, advice, example_url
"""
LEAVE_OUT = """
    UPDATE ingest.observations SET counted = false WHERE source = %(source)s AND id >= %(first)s AND counted
"""

# A person says that what is now is how it should be: the history begins with what the alarm was about.
ACCEPT = """
    UPDATE ingest.alarms SET closed_at = now(), closed_because = 'accepted'
    WHERE source = %(source)s AND closed_at IS NULL AND (%(measure)s::text IS NULL OR measure = %(measure)s)
    RETURNING id, source, measure, since, says, advice, example_url
"""
BEGIN_AGAIN = """
    UPDATE ingest.observations SET counted = at >= %(since)s
    WHERE source = %(source)s AND counted IS DISTINCT FROM (at >= %(since)s)
"""

# The power is that of crawler.rhythm.
# Four weeks, by hour of the week: the hours of all days together steady what single hours of the week are too few for.
LEARN_RHYTHM = """
    WITH known AS (
        SELECT at, lag(at) OVER (ORDER BY at) AS before FROM (
            SELECT at FROM ingest.observations
            WHERE source = %(source)s AND outcome IN ('new', 'copy') AND at > %(now)s - interval '28 days'
              AND at <= %(now)s AND run_id > (SELECT min(run_id) FROM ingest.observations WHERE source = %(source)s)
            ) AS found
    ), span AS (
        SELECT least(28, greatest(0.25, extract(epoch FROM %(now)s - coalesce(
            (SELECT min(at) FROM ingest.observations WHERE source = %(source)s), %(now)s)) / 86400)) AS days,
            (SELECT count(*) FROM known) AS articles
    ), of_week AS (
        SELECT ((extract(isodow FROM at AT TIME ZONE 'UTC') - 1) * 24 + extract(hour FROM at AT TIME ZONE 'UTC'))::int
            AS place, count(*) AS number
        FROM known GROUP BY 1
    ), of_day AS (
        SELECT place %% 24 AS hour, sum(number) AS number FROM of_week GROUP BY 1
    ), rates AS (
        SELECT place, (coalesce(of_week.number, 0) / greatest(span.days / 7, 1.0 / 7)
                       + 3 * (0.9 * coalesce(of_day.number, 0) / greatest(span.days, 1)
                              + 0.1 * span.articles / greatest(span.days, 1) / 24)) / 4 AS rate
        FROM span, generate_series(0, 167) AS place
        LEFT JOIN of_week USING (place)
        LEFT JOIN of_day ON of_day.hour = place %% 24
    )
    INSERT INTO ingest.rhythms (source, learned_at, days, articles, hours, root_sum, longest_gap)
    SELECT %(source)s, %(now)s, span.days, span.articles, array_agg(rates.rate ORDER BY place),
           sum(power(rates.rate, 0.75)),
           (SELECT max(at - before) FROM known)
    FROM span, rates GROUP BY span.days, span.articles
    ON CONFLICT (source) DO UPDATE
    SET learned_at = excluded.learned_at, days = excluded.days, articles = excluded.articles, hours = excluded.hours,
        root_sum = excluded.root_sum, longest_gap = excluded.longest_gap
    RETURNING days, hours, longest_gap
"""

# The root sums of all sources with every = "auto" share what may be asked. It reads as many rows as there are sources.
MEAN_ROOT_SUM = """
    SELECT avg(root_sum) AS mean_root_sum FROM ingest.rhythms WHERE source = ANY (%(auto)s) AND articles > 0
"""

# What else the next look at one of them depends on.
LOOK = """
    SELECT rhythm.hours, rhythm.days, rhythm.articles, source.next_run_at,
           (SELECT count(*) FROM ingest.observations AS found WHERE found.source = source.name
                AND found.outcome IN ('new', 'copy') AND found.at > %(now)s - interval '1 hour') AS recent,
           document.entries, document.fresh_for, document.skip_hours, document.skip_days
    FROM ingest.sources AS source
    LEFT JOIN ingest.rhythms AS rhythm ON rhythm.source = source.name
    CROSS JOIN LATERAL (
        SELECT min(nullif(entries, 0)) FILTER (WHERE kind <> 'section') AS entries, max(fresh_for) AS fresh_for,
               array_agg(DISTINCT hour) FILTER (WHERE hour IS NOT NULL) AS skip_hours,
               array_agg(DISTINCT day) FILTER (WHERE day IS NOT NULL) AS skip_days
        FROM ingest.documents AS one
        LEFT JOIN LATERAL unnest(one.skip_hours) AS hour ON true
        LEFT JOIN LATERAL unnest(one.skip_days) AS day ON true
        WHERE one.source = source.name AND one.checked_at > %(now)s - interval '1 day'
    ) AS document
    WHERE source.name = %(source)s
"""
