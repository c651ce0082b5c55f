-- Full text of the articles as they read now, each in its own language.

CREATE FUNCTION ingest.text_config(language text) RETURNS regconfig LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE lower(left(language, 2))
        WHEN 'ar' THEN 'arabic' WHEN 'hy' THEN 'armenian' WHEN 'eu' THEN 'basque' WHEN 'ca' THEN 'catalan'
        WHEN 'da' THEN 'danish' WHEN 'nl' THEN 'dutch' WHEN 'en' THEN 'english' WHEN 'fi' THEN 'finnish'
        WHEN 'fr' THEN 'french' WHEN 'de' THEN 'german' WHEN 'el' THEN 'greek' WHEN 'hi' THEN 'hindi'
        WHEN 'hu' THEN 'hungarian' WHEN 'id' THEN 'indonesian' WHEN 'ga' THEN 'irish' WHEN 'it' THEN 'italian'
        WHEN 'lt' THEN 'lithuanian' WHEN 'ne' THEN 'nepali' WHEN 'no' THEN 'norwegian' WHEN 'nb' THEN 'norwegian'
        WHEN 'nn' THEN 'norwegian' WHEN 'pt' THEN 'portuguese' WHEN 'ro' THEN 'romanian' WHEN 'ru' THEN 'russian'
        WHEN 'sr' THEN 'serbian' WHEN 'es' THEN 'spanish' WHEN 'sv' THEN 'swedish' WHEN 'ta' THEN 'tamil'
        WHEN 'tr' THEN 'turkish' WHEN 'yi' THEN 'yiddish' ELSE 'simple' END::regconfig
$$;
COMMENT ON FUNCTION ingest.text_config IS 'Postgres'' text search configuration of a language code; simple where there is none';

-- Which languages build words by writing them together.
CREATE FUNCTION ingest.is_compounding(language text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(lower(left(language, 2)) IN ('de', 'nl', 'da', 'sv', 'no', 'nb', 'nn', 'fi'), false)
$$;
COMMENT ON FUNCTION ingest.is_compounding IS 'Whether a language writes compounds as one word';

-- ä and ae, ß and ss are one; the accents of other languages fall away. Words and their order stay what they are.
-- normalize and translate go through their whole tables for every letter (0.6 and 1.7 ms for 3 kB), replace and a
-- pattern do not (0.05 ms): so the two are asked only where there is something for them to do.
CREATE FUNCTION ingest.folded(words text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    made text := words;
BEGIN
    IF made ~ '[\u0300-\u036f]' THEN
        made := normalize(made, NFC);
    END IF;
    made := replace(replace(replace(replace(lower(made), 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'ß', 'ss');
    IF made ~ '[\u00e0-\u017f]' THEN
        made := translate(replace(replace(made, 'æ', 'ae'), 'œ', 'oe'),
            'áàâãåąāçćčďđéèêëęěēėğģíìîïıīįķłļľńñňņóòôõøőřśşšťúùûűůūųýÿźžż',
            'aaaaaaacccddeeeeeeeeggiiiiiiiklllnnnnoooooorssstuuuuuuuyyzzz');
    END IF;
    RETURN made;
END
$$;
COMMENT ON FUNCTION ingest.folded IS 'Lower case, umlauts and sharp s written out, accents taken off';

-- A lexeme turned round, behind a sign that no lexeme has: the end of a word is searched as the beginning of this.
CREATE FUNCTION ingest.word_ends(vector tsvector) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_to_tsvector(array(
        SELECT '~' || reverse(lexeme) FROM unnest(tsvector_to_array(vector)) AS lexeme
        WHERE length(lexeme) >= 10 AND lexeme ~ '^[a-z]+$'))
$$;
COMMENT ON FUNCTION ingest.word_ends IS 'The long lexemes turned round, so that a compound is found by its last part';

CREATE FUNCTION ingest.search_vector(language text, title text, teaser text, body text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    config regconfig := ingest.text_config(language);
    -- Postgres refuses a vector of more than a megabyte; what a page of a hundred thousand words says further down
    -- is not what it is searched for
    vector tsvector := setweight(to_tsvector(config, ingest.folded(left(title, 2000))), 'A')
        || setweight(to_tsvector(config, coalesce(ingest.folded(left(teaser, 10000)), '')), 'B')
        || setweight(to_tsvector(config, ingest.folded(left(body, 300000))), 'C');
BEGIN
    RETURN CASE WHEN ingest.is_compounding(language) THEN vector || ingest.word_ends(vector) ELSE vector END;
END
$$;
COMMENT ON FUNCTION ingest.search_vector IS 'What an article is searched by: title A, teaser B, text C';

-- What somebody typed, as a query in one language. A word of five letters or more that stands alone also finds the
-- compounds that begin or end with it; words in quotation marks and behind a minus are taken as they are. Shorter ones
-- would find what has nothing to do with them ('Rat' in 'Rathaus', but also in 'Apparat' and 'Demokrat').
CREATE FUNCTION ingest.search_query(language text, words text, compounds boolean DEFAULT true) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    plain tsquery := websearch_to_tsquery(ingest.text_config(language), ingest.folded(words));
    piece text[];
    made text := '';
BEGIN
    IF NOT compounds OR NOT ingest.is_compounding(language) THEN
        RETURN plain;
    END IF;
    FOR piece IN
        SELECT regexp_matches(plain::text, $re$(.*?)((?:(?<!!)(?<!> )'([a-z]{5,})'(?! <))|$)$re$, 'g')
    LOOP
        made := made || piece[1];
        IF piece[3] IS NOT NULL THEN
            made := made || format('( %1$L | %1$L:* | %2$L:* )', piece[3], '~' || reverse(piece[3]));
        END IF;
    END LOOP;
    RETURN made::tsquery;
END
$$;
COMMENT ON FUNCTION ingest.search_query IS 'What was typed, as a query in one language; with compounds where the language builds them';


CREATE TABLE ingest.search (
    article_id bigint PRIMARY KEY REFERENCES ingest.articles ON DELETE CASCADE,
    at         timestamptz NOT NULL,
    language   text NOT NULL,
    vector     tsvector NOT NULL
);
COMMENT ON TABLE ingest.search IS 'A row per article, of its current version: what it is searched by';
COMMENT ON COLUMN ingest.search.article_id IS 'Article';
COMMENT ON COLUMN ingest.search.at IS 'When it was published, or first seen where that is unknown';
COMMENT ON COLUMN ingest.search.language IS 'Language code; empty where it is not known';
COMMENT ON COLUMN ingest.search.vector IS 'Lexemes of title, teaser and text; see ingest.search_vector';

INSERT INTO ingest.search (article_id, at, language, vector)
SELECT article.id, coalesce(version.published_at, article.first_seen_at), coalesce(version.language, ''),
       ingest.search_vector(version.language, version.title, version.teaser, version.text)
FROM ingest.articles AS article
JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version;

-- New rows wait in a list that every search reads through. Its flush at a size of Postgres's choosing would stall a
-- writer for seconds; the store flushes it beside the writing, long before it reaches this size (in kB).
CREATE INDEX search_words ON ingest.search USING gin (vector) WITH (gin_pending_list_limit = 65536);
COMMENT ON INDEX ingest.search_words IS 'Serves news.search and watchlists';
CREATE INDEX search_languages ON ingest.search (language, at DESC);
COMMENT ON INDEX ingest.search_languages IS 'Serves news.search: which languages there are';
