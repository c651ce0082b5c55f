-- An address in the one spelling under which pages are known, as pipelines/urls.py makes it, and with more patience: what
-- is no address there (without a scheme, with a user name) is looked up here all the same. Null: this is no address.

-- RFC 3492, for one label of a host.
CREATE OR REPLACE FUNCTION ingest.punycode(label text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    points integer[] := array(SELECT ascii(sign) FROM regexp_split_to_table(nullif(label, ''), '') WITH ORDINALITY AS s (sign, place) ORDER BY place);
    made text := coalesce((SELECT string_agg(chr(point), '' ORDER BY place)
                           FROM unnest(points) WITH ORDINALITY AS p (point, place) WHERE point < 128), '');
    basic integer := length(made);
    done integer := basic;
    now_at bigint := 128;
    delta bigint := 0;
    bias integer := 72;
    next_at bigint;
    point integer;
    rest bigint;
    threshold integer;
    k integer;
BEGIN
    IF basic = cardinality(points) OR cardinality(points) > 63 THEN
        RETURN label;
    END IF;
    made := 'xn--' || made || CASE WHEN basic > 0 THEN '-' ELSE '' END;
    WHILE done < cardinality(points) LOOP
        next_at := (SELECT min(p) FROM unnest(points) AS p WHERE p >= now_at);
        delta := delta + (next_at - now_at) * (done + 1);
        now_at := next_at;
        FOREACH point IN ARRAY points LOOP
            IF point < now_at THEN
                delta := delta + 1;
            ELSIF point = now_at THEN
                rest := delta;
                k := 36;
                LOOP
                    threshold := CASE WHEN k <= bias THEN 1 WHEN k >= bias + 26 THEN 26 ELSE k - bias END;
                    EXIT WHEN rest < threshold;
                    made := made || substr('abcdefghijklmnopqrstuvwxyz0123456789',
                                           (threshold + (rest - threshold) % (36 - threshold))::integer + 1, 1);
                    rest := (rest - threshold) / (36 - threshold);
                    k := k + 36;
                END LOOP;
                made := made || substr('abcdefghijklmnopqrstuvwxyz0123456789', rest::integer + 1, 1);
                delta := CASE WHEN done = basic THEN delta / 700 ELSE delta / 2 END;
                delta := delta + delta / (done + 1);
                k := 0;
                WHILE delta > 455 LOOP
                    delta := delta / 35;
                    k := k + 36;
                END LOOP;
                bias := k + (36 * delta / (delta + 38))::integer;
                delta := 0;
                done := done + 1;
            END IF;
        END LOOP;
        delta := delta + 1;
        now_at := now_at + 1;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION ingest.punycode IS 'A label of a host in ASCII';

-- One spelling of every escape: unreserved characters plain, all others that are not in *allowed* as upper-case escapes.
CREATE OR REPLACE FUNCTION ingest.escaped(part text, allowed text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(string_agg(
        CASE WHEN piece[1] = '%' THEN '%25'
             WHEN piece[1] LIKE '\%__' THEN CASE
                 WHEN upper(piece[1]) ~ '^%(2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])$'
                 THEN convert_from(decode(substr(piece[1], 2), 'hex'), 'UTF8') ELSE upper(piece[1]) END
             WHEN piece[1] ~ allowed THEN piece[1]
             ELSE regexp_replace(upper(encode(convert_to(piece[1], 'UTF8'), 'hex')), '(..)', '%\1', 'g') END,
        '' ORDER BY place), '')
    FROM regexp_matches(part, '%[0-9A-Fa-f]{2}|.', 'g') WITH ORDINALITY AS found (piece, place);
END;
COMMENT ON FUNCTION ingest.escaped IS 'Path or query of an address with one spelling of every escape';

CREATE OR REPLACE FUNCTION ingest.normal_url(url text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    rest text := regexp_replace(btrim(url, E' \t\r\n\f<>'), '#.*$', '');
    scheme text := lower(substring(rest FROM '^([A-Za-z][A-Za-z0-9+.-]*)://'));
    host text;
    port text;
    path text;
    query text;
    segment text;
    segments text[] := '{}';
BEGIN
    IF length(url) > 8000 OR rest ~ '[\u0001-\u001f\u007f-\u009f]' THEN
        RETURN NULL;
    END IF;
    rest := regexp_replace(rest, '^([A-Za-z][A-Za-z0-9+.-]*:)?//', '');
    scheme := coalesce(scheme, 'https');
    IF scheme NOT IN ('http', 'https') THEN
        RETURN NULL;
    END IF;
    host := regexp_replace(substring(rest FROM '^[^/?]*'), '^.*@', '');
    rest := substr(rest, length(substring(rest FROM '^[^/?]*')) + 1);
    port := nullif(substring(host FROM ':([0-9]*)$'), '');
    IF port ~ '^0*(80|443)$' AND ltrim(port, '0') = (CASE scheme WHEN 'http' THEN '80' ELSE '443' END) THEN
        port := NULL;
    END IF;
    host := normalize(lower(regexp_replace(host, ':[0-9]*$', '')), NFKC);
    host := regexp_replace(translate(host, '。', '.'), '\.$', '');
    host := (SELECT string_agg(ingest.punycode(label), '.' ORDER BY place)
             FROM unnest(string_to_array(host, '.')) WITH ORDINALITY AS labels (label, place));
    IF host IS NULL OR host !~ '^[a-z0-9_-]+(\.[a-z0-9_-]+)*$|^\[[0-9a-f:.]+\]$' THEN
        RETURN NULL;
    END IF;
    path := ingest.escaped(substring(rest FROM '^[^?]*'), '[!$%&''()*+,./0-9:;=@A-Z_a-z~-]');
    FOR segment IN SELECT piece FROM unnest((string_to_array(path, '/'))[2:]) WITH ORDINALITY AS p (piece, place) ORDER BY place LOOP
        segments := CASE segment WHEN '..' THEN segments[:cardinality(segments) - 1] WHEN '.' THEN segments ELSE segments || segment END;
    END LOOP;
    IF path ~ '/\.\.?$' THEN
        segments := segments || ''::text;
    END IF;
    query := (SELECT string_agg(piece, '&' ORDER BY place)
              FROM unnest(string_to_array(ingest.escaped(substring(rest FROM '\?(.*)$'), '[!$%&()*+,./0-9:;=?@A-Z_a-z~-]'), '&'))
                   WITH ORDINALITY AS p (piece, place)
              WHERE piece <> '' AND NOT ingest.is_tracking(lower(split_part(piece, '=', 1))));
    RETURN scheme || '://' || host || coalesce(':' || ltrim(port, '0'), '') || '/' || array_to_string(segments, '/')
        || coalesce('?' || query, '');
END
$$;
COMMENT ON FUNCTION ingest.normal_url IS 'The one spelling of an address; null: this is none';

CREATE OR REPLACE FUNCTION ingest.is_tracking(name text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT name ~ '^(utm_|wt_|pk_|piwik_|mtm_|matomo_|hsa_|oly_|ns_|at_custom)' OR name IN (
        'fbclid', 'gclid', 'gclsrc', 'dclid', 'gbraid', 'wbraid', 'msclkid', 'yclid', 'twclid', 'ttclid', 'li_fat_id',
        'igshid', 'igsh', 'mc_cid', 'mc_eid', '_ga', '_gl', '_hsenc', '_hsmi', 'mkt_tok', 'vero_id', 'xtor', 'wtmc',
        'dicbo', 'at_medium', 'at_campaign', 'google_editors_picks', 'xing_share', 'cmpid', 's_kwcid');
END;
COMMENT ON FUNCTION ingest.is_tracking IS 'Whether a parameter of an address says where a reader came from, never which page is meant';

CREATE OR REPLACE FUNCTION news.find(url text) RETURNS SETOF news.articles
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 1 AS $$
    WITH spellings AS MATERIALIZED (
        -- the address itself, then with and without www. and a slash at its end; http and https are one page
        SELECT scheme || '://' || host.name || '/' || path.name || coalesce('?' || query, '') AS address,
               host.far + path.far AS far
        FROM (SELECT ingest.normal_url(find.url) AS normal) AS asked
        CROSS JOIN LATERAL (
            SELECT substring(normal FROM '://([^/]*)/') AS host, substring(normal FROM '://[^/]*/([^?]*)') AS path,
                   substring(normal FROM '\?(.*)$') AS query) AS parts
        CROSS JOIN (VALUES ('https'), ('http')) AS schemes (scheme)
        CROSS JOIN LATERAL (VALUES (parts.host, 0), (
            CASE WHEN parts.host LIKE 'www.%' THEN substr(parts.host, 5) ELSE 'www.' || parts.host END, 1)) AS host (name, far)
        CROSS JOIN LATERAL (VALUES (parts.path, 0), (
            CASE WHEN parts.path LIKE '%/' THEN rtrim(parts.path, '/') ELSE parts.path || '/' END, 2)) AS path (name, far)
        WHERE path.name <> '/'
    ),
    found AS (
        SELECT a.id, s.far, 0 AS way FROM spellings AS s JOIN ingest.articles AS a ON a.canonical_url = s.address
        UNION ALL
        SELECT a.id, s.far, 1 FROM spellings AS s JOIN ingest.articles AS a ON a.url = s.address
        UNION ALL
        SELECT p.article_id, s.far, 2 FROM spellings AS s JOIN ingest.pages AS p ON p.url = s.address AND p.article_id IS NOT NULL
        UNION ALL
        SELECT v.article_id, s.far, 3 FROM spellings AS s JOIN ingest.versions AS v ON v.amp_url = s.address
    )
    SELECT article.* FROM news.articles AS article
    WHERE article.id = (SELECT f.id FROM found AS f ORDER BY f.far, f.way, f.id LIMIT 1)
$$;
COMMENT ON FUNCTION news.find IS 'The article of an address in any spelling: tracking parameters, fragment, scheme, www., case of the host do not count; also an address that has led to it';
