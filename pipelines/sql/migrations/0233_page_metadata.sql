-- What a page states beside its words (authors, times, section, paywall ...) is followed where the words stay: the row of
-- the wording says what was stated last, and what was stated before has a row of its own. An article of which nothing
-- ever changed has none.

ALTER TABLE ingest.versions
    ADD COLUMN metadata_at     timestamptz,
    ADD COLUMN metadata_reader text;
COMMENT ON COLUMN ingest.versions.metadata_at IS 'Fetch that stated first what the row says beside its words; null: fetched_at';
COMMENT ON COLUMN ingest.versions.metadata_reader IS 'Version of the reader that read that; null: reader_version';

-- A later fetch may state a later time. The new bound is the wider one, so no stored row needs to be looked at.
ALTER TABLE ingest.versions
    DROP CONSTRAINT published_is_possible,
    DROP CONSTRAINT modified_is_possible,
    ADD CONSTRAINT published_is_possible
        CHECK (published_at BETWEEN '1990-01-01' AND greatest(fetched_at, metadata_at) + interval '2 days') NOT VALID,
    ADD CONSTRAINT modified_is_possible
        CHECK (modified_at BETWEEN '1990-01-01' AND greatest(fetched_at, metadata_at) + interval '2 days') NOT VALID;

CREATE TABLE ingest.page_metadata (
    article_id             bigint NOT NULL,
    number                 integer NOT NULL,
    stated_at              timestamptz NOT NULL,
    until                  timestamptz NOT NULL,
    kicker                 text,
    section                text,
    sections               text[] NOT NULL,
    authors                text[] NOT NULL,
    keywords               text[] NOT NULL,
    published_at           timestamptz,
    published_precision    text,
    published_provenance   text,
    modified_at            timestamptz,
    modified_precision     text,
    modified_provenance    text,
    agency                 text,
    image_url              text,
    image_caption          text,
    image_credit           text,
    is_accessible_for_free boolean,
    amp_url                text,
    reader_version         text NOT NULL,
    PRIMARY KEY (article_id, number, stated_at),
    FOREIGN KEY (article_id, number) REFERENCES ingest.versions ON DELETE CASCADE
);
COMMENT ON TABLE ingest.page_metadata IS 'What a page stated beside its words before it stated what is in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.article_id IS 'The article';
COMMENT ON COLUMN ingest.page_metadata.number IS 'Its version';
COMMENT ON COLUMN ingest.page_metadata.stated_at IS 'Fetch that stated it first';
COMMENT ON COLUMN ingest.page_metadata.until IS 'Fetch that stated something else';
COMMENT ON COLUMN ingest.page_metadata.kicker IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.section IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.sections IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.authors IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.keywords IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.published_at IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.published_precision IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.published_provenance IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.modified_at IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.modified_precision IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.modified_provenance IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.agency IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.image_url IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.image_caption IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.image_credit IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.is_accessible_for_free IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.amp_url IS 'As in ingest.versions';
COMMENT ON COLUMN ingest.page_metadata.reader_version IS 'Version of the reader that read it';

-- No edit of the words: a kind of change of its own, which lists of edits leave out.
ALTER TABLE ingest.changes
    DROP CONSTRAINT changes_kind_check,
    ADD CONSTRAINT changes_kind_check CHECK (kind IN ('new', 'version', 'copy', 'gone', 'back', 'story', 'metadata'))
        NOT VALID;
COMMENT ON COLUMN ingest.changes.kind IS 'new, version, copy, gone, back, story or metadata';

CREATE FUNCTION ingest.keep_metadata_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ingest.keep_change('metadata', NEW.article_id, NEW.number, NULL, NULL);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ingest.keep_metadata_change IS 'Writes the change of a row of ingest.versions whose page states other metadata';

CREATE CONSTRAINT TRIGGER change_metadata AFTER UPDATE ON ingest.versions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.metadata_at IS DISTINCT FROM NEW.metadata_at) EXECUTE FUNCTION ingest.keep_metadata_change();
DROP TRIGGER change_rewritten ON ingest.versions;
CREATE CONSTRAINT TRIGGER change_rewritten AFTER UPDATE ON ingest.versions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.metadata_at IS NOT DISTINCT FROM NEW.metadata_at
      AND (OLD.content_key, OLD.text_markdown, OLD.kicker, OLD.sections, OLD.authors, OLD.keywords, OLD.published_at,
           OLD.modified_at, OLD.language, OLD.agency, OLD.dateline, OLD.details, OLD.kind, OLD.image_url)
        IS DISTINCT FROM
          (NEW.content_key, NEW.text_markdown, NEW.kicker, NEW.sections, NEW.authors, NEW.keywords, NEW.published_at,
           NEW.modified_at, NEW.language, NEW.agency, NEW.dateline, NEW.details, NEW.kind, NEW.image_url))
    EXECUTE FUNCTION ingest.keep_version_change();
