"""The next page of an article, and nothing that only looks like it; pages put together into one text."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urljoin

import pytest
from lxml import html

from pipelines.items import Page, Part
from pipelines.reading import next_page, read, shipped_rules
from pipelines.reading.body import joining, paging
from pipelines.reading.body.blocks import Block
from pipelines.reading.rules import Rules, SiteRules

RULES = Rules()
PROSE = (
    "Die Brücke über den Mühlbach bleibt bis zum Ende des Monats gesperrt. Das teilte die Gemeinde am Montag mit. "
    "Grund "
    "sind Schäden am Geländer, die bei einer Prüfung aufgefallen waren. Wie teuer die Reparatur wird, steht noch "
    "nicht fest. "
)
URL = "https://a.example/kultur/muehlbach-bruecke"


def document(paging: str, head: str = "", above: str = "") -> bytes:
    return (
        f"<html lang=de><head><title>Brücke gesperrt</title>{head}</head><body><main><article><h1>Brücke "
        f"gesperrt</h1>{above}"
        f"<p>{PROSE}</p><p>{PROSE}</p><p>{PROSE}</p>{paging}</article></main></body></html>"
    ).encode()


def following(paging: str, *, url: str = URL, number: int = 1, head: str = "", rules: Rules = RULES) -> str | None:
    return next_page(url, document(paging, head), "text/html; charset=utf-8", number, rules)


@pytest.mark.parametrize(
    ("url", "href", "expected"),
    [
        (URL, f"{URL}/2", f"{URL}/2"),
        (URL + "/", "2/", f"{URL}/2/"),
        (URL, "/kultur/muehlbach-bruecke/seite-2", f"{URL}/seite-2"),
        (URL, "/kultur/muehlbach-bruecke/seite/2/", f"{URL}/seite/2/"),
        (URL, "/kultur/muehlbach-bruecke/page/2", f"{URL}/page/2"),
        (URL, "?page=2", f"{URL}?page=2"),
        (URL, "?seite=2&amp;druck=0", None),
        (URL + "?id=7", "?id=7&amp;seite=2", f"{URL}?id=7&seite=2"),
        (URL + ".html", "muehlbach-bruecke-2.html", f"{URL}-2.html"),
        (URL + ".html", "muehlbach-bruecke_2.html", f"{URL}_2.html"),
        (URL + ".html", "muehlbach-bruecke,seite=2.html", f"{URL},seite=2.html"),
        (URL + ".html", "muehlbach-bruecke-seite2.html", f"{URL}-seite2.html"),
        (URL + "/index.html", "seite2.html", f"{URL}/seite2.html"),
        (
            URL + ".html",
            "https://www.a.example/kultur/muehlbach-bruecke-2.html",
            URL.replace("//", "//www.") + "-2.html",
        ),
    ],
)
@pytest.mark.parametrize("words", ["Nächste Seite", "Weiter", "Weiter auf Seite 2", "2", "Seite 2", "»", "weiterlesen"])
def test_the_next_page_differs_by_its_number_only(url, href, expected, words):
    assert following(f'<nav class="pagination"><span>1</span> <a href="{href}">{words}</a></nav>', url=url) == expected


def test_rel_next_is_followed_in_the_head_and_in_the_text():
    assert following("", head='<link rel="next" href="/kultur/muehlbach-bruecke?page=2">') == f"{URL}?page=2"
    assert following('<a rel="next" href="/kultur/muehlbach-bruecke/2"><i class="icon"></i></a>') == f"{URL}/2"


def test_every_page_names_the_one_after_it_and_the_last_names_none():
    numbers = "".join(f'<a href="{URL}{f"?seite={n}" if n > 1 else ""}">{n}</a>' for n in (1, 2, 3))
    paging = f'<div class="seitenzahlen">{numbers}</div>'
    assert following(paging) == f"{URL}?seite=2"
    assert following(paging, url=f"{URL}?seite=2", number=2) == f"{URL}?seite=3"
    assert following(paging, url=f"{URL}?seite=3", number=3) is None


def test_words_right_before_a_link_say_where_it_leads():
    paging = '<div>Lesen Sie auf Seite {}: <a href="?p=2">Wie es weitergeht</a></div>'
    assert following(paging.format(2)) == f"{URL}?p=2"
    assert following(paging.format(12)) is None


def test_pages_counted_from_zero_are_followed():
    assert following('<li class="pager-next"><a href="?page=1">weiter ›</a></li>') == f"{URL}?page=1"
    assert following('<a rel="next" href="?page=1">Weiter</a>') == f"{URL}?page=1"
    assert following('<a rel="next" href="?page=2">Weiter</a>', url=f"{URL}?page=1", number=2) == f"{URL}?page=2"


@pytest.mark.parametrize(
    "paging",
    [
        '<a rel="next" href="/kultur/ein-anderer-artikel">Nächster Artikel</a>',
        '<a href="/kultur/muehlbach-bruecke-2">Nächster Artikel</a>',
        '<nav class="pagination"><a href="/kultur?page=2">2</a></nav>',
        '<nav class="pagination"><a href="https://b.example/kultur/muehlbach-bruecke/2">2</a></nav>',
        '<section id="comments"><nav class="pagination"><a href="?page=2">2</a></nav></section>',
        '<div class="kommentare"><a href="?seite=2">Nächste Seite</a></div>',
        '<a href="?cpage=2">2</a>',
        '<nav class="pagination"><a href="?page=2#comments">2</a></nav>',
        '<div class="bildergalerie"><a href="/kultur/muehlbach-bruecke/2">»</a></div>',
        '<a href="?bild=2">Weiter</a>',
        '<aside><nav class="pagination"><a href="?page=2">2</a></nav></aside>',
        '<a href="/kultur/muehlbach-bruecke-2">Die Geschichte der Brücke am Mühlbach</a>',
        '<a href="javascript:weiter(2)">Nächste Seite</a>',
        '<a href="mailto:2@a.example">2</a>',
        '<a href="http://[2">Nächste Seite</a>',
        '<a href="https://a.example:99999/2">1</a><a rel="next" href="https://a.example:seite/kultur/x-2">2</a>'
        '<a href="/kultur/muehlbach-bruecke-2">Die Geschichte der Brücke am Mühlbach</a>',
        '<nav class="pagination"><a href="?page=3">3</a></nav>',
        "",
    ],
)
def test_what_is_no_next_page_of_this_article_is_left(paging):
    assert following(paging) is None


def test_the_paging_of_a_topic_list_is_left():
    teasers = "".join(f'<h2><a href="/kultur/stueck-{n}">Stück {n}</a></h2><p>{PROSE}</p>' for n in "abcdef")
    body = f'<html><body><main>{teasers}<nav class="pagination"><a '
    'href="/thema/bruecken?page=2">2</a></nav></main></body></html>'
    assert next_page("https://a.example/thema/bruecken", body.encode(), "text/html", 1, RULES) is None


def test_a_view_on_one_page_comes_first():
    paging = f'<a href="{URL}/2">Nächste Seite</a> <a href="{URL}/komplettansicht">Auf einer Seite lesen</a>'
    assert following(paging) == f"{URL}/komplettansicht"
    assert following("<p>Ende</p>", url=f"{URL}/komplettansicht", number=2) is None
    assert following('<a href="/abo">Alles auf einer Seite</a>') is None


@pytest.mark.parametrize(
    ("href", "may_have"),
    [
        (f"{URL}.html", False),
        (f"{URL}.html#kommentare", False),
        (f"https://teilen.example/?u={URL}.html&t=Gesperrt", False),
        (f"{URL}.html?ansicht=ganz", True),
        (f"{URL}-ganz.html", True),
        ("?ansicht=ganz", True),
    ],
)
def test_the_article_s_own_address_and_share_buttons_lead_to_no_other_view_of_it(href: str, may_have: bool):
    body = document(f"<a href='{href}'>Auf einer Seite lesen</a>")
    assert paging.may_have_next(f"{URL}.html", body, "text/html", 1, RULES) is may_have
    assert (following(f"<a href='{href}'>Auf einer Seite lesen</a>", url=f"{URL}.html") is not None) is may_have


def test_the_look_at_the_bytes_misses_no_address_that_the_tree_would_take():
    article = "/kultur/muehlbach-bruecke"
    begins = ["", "https://www.a.example", "//a.example", "https://teilen.example", "mailto:"]
    paths = [article, f"/x/..{article}", "/index", "muehlbach-bruecke", "/kultur", "/teilen", ""]
    ends = ["-2.html", "/seite/2/", "/2", "_1.html", "?page=2", "?p=1", "/?seite=2&amp;x=1", f"?u={URL}-2.html", "#2"]
    for url in (URL, f"{URL}.html", f"{URL}/", f"{URL}/index.html", "https://a.example/?id=7"):
        for href in (begin + path + end for begin in begins for path in paths for end in ends):
            address = urljoin(url, href.replace("&amp;", "&"))
            may_have = paging.may_have_next(url, f"<a href='{href}'>2</a>".encode(), "text/html", 1, RULES)
            assert may_have is (paging._follows(address, url, 1) is not None), (url, href)


def test_a_source_s_own_rule_decides_alone():
    rules = Rules(site=SiteRules(next_page="a.blaettern"))
    assert following('<a class="blaettern" href="/x/7">hier entlang</a>', rules=rules) == "https://a.example/x/7"
    assert following(f'<a rel="next" href="{URL}/2">Nächste Seite</a>', rules=rules) is None
    assert following('<a class="blaettern" href="https://b.example/x/7">hier</a>', rules=rules) is None


@pytest.mark.parametrize(
    "body", [b"", b"   ", b"\x89PNG\r\n\x1a\n" + bytes(300), b"<a href=?page=2>2</a>", b"<" * 5000]
)
def test_a_body_that_is_none_has_no_next_page(body):
    assert next_page(URL, body, "text/html", 1, RULES) is None


def test_only_html_has_a_next_page():
    paging = '<a rel="next" href="?page=2">2</a>'
    assert next_page(URL, document(paging), "application/pdf", 1, RULES) is None


@pytest.mark.parametrize(
    ("line", "stated"),
    [
        ("Seite 1 / 3", (1, 3)), ("Seite 2 von 4", (2, 4)), ("Page 1 of 3", (1, 3)), ("Teil 1/2", (1, 2)), ("Seite "
        "4 von 3", None),
        ("Seite 1 von 500", None), ("Auf Seite 3 von unten", None), ("24.01.2026", None),
    ],
)  # fmt: skip
def test_lines_that_count_pages(line, stated):
    assert paging.paging_in(line) == stated


def test_the_number_of_pages_is_read_from_lines_and_from_links():
    assert paging.pages_total(html.fromstring(document("<span>Seite 1 / 3</span>")), URL) == 3
    numbers = "".join(f'<a href="?seite={n}">{n}</a>' for n in (2, 3, 4))
    assert paging.pages_total(html.fromstring(document(f"<nav>1 {numbers}</nav>")), URL) == 4
    assert paging.pages_total(html.fromstring(document('<a href="?seite=7">7</a>')), URL) == 1
    assert paging.pages_total(html.fromstring(document("")), URL) == 1


def paragraph(text: str) -> Block:
    return Block("paragraph", text)


def test_later_pages_add_only_what_is_new():
    first = [paragraph("Der erste Absatz der ersten Seite."), paragraph("Der zweite Absatz der ersten Seite.")]
    second = [
        Block("heading", "Brücke gesperrt", 2),
        first[0],
        paragraph("Der dritte Absatz steht auf der zweiten Seite."),
    ]
    whole, brought = joining.joined([first, second], ["Brücke gesperrt"])
    assert [block.text for block in whole] == [first[0].text, first[1].text, second[2].text]
    assert brought == 2


def test_a_page_out_of_range_that_brings_the_first_page_again_adds_nothing():
    first = [paragraph("Der erste Absatz der ersten Seite."), paragraph("Der zweite Absatz der ersten Seite.")]
    assert joining.joined([first, list(first)]) == (first, 1)


def test_a_short_answer_may_return_on_a_later_page():
    first = [paragraph("Kommt der Umbau noch in diesem Jahr?"), paragraph("Nein.")]
    second = [paragraph("Und im nächsten Jahr, wenn das Geld da ist?"), paragraph("Nein.")]
    assert len(joining.joined([first, second])[0]) == 4


def test_a_sentence_cut_by_the_page_break_is_put_together():
    first = [paragraph("Die Prüfung ergab, dass das Geländer")]
    second = [paragraph("an vier Stellen gebrochen ist."), paragraph("Ein Gutachten folgt.")]
    whole, _ = joining.joined([first, second])
    assert whole[0].text == "Die Prüfung ergab, dass das Geländer an vier Stellen gebrochen ist."


def long(words: str) -> str:
    return "".join(f"<p>{words} {n}: {PROSE}</p>" for n in ("eins", "zwei", "drei"))


def part(words: str, number: int, total: int = 3) -> bytes:
    return (
        f"<html lang=de><head><title>Brücke gesperrt</title><meta property=og:type "
        f"content=article></head><body><article>"
        f"<h1>Die Brücke am Mühlbach bleibt gesperrt</h1>{long(words)}<nav class=seiten>Seite {number} / "
        f"{total}</nav></article></body></html>"
    ).encode()


def read_pages(*further: Part) -> object:
    page = Page(url=URL, source="a", body=part("Anfang", 1), fetched_at=datetime(2026, 3, 1, tzinfo=UTC), more=further)
    return read(page, shipped_rules())


def test_pages_become_one_article_in_their_order():
    found = read_pages(Part(f"{URL}/2", part("Mitte", 2)), Part(f"{URL}/3", part("Ende", 3)))
    order = [found.text.index(word) for word in ("Anfang eins", "Anfang drei", "Mitte eins", "Ende eins", "Ende drei")]
    assert order == sorted(order)
    assert (found.pages_read, found.pages_total) == (3, 3)
    assert "Seite 1 / 3" not in found.text


def test_pages_that_are_missing_show_in_the_counts():
    found = read_pages(Part(f"{URL}/2", part("Mitte", 2)))
    assert (found.pages_read, found.pages_total) == (2, 3)


def test_a_further_page_that_is_broken_costs_only_itself():
    found = read_pages(Part(f"{URL}/2", b""), Part(f"{URL}/3", part("Ende", 3)))
    assert "Anfang eins" in found.text
    assert "Ende eins" in found.text
    assert (found.pages_read, found.pages_total) == (2, 3)


def test_the_first_page_again_is_not_counted_and_not_doubled():
    found = read_pages(Part(f"{URL}/2", part("Anfang", 1)))
    assert found.text.count("Anfang eins") == 1
    assert found.pages_read == 1


def test_the_view_on_one_page_counts_for_all_pages():
    whole = part("Anfang", 1).replace(b"<nav", (long("Mitte") + long("Ende") + "<nav").encode())
    found = read_pages(Part(f"{URL}/komplettansicht", whole))
    assert found.text.count("Anfang eins") == 1
    assert "Ende drei" in found.text
    assert (found.pages_read, found.pages_total) == (3, 3)


@pytest.mark.parametrize(
    "link",
    [
        '<a HREF = "/A/Kohle?page=2">2</A>',
        "<a hReF=/A/Kohle?page=2>2</a>",
        "<a href='/A/Kohle?page=2' >2</a>",
        '<a hreflang=de href=\n"?page=2">2</a>',
        '<a href="Kohle?page=2">2</a>',
        '<a href="//example.org/A/Kohle?page=2">2</a>',
    ],
)
def test_a_next_page_is_found_however_its_link_is_written(link: str) -> None:
    prose = "".join(f"<p>{sentence * 4}</p>" for sentence in ("Der Preis der Kohle ist gestiegen. ",) * 4)
    for inner in (link, f'<a href="/B">{link}', f"hrefhref=x href href= {link}"):
        body = f"<body><article>{prose}<div class=paging>Seite: {inner}</div></article></body>".encode()
        found = paging.next_page("https://example.org/A/Kohle", body, "text/html", 1, Rules())
        assert found == "https://example.org/A/Kohle?page=2"
