"""Why a page is not an article; and that articles which look odd stay articles."""

# ruff: noqa: E501 - sentences stay on their lines
from __future__ import annotations

from datetime import UTC, datetime

import pytest

from benchmarks.judgement import figures
from pipelines.items import Kind, Page, Reason, Rejected
from pipelines.reading import read, shipped_rules

RULES = shipped_rules(language="de")
SENTENCES = (
    "Die Gemeinde teilte am Montag mit, dass die Brücke über den Bach bis zum Herbst gesperrt bleibt.",
    "Bei einer Prüfung waren Schäden am Geländer aufgefallen; wie teuer die Reparatur wird, steht noch nicht fest.",
    "Der Gemeinderat will im Oktober entscheiden, ob statt der Reparatur ein neuer Steg gebaut werden soll.",
    "Anwohner fordern seit Jahren einen breiteren Weg, der auch für Kinderwagen und Fahrräder geeignet ist.",
)
PROSE = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
LINKS = "".join(
    f"<div><h3><a href='/a/{n}'>Schlagzeile Nummer {n} zu einem Thema des Tages</a></h3></div>" for n in range(30)
)
CONSENT = (
    "<p>Wir und unsere 180 Partner verwenden Cookies und Tracking. Mit Ihrer Zustimmung verarbeiten wir "
    "personenbezogene "
    "Daten für Werbezwecke. Die Einwilligung ist freiwillig, der Widerruf jederzeit möglich. Datenschutz und Cookies: "
    "mehr in den Einstellungen.</p><button>Alle akzeptieren</button><p>Akzeptieren und weiter</p>"
)


def document(title: str, body: str, head: str = "") -> bytes:
    return f"<html lang=de><head><title>{title}</title>{head}</head><body>{body}</body></html>".encode()


def reason(body: bytes, url: str = "https://zeitung.example/politik/bruecke-1") -> Reason | None:
    page = Page(url=url, source="zeitung", body=body, fetched_at=datetime(2025, 12, 3, tzinfo=UTC))
    try:
        read(page, RULES)
    except Rejected as rejected:
        return rejected.reason
    return None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (document("Seite nicht gefunden", "<h1>Seite nicht gefunden</h1><p>Leider gibt es diese Seite nicht "
                                          "mehr.</p>"), Reason.SOFT_404),
        (document("404 - Zeitung", "<h1>Fehler 404</h1><p>Hier ist nichts.</p>" + LINKS), Reason.SOFT_404),
        (document("Page not found", "<h1>Page not found</h1><p>Sorry, the page could not be "
                                    "found.</p>"), Reason.SOFT_404),
        (document("Cookie-Zustimmung", f"<h1>Willkommen</h1>{CONSENT}"), Reason.CONSENT_WALL),
        (document("Zeitung", f"<div>{CONSENT * 2}</div>"), Reason.CONSENT_WALL),
        (document("Anmelden", "<h1>Anmelden</h1><form>E-Mail <input type=email> <input "
                              "type=password></form>"), Reason.LOGIN_WALL),
        (document("Zeitung", "<div id=root></div><script>1</script><script>2</script>"), Reason.JAVASCRIPT_SHELL),
        (document("Zeitung", "<noscript>Bitte aktivieren Sie JavaScript.</noscript><div "
                             "id=app></div>"), Reason.JAVASCRIPT_SHELL),
        (document("Politik", LINKS, "<meta property='og:type' content='website'>"), Reason.HOME_PAGE),
        (document("Zeitung", ""), Reason.EMPTY),
    ],
)  # fmt: skip
def test_pages_that_are_no_article_have_their_reason(body: bytes, expected: Reason):
    assert reason(body) is expected


@pytest.mark.parametrize(
    "title",
    [
        "Hoppla!", "404 | Seite nicht gefunden", "Leider ist der Artikel nicht mehr online", "Dieser Beitrag wurde depubliziert",
        "Es ist ein Fehler aufgetreten", "Sorry, this page isn't available", "We can't find the page you're looking for",
        "Oups, cette page n'existe pas", "Cet article n'est plus disponible", "Pagina non trovata", "Página no encontrada",
        "Wir sind gleich wieder da", "Keine Treffer gefunden",
    ],
)  # fmt: skip
def test_a_headline_that_is_nothing_but_a_loss_is_one_whatever_stands_below(title: str):
    teasers = "".join(
        f"<h3><a href=/a/{n}>Schlagzeile Nummer {n} zum Tag</a></h3><p>{SENTENCES[n % 4]}</p>" for n in range(9)
    )
    for below in ("<p>Bitte nutzen Sie die Suche.</p>", teasers):
        assert reason(document(title, f"<main><h1>{title}</h1>{below}</main>")) is Reason.SOFT_404


@pytest.mark.parametrize(
    "title",
    [
        "404 Fälle von Masern in einer Woche", "Vermisste Frau nicht gefunden", "Server-Panne legt Ämter lahm",
        "Wartungsarbeiten an der Schleuse dauern länger", "Ups! Baggerfahrer trifft Leitung", "Seite an Seite durch Neustadt",
        "Warum der Fehler 404 so heißt",
    ],
)  # fmt: skip
def test_a_short_article_with_such_words_in_its_headline_stays(title: str):
    news = f'{{"@type": "NewsArticle", "headline": "{title}", "datePublished": "2025-12-02T10:00:00+01:00"}}'
    head = f'<script type="application/ld+json">{news}</script>'
    assert reason(document(title, f"<h1>{title}</h1><p>{SENTENCES[0]}</p><p>{SENTENCES[1]}</p>", head)) is None


def test_a_section_page_that_says_nothing_of_itself_is_known_by_its_text():
    teasers = "".join(
        f"<h3><a href=/a/{n}>Schlagzeile Nummer {n} zum Tag</a></h3><p>{SENTENCES[n % 4]}</p>" for n in range(12)
    )
    assert reason(document("Lokales", f"<main><h1>Lokales</h1>{teasers}</main>")) is Reason.HOME_PAGE
    own = "".join(f"<p>{sentence} Das wurde am {day}. beschlossen.</p>" for day in (1, 2) for sentence in SENTENCES)
    article = f"<article><h1>Brücke gesperrt</h1>{own}</article>{teasers}"
    assert reason(document("Brücke gesperrt", f"<main>{article}</main>")) is None


@pytest.mark.parametrize(
    "notice",
    [
        "Dieser Artikel ist leider nicht mehr verfügbar.",
        "Der von Ihnen gewünschte Artikel steht aus rechtlichen Gründen nicht mehr zur Verfügung.",
        "Aus lizenzrechtlichen Gründen können wir Ihnen diesen Beitrag nicht mehr anzeigen.",
        "Die Redaktion hat diesen Text zurückgezogen. Er entsprach nicht unseren Regeln.",
        "Dieser Beitrag wurde auf Wunsch der Agentur gelöscht.",
        "This story has been removed at the request of the agency.",
        "This article is no longer available.",
    ],
)
def test_a_notice_below_the_old_headline_is_no_article(notice: str):
    head = "<meta property='og:type' content='article'>"
    body = f"<article><h1>Rat beschließt Haushalt</h1><p>{notice}</p></article>"
    assert reason(document("Rat beschließt Haushalt", body, head)) is Reason.SOFT_404
    assert reason(document("Rat beschließt Haushalt", f"<article><p>{notice}</p>{PROSE}</article>", head)) is None


def test_the_front_page_of_a_site_is_no_article():
    assert reason(document("Zeitung", LINKS + PROSE), "https://zeitung.example/") is Reason.HOME_PAGE


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("Warum Seiten nicht gefunden werden", PROSE),
        ("Brücke gesperrt", f"<p>{SENTENCES[0]}</p>"),
        ("Frist", "<p>Die Frist für den Beitrag ist am Montag im Rat verlängert worden, sagte die Kämmerin.</p>"),
        ("Seite an Seite", "<p>An der Seite der Kämmerin ist der Rat am Montag nicht mehr zu sehen gewesen.</p>"),
        ("Abschnitt wird für Vorhaben 1404 erneuert", f"<p>{SENTENCES[0]}</p>"),
        ("Streit um Cookies und Datenschutz", PROSE + "<p>Die Zustimmung der Nutzer zu Cookies fehlte.</p>"),
        ("Brücke gesperrt", PROSE + LINKS + "<form><input type=password></form>"),
        ("Brücke gesperrt", PROSE + "<noscript>Bitte aktivieren Sie JavaScript.</noscript>"),
    ],
)
def test_articles_stay_articles(title: str, body: str):
    assert reason(document(title, f"<article><h1>{title}</h1>{body}</article>")) is None


def test_a_line_on_a_page_of_a_site_is_no_article_unless_it_is_dated_or_declared():
    menu = "".join(f"<a href='/{name}'>{name}</a> " for name in ("Politik", "Sport", "Kultur", "Lokales", "Service"))
    line = f"<div>{menu}</div><h1>Oh je!</h1><p>Unter dieser Adresse haben wir leider nichts für Sie.</p>"
    assert reason(document("Zeitung", line)) is Reason.EMPTY
    dated = f"<div>{menu}</div><h1>Brücke gesperrt</h1><p>3.12.2025</p><p>Die Brücke bleibt gesperrt.</p>"
    assert reason(document("Brücke gesperrt", dated)) is None


@pytest.mark.parametrize(
    "item",
    [
        "<ul><li><a href='/a/{n}'>Schlagzeile Nummer {n} zu einem Thema</a> – Ein Satz darüber, was geschah.</li></ul>",
        "<p>{n}.12.2025 <a href='/a/{n}'>Schlagzeile Nummer {n} zu einem Thema</a>: Was geschah und warum.</p>",
        "<div><a href='/a/{n}'><div>Schlagzeile Nummer {n} zu einem Thema</div></a><div>Was geschah.</div></div>",
    ],
)
def test_a_page_whose_lines_begin_with_links_is_a_list_of_articles(item: str):
    items = "".join(item.format(n=n) for n in range(10, 24))
    assert reason(document("Verkehr", f"<h1>Verkehr</h1>{items}")) is Reason.HOME_PAGE
    assert reason(document("Zeitung", items), "https://zeitung.example/") is Reason.HOME_PAGE
    assert (
        reason(document("Brücke gesperrt", f"<h1>Brücke gesperrt</h1>{PROSE}{PROSE.replace('Die', 'Eine')}{items}"))
        is None
    )


def test_made_pages_are_judged_right():
    wrong = {family: row for family, row in figures().items() if row["wrong"]}
    assert not wrong


# -- lists, blogs, and pages of another sort --------------------------------------------------------------------------


POST = (
    "<article class='post'><h2><a href='/{0}'>Beitrag über den Hafen Nummer {0}</a></h2>"
    "<p>Der Rat hat am Montag unter Punkt {0} beschlossen, dass der Hafen bis zum Herbst geschlossen bleibt.</p></article>"
)


def judged(body: str, title: str, url: str, head: str = ""):
    html = f"<html lang='de'><head><title>{title}</title>{head}</head><body>{body}</body></html>"
    return read(
        Page(url, "s", html.encode(), datetime(2025, 12, 5, tzinfo=UTC), "text/html; charset=utf-8"), shipped_rules()
    )


def test_a_blog_s_front_page_is_no_article():
    body = "<h1>Mein Blog</h1>" + "".join(POST.format(number) for number in range(6))
    with pytest.raises(Rejected) as refused:
        judged(body, "Mein Blog", "https://blog.example/start/alles")
    assert refused.value.reason is Reason.HOME_PAGE


def test_an_article_above_teasers_of_others_is_one():
    prose = "".join(
        f"<p>Die Gemeinde teilte am Tag {n} mit, dass die Brücke über den Bach noch lange gesperrt ist.</p>"
        for n in range(8)
    )
    body = f"<main><h1>Die Brücke bleibt zu</h1>{prose}</main>" + "".join(POST.format(number) for number in range(6))
    assert judged(body, "Die Brücke bleibt zu", "https://zeitung.example/a/bruecke-1").title == "Die Brücke bleibt zu"


@pytest.mark.parametrize(
    ("url", "title", "head"),
    [
        ("https://firma.example/impressum", "Impressum", ""),
        ("https://firma.example/x/7", "Über uns", ""),
        ("https://shop.example/x/7", "Ein Stuhl", "<meta property='og:type' content='product'>"),
        ("https://forum.example/threads/stuhl-wackelt.77/", "Mein Stuhl wackelt", ""),
        ("https://firma.example/leistungen/dach", "Wir decken Ihr Dach", ""),
    ],
)
def test_pages_of_services_shops_and_forums_are_kept_as_other(url: str, title: str, head: str):
    prose = (
        "<p>Wir beraten Sie gern zu allen Fragen, die mit unserer Arbeit und mit unserem Angebot zu tun haben.</p>" * 5
    )
    assert judged(f"<h1>{title}</h1>{prose}", title, url, head).kind is Kind.OTHER


def test_a_dated_article_is_an_article_wherever_it_stands():
    prose = "<p>Der Rat hat am Montag beschlossen, dass der Hafen bis zum Herbst geschlossen bleibt.</p>" * 5
    body = f"<h1>Der Hafen bleibt zu</h1><p class='date'>3. Dezember 2025</p>{prose}"
    assert judged(body, "Der Hafen bleibt zu", "https://zeitung.example/lokales/hafen").kind is Kind.ARTICLE


def cards(count: int) -> str:
    """The cards of a list: a linked headline, a day, a sentence, a link to go on."""
    return "".join(
        f"<article class='card'><h2><a href='/2025/{n}/a'>Kurze Zeile {n}</a></h2><time>0{n + 1}.11.2025</time>"
        f"<p>Am Tag {n}: {SENTENCES[n % 4]}</p><a href='/2025/{n}/a'>Weiterlesen</a></article>"
        for n in range(count)
    )


def test_dated_cards_are_a_list_and_no_article():
    assert (
        reason(document("Lokales", f"<h1>Lokales</h1>{cards(8)}"), "https://zeitung.example/lokales")
        is Reason.HOME_PAGE
    )


def test_an_article_above_such_cards_stays_one():
    body = f"<article><h1>Brücke bleibt gesperrt</h1><time>03.12.2025</time>{PROSE}</article>{cards(8)}"
    assert reason(document("Brücke bleibt gesperrt", body)) is None
