-- The latest articles in one language that have the words. There are two ways to them: backwards through time, reading
-- every article until enough have the words, which is short where many have them; and through the index of words, which
-- is short where few do. A sample of the latest tells which. The index of time shall not serve the second way, for it
-- would read every article: so what bounds it stands outside (OFFSET 0 keeps it there).
CREATE OR REPLACE FUNCTION ingest.search_latest(
    lang text, wanted tsquery, since timestamptz, until timestamptz, source text, most integer, sample integer
)
RETURNS TABLE (article_id bigint, at timestamptz, vector tsvector)
LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
DECLARE
    earliest timestamptz := coalesce(since, '-infinity');
    latest timestamptz := coalesce(until, 'infinity');
    stored bigint := (SELECT greatest(reltuples, 1) FROM pg_class WHERE oid = 'ingest.search'::regclass);
    looked integer;
    hits integer;
    enough integer;  -- of a common word half of them, for on this way each takes its time
BEGIN
    -- a source that has few of them makes any word rare
    SELECT count(*), count(*) FILTER (
        WHERE (search_latest.source IS NULL
               OR EXISTS (SELECT FROM ingest.articles AS a WHERE a.id = one.article_id AND a.source = search_latest.source))
          AND one.vector @@ wanted)
    INTO looked, hits
    FROM (
        SELECT s.article_id, s.vector FROM ingest.search AS s
        WHERE s.language = lang AND s.at >= earliest AND s.at < latest
        ORDER BY s.at DESC LIMIT sample) AS one;
    enough := CASE WHEN looked < sample THEN most ELSE most / 2 END;
    -- to read an article takes five times as long as to find one through the index
    IF looked < sample OR hits::real / looked > sqrt(5.0 * enough / stored) THEN
        RETURN QUERY
        SELECT s.article_id, s.at, s.vector FROM ingest.search AS s
        WHERE s.language = lang AND s.at >= earliest AND s.at < latest AND s.vector @@ wanted
          AND (search_latest.source IS NULL
               OR EXISTS (SELECT FROM ingest.articles AS a WHERE a.id = s.article_id AND a.source = search_latest.source))
        ORDER BY s.at DESC, s.article_id DESC
        LIMIT enough;
    ELSE
        RETURN QUERY
        SELECT f.article_id, f.at, f.vector
        FROM (SELECT s.article_id, s.at, s.language, s.vector
              FROM ingest.search AS s WHERE s.vector @@ wanted OFFSET 0) AS f
        WHERE f.language = lang AND f.at >= earliest AND f.at < latest
          AND (search_latest.source IS NULL
               OR EXISTS (SELECT FROM ingest.articles AS a WHERE a.id = f.article_id AND a.source = search_latest.source))
        ORDER BY f.at DESC, f.article_id DESC
        LIMIT most;
    END IF;
END
$$;
COMMENT ON FUNCTION ingest.search_latest IS 'Of one language the latest articles that have the words, at most so many; sample: how many are looked at to choose the way';

-- The places in a text where the words are. To look at every word of a text as the search does takes half a millisecond,
-- so that is done only around the places where the letters of the words stand first; and where they stand nowhere (an
-- inflected word may have others), for the whole text. The letters are those of the folded text, which is a little longer.
CREATE OR REPLACE FUNCTION ingest.snippet(language text, words text, exact tsquery, wide tsquery) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    options text := 'StartSel=«, StopSel=», MaxFragments=2, MaxWords=18, MinWords=8, FragmentDelimiter=" … "';
    folded text := ingest.folded(words);
    places int4multirange := (
        SELECT range_agg(int4range(greatest(place - 150, 1), place + 300))
        FROM regexp_matches(querytree(exact), $re$'([^']+)'$re$, 'g') AS lexeme
        CROSS JOIN LATERAL (
            SELECT (strpos(folded, lexeme[1])::bigint * length(words) / length(folded))::integer AS place) AS letters
        WHERE place > 0);
    around text := (
        SELECT string_agg(
            regexp_replace(
                substr(words, lower(place), upper(place) - lower(place)),
                concat_ws('|', CASE WHEN lower(place) > 1 THEN '^\S+\s' END,
                          CASE WHEN upper(place) <= length(words) THEN '\s\S+$' END), '', 'g'),
            E'\n\n' ORDER BY place)
        FROM unnest(places) AS place);
    made text := ts_headline(ingest.text_config(language), around, wide, options);
BEGIN
    IF made ~ '«' THEN
        RETURN made;
    END IF;
    -- a compound that ends with the words stands in the index turned round: here it is looked for as it is written
    made := ts_headline(ingest.text_config(language), around, (
        SELECT string_agg(nullif(plainto_tsquery(ingest.text_config(language), word)::text, ''), ' | ')::tsquery
        FROM regexp_split_to_table(around, '\s+') AS word
        CROSS JOIN regexp_matches(querytree(exact), $re$'([^']+)'$re$, 'g') AS lexeme
        WHERE strpos(ingest.folded(word), lexeme[1]) > 0), options);
    IF made ~ '«' THEN
        RETURN made;
    END IF;
    RETURN ts_headline(ingest.text_config(language), words, wide, options);
END
$$;
COMMENT ON FUNCTION ingest.snippet IS 'Up to two places of a text where the words are, the words in «»';

CREATE OR REPLACE FUNCTION news.search(
    query text,
    lang text DEFAULT NULL,
    since timestamptz DEFAULT NULL,
    until timestamptz DEFAULT NULL,
    source text DEFAULT NULL,
    max_rows integer DEFAULT 20
)
RETURNS TABLE (
    article_id bigint,
    rank real,
    published_at timestamptz,
    source_name text,
    title text,
    snippet text,
    canonical_url text,
    language text,
    copy_of bigint
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE languages AS (
        (SELECT s.language FROM ingest.search AS s ORDER BY s.language LIMIT 1)
        UNION ALL
        SELECT (SELECT s.language FROM ingest.search AS s WHERE s.language > l.language ORDER BY s.language LIMIT 1)
        FROM languages AS l WHERE l.language IS NOT NULL
    ),
    queries AS MATERIALIZED (
        SELECT l.language, ingest.search_query(l.language, query) AS wide,
               ingest.search_query(l.language, query, compounds => false) AS exact,
               (count(*) OVER ())::integer AS number
        FROM languages AS l
        WHERE l.language IS NOT NULL AND (lang IS NULL OR l.language = lang)
    ),
    -- ranking reads every vector: of what a common word finds, the latest are ranked
    found AS MATERIALIZED (
        SELECT f.article_id, f.at, f.vector || '' AS vector, q.language, q.wide, q.exact
        FROM queries AS q
        CROSS JOIN LATERAL ingest.search_latest(
            q.language, q.wide, since, until, search.source, greatest(200, 2 * max_rows), 200 / q.number + 20) AS f
        ORDER BY f.at DESC, f.article_id DESC
        LIMIT greatest(200, 2 * max_rows)
    ),
    ranked AS MATERIALIZED (
        -- the word itself before compounds with it; title, teaser and text count as 1 : 0.4 : 0.1
        SELECT f.article_id, f.at, f.language, f.exact, f.wide,
               (2 * ts_rank('{0.02, 0.1, 0.4, 1}', f.vector, f.exact, 1)
                + ts_rank('{0.02, 0.1, 0.4, 1}', f.vector, f.wide, 1))::real AS rank
        FROM found AS f
        ORDER BY rank DESC, f.at DESC, f.article_id DESC
        LIMIT max_rows
    )
    SELECT r.article_id, r.rank, v.published_at, a.source, v.title,
           ingest.snippet(r.language, concat_ws(E'\n\n', v.teaser, v.text), r.exact, r.wide),
           a.canonical_url, v.language, a.copy_of
    FROM ranked AS r
    JOIN ingest.articles AS a ON a.id = r.article_id
    JOIN ingest.versions AS v ON v.article_id = a.id AND v.number = a.version
    ORDER BY r.rank DESC, r.at DESC, r.article_id DESC
$$;
COMMENT ON FUNCTION news.search(text, text, timestamptz, timestamptz, text, integer) IS 'Articles that have the words, best first: words are all wanted, "words in order", -without, one or other; compounds and ae for ä are found';

-- What has the words and what means the like, each by its own place: neither a rank of words nor an angle says how much
-- it is worth beside the other (reciprocal rank fusion). Postgres cannot make the vector of a question: who asks has it.
CREATE OR REPLACE FUNCTION news.search(
    query text,
    meaning boolean,
    lang text DEFAULT NULL,
    since timestamptz DEFAULT NULL,
    until timestamptz DEFAULT NULL,
    source text DEFAULT NULL,
    max_rows integer DEFAULT 20
)
RETURNS TABLE (
    article_id bigint,
    rank real,
    published_at timestamptz,
    source_name text,
    title text,
    snippet text,
    canonical_url text,
    language text,
    copy_of bigint
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked text := nullif(current_setting('nachlese.meaning', true), '');
    place text := (SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'vector');
    -- the index knows nothing of languages and days: where these are wanted, the vectors of what fits are read
    apart text := CASE WHEN lang IS NULL AND since IS NULL AND until IS NULL AND source IS NULL THEN '' ELSE 'OFFSET 0' END;
BEGIN
    IF meaning IS NOT TRUE THEN
        RETURN QUERY SELECT * FROM news.search(query, lang, since, until, source, max_rows);
        RETURN;
    ELSIF place IS NULL OR to_regclass('meaning.articles') IS NULL THEN
        RAISE EXCEPTION 'no meanings of articles are stored'
            USING HINT = 'nachlese db meanings stores them.', ERRCODE = 'object_not_in_prerequisite_state';
    ELSIF asked IS NULL THEN
        RAISE EXCEPTION 'the meaning of the query is not known'
            USING HINT = 'Set nachlese.meaning to its vector, as nachlese articles search --meaning does.',
                  ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN QUERY EXECUTE format($q$
        WITH words AS MATERIALIZED (
            SELECT s.article_id, s.snippet, s.place FROM news.search($1, $2, $3, $4, $5, 50)
                WITH ORDINALITY AS s (article_id, rank, published_at, source_name, title, snippet, canonical_url,
                                      language, copy_of, place)),
        near AS MATERIALIZED (
            SELECT n.article_id, row_number() OVER (ORDER BY n.apart, n.article_id) AS place
            FROM (
                SELECT fits.article_id, fits.vector OPERATOR(%1$s.<=>) $6::%1$s.halfvec AS apart
                FROM (
                    SELECT m.article_id, m.vector FROM meaning.articles AS m
                    WHERE $2 IS NULL AND $3 IS NULL AND $4 IS NULL AND $5 IS NULL OR EXISTS (
                        SELECT FROM ingest.search AS s JOIN ingest.articles AS a ON a.id = s.article_id
                        WHERE s.article_id = m.article_id AND ($2 IS NULL OR s.language = $2)
                          AND s.at >= coalesce($3, '-infinity') AND s.at < coalesce($4, 'infinity')
                          AND ($5 IS NULL OR a.source = $5)) %2$s) AS fits
                ORDER BY fits.vector OPERATOR(%1$s.<=>) $6::%1$s.halfvec
                LIMIT 40) AS n),
        fused AS (
            SELECT one.article_id, sum(1.0 / (60 + one.place)) AS rank
            FROM (SELECT w.article_id, w.place FROM words AS w UNION ALL SELECT n.article_id, n.place FROM near AS n) AS one
            GROUP BY one.article_id
            ORDER BY rank DESC, one.article_id DESC
            LIMIT $7)
        SELECT f.article_id, f.rank::real, v.published_at, a.source, v.title,
               coalesce(w.snippet, left(coalesce(v.teaser, v.text), 200)), a.canonical_url, v.language, a.copy_of
        FROM fused AS f
        JOIN ingest.articles AS a ON a.id = f.article_id
        JOIN ingest.versions AS v ON v.article_id = a.id AND v.number = a.version
        LEFT JOIN words AS w ON w.article_id = f.article_id
        ORDER BY f.rank DESC, f.article_id DESC
    $q$, place, apart) USING query, lang, since, until, source, asked, max_rows;
END
$$;
COMMENT ON FUNCTION news.search(text, boolean, text, timestamptz, timestamptz, text, integer) IS 'With meaning => true also articles that mean the like in other words or another language; the vector of the query is in the setting nachlese.meaning';

-- To read every article's words costs what the planner does not see (they are stored apart), so the index is always asked.
CREATE OR REPLACE FUNCTION news.mentions(
    query text,
    lang text DEFAULT NULL,
    since timestamptz DEFAULT NULL,
    until timestamptz DEFAULT NULL,
    source text DEFAULT NULL
)
RETURNS TABLE (article_id bigint, at timestamptz, source_name text, language text, copy_of bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
    WITH RECURSIVE languages AS (  -- as in news.search
        (SELECT s.language FROM ingest.search AS s ORDER BY s.language LIMIT 1)
        UNION ALL
        SELECT (SELECT s.language FROM ingest.search AS s WHERE s.language > l.language ORDER BY s.language LIMIT 1)
        FROM languages AS l WHERE l.language IS NOT NULL
    ),
    queries AS MATERIALIZED (
        SELECT l.language, ingest.search_query(l.language, query) AS wanted
        FROM languages AS l
        WHERE l.language IS NOT NULL AND (lang IS NULL OR l.language = lang)
    )
    SELECT s.article_id, s.at, a.source, nullif(s.language, ''), a.copy_of
    FROM queries AS q
    CROSS JOIN LATERAL (  -- OFFSET 0 keeps the other indexes out of it
        SELECT one.article_id, one.at, one.language FROM ingest.search AS one WHERE one.vector @@ q.wanted OFFSET 0) AS s
    JOIN ingest.articles AS a ON a.id = s.article_id
    WHERE s.language = q.language AND (since IS NULL OR s.at >= since) AND (until IS NULL OR s.at < until)
      AND (mentions.source IS NULL OR a.source = mentions.source)
$$;
COMMENT ON FUNCTION news.mentions IS 'All articles that have the words, as news.search finds them, without rank and snippet: for counting';
