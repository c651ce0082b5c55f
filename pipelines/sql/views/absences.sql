CREATE OR REPLACE VIEW news.absences AS
SELECT
    absence.article_id,
    absence.gone_at,
    absence.back_at,
    absence.reason,
    article.source,
    article.canonical_url,
    version.title
FROM ingest.absences AS absence
JOIN ingest.articles AS article ON article.id = absence.article_id
JOIN ingest.versions AS version ON version.article_id = article.id AND version.number = article.version;

COMMENT ON VIEW news.absences IS 'A row per time that an article was taken down, with its return where it came back';
COMMENT ON COLUMN news.absences.article_id IS 'id in news.articles';
COMMENT ON COLUMN news.absences.gone_at IS 'First look that found it gone';
COMMENT ON COLUMN news.absences.back_at IS 'First look that found it again; null: it is gone';
COMMENT ON COLUMN news.absences.reason IS 'gone: 404 or 410; soft_404: a notice; home_page: it leads to the front page; null: not known';
COMMENT ON COLUMN news.absences.source IS 'Source of the article';
COMMENT ON COLUMN news.absences.canonical_url IS 'Address of the article';
COMMENT ON COLUMN news.absences.title IS 'Headline of its last wording';
