"""What pages state for machines, however badly they write it."""

from __future__ import annotations

import json

import lxml.html
import pytest

from pipelines.reading.page.structured import Structured, collect, loads, plain, plain_list


def collected(head: str, body: str = "") -> Structured:
    tree = lxml.html.document_fromstring(f"<html lang='de-AT'><head>{head}</head><body>{body}</body></html>")
    return collect(tree, "https://zeitung.example/politik/hafen")


def script(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f"<script type='application/ld+json'>{text}</script>"


def test_the_article_is_found_in_a_graph_and_its_author_by_reference():
    found = collected(
        script(
            {
                "@graph": [
                    {"@type": "WebSite", "name": "Zeitung"},
                    {"@type": ["NewsArticle"], "headline": "Der Hafen", "author": {"@id": "#anna"}},
                    {"@type": "Person", "@id": "#anna", "name": "Anna Muster"},
                ]
            }
        )
    )
    assert found.article["headline"] == "Der Hafen"
    assert found.resolved(found.article["author"])["name"] == "Anna Muster"


def test_articles_of_lists_and_comments_are_not_the_page_s():
    found = collected(
        script(
            {
                "@type": "WebPage",
                "hasPart": [
                    {"@type": "NewsArticle", "headline": "Andere", "datePublished": "2020-01-01", "author": "X"}
                ],
                "mainEntity": {"@type": "NewsArticle", "headline": "Der Hafen"},
            }
        )
    )
    assert found.article["headline"] == "Der Hafen"


@pytest.mark.parametrize(
    "text",
    [
        '{"@type": "NewsArticle", "headline": "Der Hafen",}',
        '<!-- {"@type": "NewsArticle", "headline": "Der Hafen"} -->',
        '//<![CDATA[\n{"@type": "NewsArticle", "headline": "Der Hafen"}\n//]]>',
        '{"@type": "NewsArticle", "headline": "Der Hafen"};',
        '{"@type": "NewsArticle", "headline": "Der Hafen"} {"@type": "Person"}',
        '{"@type": "NewsArticle", "headline": "Der Hafen", "description": "Er sagte "nein" und ging."}',
        '{"@type": "NewsArticle", "headline": "Der Hafen", "articleBody": "abgeschnit',
        '{"@type": "NewsArticle", "description": "Zeile\n\tzwei", "headline": "Der Hafen"}',
    ],
)
def test_broken_jsonld_gives_what_can_be_saved(text: str):
    values = loads(text)
    assert all(isinstance(value, dict) for value in values)
    articles = [value for value in values if value.get("@type") == "NewsArticle"]
    assert articles[-1]["headline"] == "Der Hafen"


def test_what_was_collected_does_not_change():
    with pytest.raises(AttributeError):
        collected("<title>Blatt</title>").window_title = "Anderes"  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "3",
        '"x"',
        "{",
        "[" * 100_000,
        '{"a":' * 100_000,
        "nichts",
        '{"@type": {"a": []}}',
        '{"@type": [[], {}, 3, null]}',
        "\x00" * 50,
    ],
)
def test_jsonld_without_an_article_gives_none_and_no_error(text: str):
    assert collected(script(text)).article == {}


def test_a_megabyte_of_nested_junk_is_survived():
    junk = [{"@type": "Thing", "x": [[{"@type": "Thing", "@id": str(i)}] * 3] * 3} for i in range(9_000)]
    found = collected(script(junk[:3_000]) + script(junk) + script({"@type": "NewsArticle", "headline": "Der Hafen"}))
    assert isinstance(found.article, dict)
    assert len(found.nodes) <= 4_000


def test_meta_keeps_every_value_under_its_lower_case_name():
    found = collected(
        "<meta property='Article:Tag' content='Hafen'><meta name='article:tag' content=' See &amp; Fluss '>"
        "<meta name='leer' content=''>"
    )
    assert found.meta["article:tag"] == ["Hafen", "See & Fluss"]
    assert found.first_meta("leer", "article:tag") == "Hafen"
    assert found.first_meta("leer") is None


def test_links_times_headings_microdata_and_language():
    found = collected(
        "<title>Der Hafen | Zeitung</title><link rel='canonical' href='/hafen'><link rel='amphtml' href='/hafen/amp'>",
        "<svg><title>Symbol</title></svg><h1>Der Hafen</h1><time datetime='2025-12-03'>heute</time>"
        "<span itemprop='author name'>Anna</span>",
    )
    assert (found.canonical, found.amp, found.language, found.window_title) == (
        "/hafen",
        "/hafen/amp",
        "de-at",
        "Der Hafen | Zeitung",
    )
    assert len(found.times) == len(found.headings) == len(found.micro["author"]) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  Der\n Hafen ", "Der Hafen"),
        ("Fl&uuml;sse &amp;amp; Seen", "Flüsse & Seen"),
        ("<p>Der <b>Hafen</b></p>", "Der Hafen"),
        ({"@value": "Der Hafen"}, "Der Hafen"),
        ([{"name": ["Der Hafen"]}], "Der Hafen"),
        (7, "7"),
        ("Ha\u00adfen", "Hafen"),
        (None, None),
        ([], None),
        ({}, None),
        (True, None),
        ([[[[[["tief"]]]]]], None),
    ],
)
def test_plain_makes_one_line_of_whatever_stands_there(value: object, text: str | None):
    assert plain(value) == text


def test_plain_list_takes_what_is_text():
    assert plain_list(["a", None, {"name": "b"}, 3, [], {"x": 1}]) == ["a", "b", "3"]
    assert plain_list("a") == ["a"]


def test_the_tree_is_not_changed():
    tree = lxml.html.document_fromstring(
        "<head><meta name='a' content='b'></head><body><h1>Der <b>Hafen</b></h1><p>Text</p></body>"
    )
    before = lxml.html.tostring(tree)
    collect(tree, "https://zeitung.example/")
    assert lxml.html.tostring(tree) == before


def test_no_string_of_a_script_has_what_no_text_can_have():
    written = r'{"headline": "Br\ud800\u00fccke \u0000\u0007\ud83d\ude00 \\u0000 \udc00\n", "a": ["\uD83DX"]}'
    assert loads(written) == [{"headline": "Brücke 😀 \\u0000 \n", "a": ["X"]}]


# -- JSON-LD as pages write it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('{"headline":"Er nennt es "Witz" und geht","a":"x"}', {"headline": 'Er nennt es "Witz" und geht', "a": "x"}),
        (
            '{"headline":"Er sagte "nein", dann ging er","a":"x"}',
            {"headline": 'Er sagte "nein", dann ging er', "a": "x"},
        ),
        ('{"headline":"Der Fall "Nord": Was folgt","a":1}', {"headline": 'Der Fall "Nord": Was folgt', "a": 1}),
        ('{"headline":"Der "Bote""}', {"headline": 'Der "Bote"'}),
        ("{&quot;a&quot;: &quot;b &amp;amp; c&quot;}", {"a": "b &amp; c"}),
        ('// von Hand\n{"a": /* das */ "b // c", // Ende\n"d": 1,}', {"a": "b // c", "d": 1}),
        ('{"a":"b"\n"c":"d" "e":[1 2]}', {"a": "b", "c": "d", "e": [1, 2]}),
        ('{"a":"b";"c":"d";};', {"a": "b", "c": "d"}),
        ('{"a":"b",,"c":, "d": undefined}', {"a": "b", "c": None, "d": None}),
        ("{'a': 'b', c: True}", {"a": "b", "c": True}),
        ('{"a":"C:\\x","b":1}', {"a": "C:\\x", "b": 1}),
        ('window.data = {"a": 1};', {"a": 1}),
        ('{"a":"b","c":[{"d":"e"},{"f":"g', {"a": "b", "c": [{"d": "e"}, {"f": "g"}]}),
    ],
)
def test_what_was_meant_is_read(written: str, meant: dict):
    assert loads(written) == [meant]


def test_mending_takes_time_that_grows_with_the_length_alone():
    for piece in ('"', '{"a":"', "/*", "//", '"a" ', ",", "[", "\\", "x:", '{"a":"b" '):
        assert isinstance(loads(piece * 20_000), list)


def test_the_page_s_own_article_is_told_by_address_and_headline():
    here, other = "https://zeitung.example/a/hafen-1", "https://zeitung.example/b/kegeln-2"
    own = {"@type": "NewsArticle", "headline": "Der Hafen bleibt geschlossen"}
    foreign = {
        "@type": "NewsArticle",
        "headline": "Kegelverein feiert Sieg",
        "datePublished": "2025-01-01",
        "url": other,
    }
    head = "<title>Der Hafen bleibt geschlossen | Zeitung</title>"

    def article(*nodes: dict) -> dict:
        script = f"<script type='application/ld+json'>{json.dumps(nodes)}</script>"
        return collect(
            lxml.html.document_fromstring(f"<html><head>{head}{script}</head><body></body></html>"), here
        ).article

    assert article(foreign, own)["headline"] == own["headline"]
    assert article(foreign, {**own, "url": here})["headline"] == own["headline"]
    assert article(foreign) == {}
    assert article({**own, "headline": "Sperrung dauert an", "mainEntityOfPage": {"@id": here + "?x=1"}}) != {}
    assert article({**own, "url": other})["headline"] == own["headline"]
