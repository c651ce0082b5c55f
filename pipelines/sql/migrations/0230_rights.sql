-- What a site says about text and data mining, archiving and licences: what it says now stands in the article's row, and
-- what it said at each time in a table of its own.

ALTER TABLE ingest.articles
    ADD COLUMN tdm_reserved           boolean,
    ADD COLUMN tdm_policy             text,
    ADD COLUMN robots_directives      text[] NOT NULL DEFAULT '{}',
    ADD COLUMN ai_crawlers_disallowed text[] NOT NULL DEFAULT '{}',
    ADD COLUMN license                text,
    ADD COLUMN rights_stated_in       text[] NOT NULL DEFAULT '{}',
    ADD COLUMN rights_at              timestamptz;
COMMENT ON COLUMN ingest.articles.tdm_reserved IS 'TDM Reservation Protocol: reserved or not; null: not stated';
COMMENT ON COLUMN ingest.articles.tdm_policy IS 'Address of its policy';
COMMENT ON COLUMN ingest.articles.robots_directives IS 'Restrictions of X-Robots-Tag and meta robots';
COMMENT ON COLUMN ingest.articles.ai_crawlers_disallowed IS 'Agents that robots.txt keeps from the page';
COMMENT ON COLUMN ingest.articles.license IS 'Address or name of the licence';
COMMENT ON COLUMN ingest.articles.rights_stated_in IS 'Places where that was stated';
COMMENT ON COLUMN ingest.articles.rights_at IS 'Fetch that said it first; null: nothing was ever stated';

CREATE TABLE ingest.rights (
    article_id             bigint NOT NULL REFERENCES ingest.articles ON DELETE CASCADE,
    stated_at              timestamptz NOT NULL,
    tdm_reserved           boolean,
    tdm_policy             text,
    robots_directives      text[] NOT NULL,
    ai_crawlers_disallowed text[] NOT NULL,
    license                text,
    stated_in              text[] NOT NULL,
    PRIMARY KEY (article_id, stated_at)
);
COMMENT ON TABLE ingest.rights IS 'A row for each time that a site said something else about an article; the first only where it said anything';
COMMENT ON COLUMN ingest.rights.article_id IS 'The article';
COMMENT ON COLUMN ingest.rights.stated_at IS 'Fetch that said it first';
COMMENT ON COLUMN ingest.rights.tdm_reserved IS 'As in ingest.articles';
COMMENT ON COLUMN ingest.rights.tdm_policy IS 'As in ingest.articles';
COMMENT ON COLUMN ingest.rights.robots_directives IS 'As in ingest.articles';
COMMENT ON COLUMN ingest.rights.ai_crawlers_disallowed IS 'As in ingest.articles';
COMMENT ON COLUMN ingest.rights.license IS 'As in ingest.articles';
COMMENT ON COLUMN ingest.rights.stated_in IS 'As in ingest.articles';

ALTER TABLE ingest.versions ADD COLUMN text_withheld boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN ingest.versions.text_withheld IS 'The site reserves its rights, and the operator wants no text then';
ALTER TABLE ingest.versions
    DROP CONSTRAINT text_or_not_free,
    ADD CONSTRAINT text_or_not_free CHECK (btrim(text) <> '' OR is_accessible_for_free IS FALSE OR text_withheld);
COMMENT ON CONSTRAINT text_or_not_free ON ingest.versions IS 'Only what is not free, or withheld, may have no text';
