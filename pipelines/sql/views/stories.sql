CREATE OR REPLACE VIEW news.stories AS
SELECT
    story.id,
    first_version.title,
    story.first_seen_at,
    story.last_seen_at,
    story.articles,
    story.sources
FROM ingest.stories AS story
JOIN ingest.articles AS first ON first.id = coalesce(story.first_id, story.id)
JOIN ingest.versions AS first_version ON first_version.article_id = first.id AND first_version.number = first.version
WHERE story.articles > 0;

COMMENT ON VIEW news.stories IS 'A row per story: articles about one event, one of them or many';
COMMENT ON COLUMN news.stories.id IS 'Number of the story: the id of the article that began it. An article changes its story by nachlese db regroup or by a changed wording; see news.story_history';
COMMENT ON COLUMN news.stories.title IS 'Headline of its first article as it reads now';
COMMENT ON COLUMN news.stories.first_seen_at IS 'First fetch of its first article';
COMMENT ON COLUMN news.stories.last_seen_at IS 'First fetch of its latest article';
COMMENT ON COLUMN news.stories.articles IS 'Articles, copies included';
COMMENT ON COLUMN news.stories.sources IS 'Sources that tell it';

CREATE OR REPLACE VIEW news.story_articles AS
SELECT
    member.story_id,
    member.article_id,
    member.likeness,
    article.source,
    version.title,
    version.published_at,
    article.first_seen_at,
    article.canonical_url,
    article.copy_of
FROM ingest.story_articles AS member
JOIN ingest.articles AS article ON article.id = member.article_id
JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version;

COMMENT ON VIEW news.story_articles IS 'A row per article with the story that it belongs to';
COMMENT ON COLUMN news.story_articles.story_id IS 'id in news.stories';
COMMENT ON COLUMN news.story_articles.article_id IS 'id in news.articles';
COMMENT ON COLUMN news.story_articles.likeness IS 'How much it resembled the story when it came to it, 0 to 1; null: it began the story';
COMMENT ON COLUMN news.story_articles.source IS 'Source of the article';
COMMENT ON COLUMN news.story_articles.title IS 'Headline';
COMMENT ON COLUMN news.story_articles.published_at IS 'When its site says it was published';
COMMENT ON COLUMN news.story_articles.first_seen_at IS 'First fetch of the article';
COMMENT ON COLUMN news.story_articles.canonical_url IS 'Address of the article';
COMMENT ON COLUMN news.story_articles.copy_of IS 'id of the article that had the same text first; null where this one was first';

CREATE OR REPLACE VIEW news.story_history AS
SELECT id, story_id, kind, other_id, articles, recorded_at
FROM ingest.story_history;

COMMENT ON VIEW news.story_history IS 'A row per story of whose articles some were found to tell another one, by nachlese db regroup or by a changed wording';
COMMENT ON COLUMN news.story_history.id IS 'Number, growing';
COMMENT ON COLUMN news.story_history.story_id IS 'The story as it was; of kind split it is in news.stories, of kind merged no longer';
COMMENT ON COLUMN news.story_history.kind IS 'split: it goes on without these articles; merged: all that it had is elsewhere now';
COMMENT ON COLUMN news.story_history.other_id IS 'The story that they belong to now; when the row was written, it was in news.stories';
COMMENT ON COLUMN news.story_history.articles IS 'How many articles went there';
COMMENT ON COLUMN news.story_history.recorded_at IS 'When that was found';
