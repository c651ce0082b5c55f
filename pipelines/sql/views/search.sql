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
               ingest.search_query(l.language, query, compounds => false) AS exact
        FROM languages AS l
        WHERE l.language IS NOT NULL AND (lang IS NULL OR l.language = lang)
    ),
    -- ranking reads every vector: of what a common word finds, the latest are ranked
    found AS MATERIALIZED (
        SELECT s.article_id, s.at, s.language, s.vector, q.wide, q.exact
        FROM queries AS q
        JOIN ingest.search AS s ON s.language = q.language AND s.vector @@ q.wide
        JOIN ingest.articles AS a ON a.id = s.article_id
        WHERE (since IS NULL OR s.at >= since) AND (until IS NULL OR s.at < until)
          AND (search.source IS NULL OR a.source = search.source)
        ORDER BY s.at DESC, s.article_id DESC
        LIMIT greatest(500, max_rows)
    ),
    ranked AS MATERIALIZED (
        -- the word itself before compounds with it; title, teaser and text count as 1 : 0.4 : 0.1
        SELECT f.*, (2 * ts_rank('{0.02, 0.1, 0.4, 1}', f.vector, f.exact, 1)
                     + ts_rank('{0.02, 0.1, 0.4, 1}', f.vector, f.wide, 1))::real AS rank
        FROM found AS f
        ORDER BY rank DESC, f.at DESC, f.article_id DESC
        LIMIT max_rows
    )
    SELECT r.article_id, r.rank, v.published_at, a.source, v.title,
           ts_headline(ingest.text_config(r.language), concat_ws(E'\n\n', v.teaser, v.text), r.exact || r.wide,
                       'StartSel=«, StopSel=», MaxFragments=2, MaxWords=18, MinWords=8, FragmentDelimiter=" … "'),
           a.canonical_url, v.language, a.copy_of
    FROM ranked AS r
    JOIN ingest.articles AS a ON a.id = r.article_id
    JOIN ingest.versions AS v ON v.article_id = a.id AND v.number = a.version
    ORDER BY r.rank DESC, r.at DESC, r.article_id DESC
$$;
COMMENT ON FUNCTION news.search IS 'Articles that have the words, best first: words are all wanted, "words in order", -without, one or other; compounds and ae for ä are found';

CREATE OR REPLACE FUNCTION news.mentions(
    query text,
    lang text DEFAULT NULL,
    since timestamptz DEFAULT NULL,
    until timestamptz DEFAULT NULL,
    source text DEFAULT NULL
)
RETURNS TABLE (article_id bigint, at timestamptz, source_name text, language text, copy_of bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH queries AS MATERIALIZED (
        SELECT spoken.language, ingest.search_query(spoken.language, query) AS wanted
        FROM (SELECT DISTINCT s.language FROM ingest.search AS s) AS spoken
        WHERE lang IS NULL OR spoken.language = lang
    )
    SELECT s.article_id, s.at, a.source, nullif(s.language, ''), a.copy_of
    FROM queries AS q
    JOIN ingest.search AS s ON s.language = q.language AND s.vector @@ q.wanted
    JOIN ingest.articles AS a ON a.id = s.article_id
    WHERE (since IS NULL OR s.at >= since) AND (until IS NULL OR s.at < until)
      AND (mentions.source IS NULL OR a.source = mentions.source)
$$;
COMMENT ON FUNCTION news.mentions IS 'All articles that have the words, as news.search finds them, without rank and snippet: for counting';
