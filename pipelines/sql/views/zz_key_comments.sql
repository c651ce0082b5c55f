-- Programs that make an interface out of a database read the keys of views from their comments (the smart tags of PostGraphile):
-- lines behind the first. Views are commented anew with every change, so this comes last.
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT view_name, string_agg(
            CASE kind WHEN 'primary' THEN format('@primaryKey %s', array_to_string(columns, ','))
            ELSE format('@foreignKey (%s) references news.%s (%s)', array_to_string(columns, ','), references_view,
                        array_to_string(references_columns, ',')) END, E'\n' ORDER BY place) AS tags
        FROM (SELECT *, row_number() OVER () AS place FROM news.keys) AS stated
        GROUP BY view_name
    LOOP
        EXECUTE format('COMMENT ON VIEW news.%I IS %L', one.view_name,
                       split_part(obj_description(format('news.%I', one.view_name)::regclass), E'\n', 1) || E'\n' || one.tags);
    END LOOP;
END
$$;
