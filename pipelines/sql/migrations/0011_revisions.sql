-- What a version changed, measured when it is stored.

ALTER TABLE ingest.versions
    ADD COLUMN compared_with integer,
    ADD COLUMN words_added integer CHECK (words_added >= 0),
    ADD COLUMN words_removed integer CHECK (words_removed >= 0),
    ADD COLUMN share_changed real CHECK (share_changed BETWEEN 0 AND 1),
    ADD COLUMN correction text;
COMMENT ON COLUMN ingest.versions.compared_with IS 'Number of the version with which the next three columns compare; null: with none';
COMMENT ON COLUMN ingest.versions.words_added IS 'Words of the text that the other version has not';
COMMENT ON COLUMN ingest.versions.words_removed IS 'Words of the other version''s text that this one has not';
COMMENT ON COLUMN ingest.versions.share_changed IS 'Words added and removed, of the words of both texts';
COMMENT ON COLUMN ingest.versions.correction IS 'What the page itself says about a correction';
