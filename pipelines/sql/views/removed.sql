CREATE OR REPLACE VIEW news.removed AS
SELECT
    version.article_id,
    version.number AS version,
    piece.place::integer AS place,
    piece.value ->> 'rule' AS rule,
    piece.value ->> 'text' AS text
FROM ingest.versions AS version
CROSS JOIN LATERAL jsonb_array_elements(version.removed) WITH ORDINALITY AS piece (value, place);

COMMENT ON VIEW news.removed IS 'A row per piece of a page that was taken for boilerplate and left out of the text';
COMMENT ON COLUMN news.removed.article_id IS 'id in news.articles';
COMMENT ON COLUMN news.removed.version IS 'Wording in which it was left out';
COMMENT ON COLUMN news.removed.place IS '1, 2, 3 ... in the order of the page';
COMMENT ON COLUMN news.removed.rule IS 'Name of the rule that took it';
COMMENT ON COLUMN news.removed.text IS 'Its plain text';
