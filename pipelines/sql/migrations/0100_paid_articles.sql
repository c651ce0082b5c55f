-- An article behind a paywall may show no text at all: its headline and teaser are kept, and its text is empty.

ALTER TABLE ingest.versions
    DROP CONSTRAINT versions_text_check,
    ADD CONSTRAINT text_or_not_free CHECK (btrim(text) <> '' OR is_accessible_for_free IS FALSE);

COMMENT ON CONSTRAINT text_or_not_free ON ingest.versions IS 'Only what is not free may have no text';
