-- The German stemmer takes -ung, -heit, -ik and others off long words and leaves them on short ones: 'Zeitung' stays what it is,
-- 'Tageszeitung' becomes 'tageszeit'. So the one was not found as the end of the other. The stems of long words with
-- such an end are stored turned round with it, too. What was stored before is found so once it is stored again.
-- A pattern over the whole text would take half as long as the stemming itself.
CREATE FUNCTION ingest.whole_ends(words text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_to_tsvector(array(
        SELECT '~' || reverse(stem || ending)
        FROM string_to_table(replace(words, E'\n', ' '), ' ') AS piece
        CROSS JOIN LATERAL (SELECT trim(piece, '.,;:!?„“”"«»()[]…') AS word OFFSET 0) AS one
        CROSS JOIN LATERAL (
            SELECT substring(word FROM '(ung|heit|keit|isch|end|ik|ig)(?:en|es?|s)?$') AS ending OFFSET 0) AS two
        CROSS JOIN LATERAL (
            SELECT (ts_lexize('german_stem', word))[1] AS stem WHERE ending IS NOT NULL OFFSET 0) AS three
        WHERE length(piece) >= 10
          AND piece LIKE ANY ('{%ung%,%heit%,%keit%,%isch%,%end%,%ik%,%ig%}')
          AND right(stem, length(ending)) <> ending))
$$;
COMMENT ON FUNCTION ingest.whole_ends IS 'Long German words with the end that the stemmer takes off, turned round: so a compound is found by its last part';

CREATE OR REPLACE FUNCTION ingest.search_vector(language text, title text, teaser text, body text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    config regconfig := ingest.text_config(language);
    -- Postgres refuses a vector of more than a megabyte; what a page of a hundred thousand words says further down
    -- is not what it is searched for
    head text := ingest.folded(left(title, 2000));
    lead text := coalesce(ingest.folded(left(teaser, 10000)), '');
    rest text := ingest.folded(left(body, 300000));
    vector tsvector := setweight(to_tsvector(config, head), 'A') || setweight(to_tsvector(config, lead), 'B')
        || setweight(to_tsvector(config, rest), 'C');
BEGIN
    IF ingest.is_compounding(language) THEN
        vector := vector || ingest.word_ends(vector);
    END IF;
    IF config = 'german'::regconfig THEN
        vector := vector || ingest.whole_ends(concat_ws(' ', head, lead, rest));
    END IF;
    RETURN vector;
END
$$;
