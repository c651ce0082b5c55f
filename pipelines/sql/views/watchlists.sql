CREATE OR REPLACE VIEW news.watchlists AS
WITH RECURSIVE matched AS (  -- the names that the index has, each looked for once
    (SELECT match.watch FROM ingest.matches AS match ORDER BY match.watch LIMIT 1)
    UNION ALL
    SELECT (SELECT match.watch FROM ingest.matches AS match WHERE match.watch > before.watch ORDER BY match.watch LIMIT 1)
    FROM matched AS before WHERE before.watch IS NOT NULL
), known AS (
    SELECT name FROM ingest.watches
    UNION
    SELECT watch FROM matched WHERE watch IS NOT NULL
)
SELECT
    known.name AS watch,
    coalesce(watch.title, known.name) AS title,
    counted.number AS matches,
    (SELECT match.matched_at FROM ingest.matches AS match WHERE match.id = counted.last) AS last_match_at,
    (SELECT count(*) FROM ingest.matches AS match WHERE match.watch = known.name AND match.error IS NOT NULL)
        AS not_delivered
FROM known
CROSS JOIN LATERAL (  -- both from the index, in one go
    SELECT count(*) AS number, max(match.id) AS last FROM ingest.matches AS match WHERE match.watch = known.name
) AS counted
LEFT JOIN ingest.watches AS watch ON watch.name = known.name;

COMMENT ON VIEW news.watchlists IS 'A row per watchlist, also where nothing has matched it yet or its file is gone';
COMMENT ON COLUMN news.watchlists.watch IS 'Name of its file without .toml, as in news.matches';
COMMENT ON COLUMN news.watchlists.title IS 'Name for people';
COMMENT ON COLUMN news.watchlists.matches IS 'Wordings of articles that matched it';
COMMENT ON COLUMN news.watchlists.last_match_at IS 'When the last of them was stored; null: nothing has matched yet';
COMMENT ON COLUMN news.watchlists.not_delivered IS 'How many of them could not be sent to its address';
