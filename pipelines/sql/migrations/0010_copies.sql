-- Near copies: which article was the first to have a band, and how much of its original a copy has.

CREATE TABLE ingest.bands (
    band       bigint PRIMARY KEY,
    article_id bigint NOT NULL
);
COMMENT ON TABLE ingest.bands IS 'A row per MinHash band of all texts: who had it first. Texts that share a band may be copies; a text has at most 32, so each insert asks as much of a large archive as of a small one. Two writers of one band wait for each other here';
COMMENT ON COLUMN ingest.bands.band IS 'Number of the band, as in ingest.versions.bands';
COMMENT ON COLUMN ingest.bands.article_id IS 'The article that had it first, in one of its versions; no foreign key, for it would be checked 32 times an article';

INSERT INTO ingest.bands (band, article_id)
SELECT DISTINCT ON (band) band, article_id
FROM (SELECT unnest(bands) AS band, article_id, serial FROM ingest.versions) AS stored
ORDER BY band, serial;

ALTER TABLE ingest.articles
    ADD COLUMN copy_similarity real CHECK (copy_similarity BETWEEN 0 AND 1),
    ADD COLUMN copy_kept real CHECK (copy_kept BETWEEN 0 AND 1),
    ADD COLUMN copy_own real CHECK (copy_own BETWEEN 0 AND 1);
COMMENT ON COLUMN ingest.articles.copy_similarity IS 'Word triples that copy and original share, of all that either has; null: this is no copy';
COMMENT ON COLUMN ingest.articles.copy_kept IS 'Share of the original''s word triples that the copy has';
COMMENT ON COLUMN ingest.articles.copy_own IS 'Share of the copy''s word triples that the original has not';

UPDATE ingest.articles SET copy_similarity = 1, copy_kept = 1, copy_own = 0 WHERE copy_of IS NOT NULL;
