-- Bands are hashes of winnowed word n-grams now, no longer those of MinHash; nachlese db relink makes them anew.

COMMENT ON TABLE ingest.bands IS 'A row per band of all texts but the latest (ingest.claims): who had it first. Texts that share a band may be copies; a text has at most 80, so each insert asks as much of a large archive as of a small one';
COMMENT ON COLUMN ingest.versions.bands IS 'Hashes of some word n-grams of the text, for near copies; null for a text too short';
