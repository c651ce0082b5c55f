-- A changed wording may tell another story, and its article goes there where nobody has followed it yet.

ALTER TABLE ingest.story_articles ADD COLUMN wording_at timestamptz;
COMMENT ON COLUMN ingest.story_articles.wording_at IS 'Fetch of the latest wording that was looked at; null: of the first one';
ALTER TABLE ingest.regrouped_articles ADD COLUMN wording_at timestamptz;
COMMENT ON COLUMN ingest.regrouped_articles.wording_at IS 'Fetch of the latest wording that was looked at';
CREATE INDEX regrouped_articles_of_story ON ingest.regrouped_articles (story_id);
COMMENT ON INDEX ingest.regrouped_articles_of_story IS 'Serves the question whether others have followed an article into its story';
CREATE INDEX versions_fetched ON ingest.versions (fetched_at);
COMMENT ON INDEX ingest.versions_fetched IS 'Serves nachlese db regroup: changed wordings in the order in which they were fetched';
