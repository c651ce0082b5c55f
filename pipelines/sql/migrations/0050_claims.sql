-- Bands that were claimed lately. Each band is a hash, so a row for it falls anywhere in the index of ingest.bands: in a
-- large archive nearly every row of an article on a page of its own, all of which go into the log. The index of this small
-- table stays in memory; from it the rows move on slice by slice, in order, so that many fall on each page.

CREATE TABLE ingest.claims (
    band       bigint PRIMARY KEY,
    article_id bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE ingest.claims IS 'Bands claimed lately, not yet in ingest.bands; a band that is there as well belongs to who has it there. Two writers of one band wait for each other here';
COMMENT ON COLUMN ingest.claims.band IS 'Number of the band, as in ingest.versions.bands';
COMMENT ON COLUMN ingest.claims.article_id IS 'The article that claimed it first';

COMMENT ON TABLE ingest.bands IS 'A row per MinHash band of all texts but the latest (ingest.claims): who had it first. Texts that share a band may be copies; a text has at most 32, so each insert asks as much of a large archive as of a small one';

CREATE SEQUENCE ingest.claims_slice MINVALUE 0 MAXVALUE 63 CYCLE;
COMMENT ON SEQUENCE ingest.claims_slice IS 'Which 64th of all bands moves next from ingest.claims to ingest.bands';
