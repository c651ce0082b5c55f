-- Views have no keys of their own that Postgres would know. Here they stand as rows, for programs that are told how to join.
CREATE OR REPLACE VIEW news.keys AS
SELECT view_name, kind, columns::text[] AS columns, references_view, references_columns::text[] AS references_columns
FROM (VALUES
    ('absences', 'primary', '{article_id,gone_at}', NULL, NULL),
    ('absences', 'foreign', '{article_id}', 'articles', '{id}'),
    ('absences', 'foreign', '{source}', 'sources', '{name}'),
    ('articles', 'primary', '{id}', NULL, NULL),
    ('articles', 'foreign', '{source}', 'sources', '{name}'),
    ('articles', 'foreign', '{copy_of}', 'articles', '{id}'),
    ('articles', 'foreign', '{id,version}', 'versions', '{article_id,version}'),
    ('changes', 'primary', '{id}', NULL, NULL),
    ('changes', 'foreign', '{article_id}', 'articles', '{id}'),
    ('changes', 'foreign', '{copy_of}', 'articles', '{id}'),
    ('changes', 'foreign', '{story_id}', 'stories', '{id}'),
    ('changes', 'foreign', '{source}', 'sources', '{name}'),
    ('copies', 'primary', '{copy_id}', NULL, NULL),
    ('copies', 'foreign', '{copy_id}', 'articles', '{id}'),
    ('copies', 'foreign', '{original_id}', 'articles', '{id}'),
    ('copies', 'foreign', '{original_id}', 'families', '{id}'),
    ('copies', 'foreign', '{copy_source}', 'sources', '{name}'),
    ('copies', 'foreign', '{original_source}', 'sources', '{name}'),
    ('documents', 'primary', '{source,url}', NULL, NULL),
    ('documents', 'foreign', '{source}', 'sources', '{name}'),
    ('families', 'primary', '{id}', NULL, NULL),
    ('families', 'foreign', '{id}', 'articles', '{id}'),
    ('families', 'foreign', '{earliest_id}', 'articles', '{id}'),
    ('families', 'foreign', '{first_source}', 'sources', '{name}'),
    ('families', 'foreign', '{earliest_source}', 'sources', '{name}'),
    ('matches', 'primary', '{id}', NULL, NULL),
    ('matches', 'foreign', '{article_id}', 'articles', '{id}'),
    ('matches', 'foreign', '{source}', 'sources', '{name}'),
    ('pending', 'primary', '{source,url}', NULL, NULL),
    ('pending', 'foreign', '{source}', 'sources', '{name}'),
    ('rejections', 'primary', '{source,url}', NULL, NULL),
    ('rejections', 'foreign', '{source}', 'sources', '{name}'),
    ('removed', 'primary', '{article_id,version,place}', NULL, NULL),
    ('removed', 'foreign', '{article_id}', 'articles', '{id}'),
    ('removed', 'foreign', '{article_id,version}', 'versions', '{article_id,version}'),
    ('revisions', 'primary', '{article_id,version}', NULL, NULL),
    ('revisions', 'foreign', '{article_id}', 'articles', '{id}'),
    ('revisions', 'foreign', '{article_id,version}', 'versions', '{article_id,version}'),
    ('revisions', 'foreign', '{article_id,version_before}', 'versions', '{article_id,version}'),
    ('revisions', 'foreign', '{source}', 'sources', '{name}'),
    ('runs', 'primary', '{id}', NULL, NULL),
    ('runs', 'foreign', '{source}', 'sources', '{name}'),
    ('sources', 'primary', '{name}', NULL, NULL),
    ('sources', 'foreign', '{last_run}', 'runs', '{id}'),
    ('stories', 'primary', '{id}', NULL, NULL),
    ('stories', 'foreign', '{id}', 'articles', '{id}'),
    ('story_articles', 'primary', '{article_id}', NULL, NULL),
    ('story_articles', 'foreign', '{article_id}', 'articles', '{id}'),
    ('story_articles', 'foreign', '{story_id}', 'stories', '{id}'),
    ('story_articles', 'foreign', '{copy_of}', 'articles', '{id}'),
    ('story_articles', 'foreign', '{source}', 'sources', '{name}'),
    ('versions', 'primary', '{article_id,version}', NULL, NULL),
    ('versions', 'foreign', '{article_id}', 'articles', '{id}'),
    ('versions', 'foreign', '{source}', 'sources', '{name}')
) AS stated (view_name, kind, columns, references_view, references_columns);

COMMENT ON VIEW news.keys IS 'A row per key of a view: what its rows are known by, and what they may be joined with';
COMMENT ON COLUMN news.keys.view_name IS 'View in schema news';
COMMENT ON COLUMN news.keys.kind IS 'primary: no two rows have the same values, none is null; foreign: a value that is not null is found there';
COMMENT ON COLUMN news.keys.columns IS 'Columns of the view';
COMMENT ON COLUMN news.keys.references_view IS 'View that a foreign key leads to';
COMMENT ON COLUMN news.keys.references_columns IS 'Its columns, in the order of columns';
