CREATE OR REPLACE FUNCTION news.articles_as_of(at timestamptz)
RETURNS TABLE (
    id bigint, version integer, source text, canonical_url text, title text, teaser text, text text, text_markdown text,
    section text, authors text[], keywords text[], published_at timestamptz, modified_at timestamptz, language text,
    agency text, kind text, word_count integer, first_seen_at timestamptz, fetched_at timestamptz, is_gone boolean)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT article.id, then_.number, article.source, article.canonical_url, then_.title, then_.teaser, then_.text,
           then_.text_markdown, then_.section, then_.authors, then_.keywords, then_.published_at, then_.modified_at,
           then_.language, then_.agency, then_.kind, then_.word_count, article.first_seen_at, then_.fetched_at,
           coalesce(article.gone_at <= articles_as_of.at, false)
    FROM ingest.articles AS article
    CROSS JOIN LATERAL (
        SELECT * FROM ingest.versions AS version
        WHERE version.article_id = article.id AND version.fetched_at <= articles_as_of.at
        ORDER BY version.fetched_at DESC, version.number DESC
        LIMIT 1
    ) AS then_
    WHERE article.first_seen_at <= articles_as_of.at
$$;

COMMENT ON FUNCTION news.articles_as_of(timestamptz) IS 'The articles as Nachlese knew them at an instant: a row per article that it had fetched by then, in the wording it had then';
