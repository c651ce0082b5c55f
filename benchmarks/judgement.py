"""How often the reader takes a page for an article that is none, and how often it refuses one.

    python -m benchmarks.judgement [--corpus DIR] [--json]

The pages are made here, from templates of our own: every kind of page that is no article, and articles that look like
one of them (a consent layer over the text, a sign-in form in the header, an article about lost pages), each in three
languages and several sorts of markup. With a corpus beside the checkout the share of its articles that are refused is
told as well.
"""

# ruff: noqa: E501 - sentences stay on their lines
from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

from pipelines.items import Page, Reason, Rejected
from pipelines.reading import read, shipped_rules

FETCHED = datetime(2025, 12, 3, 17, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Made:
    """A page and what it is: a reason that is right, or None for an article. ``family`` groups the figures."""

    family: str
    reason: Reason | None
    html: str
    url: str = "https://zeitung.example/politik/bruecke-bleibt-gesperrt-4711"


WORDS = {
    "de": {
        "site": "Neustädter Zeitung", "title": "Brücke am Mühlbach bleibt gesperrt", "home": "Startseite",
        "prose": (
            "Die Gemeinde teilte am Montag mit, dass die Brücke über den Bach bis zum Herbst gesperrt bleibt.",
            "Bei einer Prüfung waren Schäden am Geländer aufgefallen; wie teuer die Reparatur wird, steht nicht fest.",
            "Der Gemeinderat will im Oktober entscheiden, ob statt der Reparatur ein neuer Steg gebaut werden soll.",
            "Anwohner fordern seit Jahren einen breiteren Weg, der auch für Kinderwagen geeignet ist.",
        ),
        "lost": ("Seite nicht gefunden", "Fehler 404", "Diese Seite existiert nicht mehr", "Ups! Da ist etwas schiefgelaufen",
                 "Der Artikel ist leider nicht mehr verfügbar"),
        "lost_more": ("Hoppla!", "404 - Not Found", "Dieser Inhalt wurde gelöscht", "Leider konnten wir die gesuchte Seite nicht finden",
                      "Ein Fehler ist aufgetreten", "Wartungsarbeiten", "503 Service Unavailable", "Keine Ergebnisse"),
        "lost_text": "Die gewünschte Seite wurde leider nicht gefunden. Bitte nutzen Sie die Suche.",
        "consent": "Wir und unsere 180 Partner verwenden Cookies und Tracking. Mit Ihrer Zustimmung verarbeiten wir "
                   "personenbezogene Daten für Werbezwecke. Die Einwilligung ist freiwillig, der Widerruf jederzeit möglich. "
                   "Mehr zum Datenschutz steht in den Einstellungen.",
        "vendor": "Wir und unsere Partner speichern und/oder greifen auf Informationen auf einem Gerät zu, zum Beispiel auf eindeutige "
                  "Kennungen in Cookies, um personenbezogene Daten zu verarbeiten. Sie können akzeptieren oder Ihre Präferenzen "
                  "verwalten, auch jederzeit auf der Seite mit den Datenschutzrichtlinien.",
        "section": "Lokales", "not_lost": "Vermisste Frau nach zwei Tagen nicht gefunden",
        "accept": "Alle akzeptieren und weiter", "consent_title": "Zustimmung erforderlich", "login": "Anmelden",
        "login_text": "Bitte melden Sie sich mit E-Mail und Passwort an.", "script": "Bitte aktivieren Sie JavaScript in "
        "Ihrem Browser, um diese Seite zu nutzen.", "topic": "Alle Artikel zu Verkehr", "video": "Video: Die Brücke von oben",
        "item": "Schlagzeile Nummer {} zu einem Thema des Tages", "about_lost": "Warum eine Seite nicht gefunden wird",
        "about_consent": "Streit um Cookies und Datenschutz",
    },
    "en": {
        "site": "Newtown Gazette", "title": "Bridge over the brook stays closed", "home": "Home",
        "prose": (
            "The council said on Monday that the bridge over the brook will remain closed until the autumn of this year.",
            "An inspection had found damage to the railing; it is not known how expensive the repairs are going to be.",
            "The council is to decide in October whether to build a new bridge instead of having the old one repaired.",
            "Residents have been asking for a wider path for years, one that could be used with a pram as well.",
        ),
        "lost": ("Page not found", "Error 404", "This page does not exist", "Oops! Something went wrong",
                 "This article is no longer available"),
        "lost_more": ("Whoops!", "404 - Not Found", "This content has been removed", "We can't find the page you are looking for",
                      "An error occurred", "Under maintenance", "503 Service Unavailable", "No results found"),
        "lost_text": "Sorry, the page you are looking for could not be found. Please try the search.",
        "consent": "We and our 180 partners use cookies and tracking. With your consent we process personal data for "
                   "advertising. Consent is voluntary and can be withdrawn at any time in the privacy settings of our vendors.",
        "vendor": "We and our partners store and/or access information on a device, such as unique identifiers in cookies, to process "
                  "personal data for personalised ads. You may accept or manage your preferences at any time on the page with our "
                  "privacy policy.",
        "section": "Local news", "not_lost": "Missing woman not found after two days",
        "accept": "Accept all and continue", "consent_title": "Before you continue", "login": "Sign in",
        "login_text": "Please sign in with your e-mail address and password.", "script": "Please enable JavaScript in your "
        "browser to use this site.", "topic": "All articles about traffic", "video": "Video: The bridge from above",
        "item": "Headline number {} about a subject of the day", "about_lost": "Why a page is not found",
        "about_consent": "Row about cookies and privacy",
    },
    "fr": {
        "site": "Gazette de Villeneuve", "title": "Le pont sur le ruisseau reste fermé", "home": "Accueil",
        "prose": (
            "La commune a annoncé lundi que le pont sur le ruisseau restera fermé jusqu'à l'automne de cette année.",
            "Une inspection avait révélé des dégâts sur la rambarde; le prix de la réparation n'est pas encore connu.",
            "Le conseil doit décider en octobre si un nouveau pont sera construit à la place de l'ancien qui est abîmé.",
            "Les riverains demandent depuis des années un chemin plus large, qui convienne aussi aux poussettes.",
        ),
        "lost": ("Page introuvable", "Erreur 404", "Cette page n'existe pas", "Oups ! Page non trouvée", "Article introuvable"),
        "lost_more": ("Oups !", "404 - Not Found", "Cet article a été supprimé", "Désolé, cette page n'est plus disponible",
                      "Une erreur est survenue", "Site en maintenance", "503 Service Unavailable", "Aucun résultat"),
        "lost_text": "La page que vous cherchez n'existe plus. Utilisez la recherche.",
        "consent": "Avec nos 180 partenaires, nous utilisons des cookies et des traceurs. Avec votre consentement, nous "
                   "traitons des données personnelles à des fins de publicité. Le consentement est libre; nos partenaires "
                   "respectent vos choix de cookies.",
        "vendor": "Avec votre accord, nos partenaires et nous utilisons des cookies et des technologies similaires pour stocker et "
                  "consulter des données personnelles. Vous pouvez retirer votre consentement à tout moment dans notre politique de "
                  "confidentialité et de cookies.",
        "section": "Région", "not_lost": "Disparue depuis deux jours, elle reste introuvable",
        "accept": "Tout accepter et continuer", "consent_title": "Votre consentement", "login": "Se connecter",
        "login_text": "Veuillez saisir votre adresse et votre mot de passe.", "script": "Veuillez activer JavaScript dans "
        "votre navigateur (enable JavaScript).", "topic": "Tous les articles sur la circulation",
        "video": "Vidéo: le pont vu du ciel", "item": "Titre numéro {} sur un sujet du jour",
        "about_lost": "Pourquoi une page reste introuvable", "about_consent": "Dispute sur les cookies",
    },
}  # fmt: skip
# the same things in the markup of three systems: plain, a component framework, utility classes
MARKUP = (
    {"frame": "<header><nav>{nav}</nav></header><main>{main}</main><footer>{foot}</footer>", "p": "<p>{}</p>"},
    {"frame": "<div id='__next'><div class='Header_root'>{nav}</div><div class='Page_body'>{main}</div>"
              "<div class='Footer_root'>{foot}</div></div><script>1</script><script>2</script>", "p": "<p class='Text_p'>{}</p>"},
    {"frame": "<div class='flex md:hidden'>{nav}</div><div class='mx-auto px-4'>{main}</div><div class='mt-8'>{foot}</div>",
     "p": "<div class='mb-4'><p>{}</p></div>"},
)  # fmt: skip


def pages() -> Iterator[Made]:
    """Every made page, always the same ones in the same order."""
    for (code, words), markup in product(WORDS.items(), MARKUP):
        yield from _refused(code, words, markup)
        yield from _articles(code, words, markup)


def _page(code: str, words: dict, markup: dict, title: str, main: str, head: str = "", layer: str = "") -> str:
    nav = "".join(f"<a href='/r/{n}'>{words['home']} {n}</a> " for n in range(6))
    foot = f"<a href='/impressum'>Impressum</a> <a href='/cookies'>Cookies</a> © {words['site']}"
    body = markup["frame"].format(nav=nav, main=main, foot=foot)
    title = f"{title} | {words['site']}"
    return (
        f"<!doctype html><html lang={code}><head><title>{title}</title>{head}</head><body>{layer}{body}</body></html>"
    )


def _links(words: dict, count: int, tag: str = "h3") -> str:
    items = (words["item"].format(n) for n in range(count))
    return "".join(f"<div class=card><{tag}><a href='/a/{n}'>{item}</a></{tag}></div>" for n, item in enumerate(items))


def _refused(code: str, words: dict, markup: dict) -> Iterator[Made]:
    def made(family: str, reason: Reason, title: str, main: str, head: str = "", url: str | None = None) -> Made:
        html = _page(code, words, markup, title, main, head)
        return Made(family, reason, html, url) if url else Made(family, reason, html)

    line = markup["p"].format
    for number, lost in enumerate(words["lost"]):
        more = _links(words, 8) if number % 2 else ""
        yield made("soft 404", Reason.SOFT_404, lost, f"<h1>{lost}</h1>{line(words['lost_text'])}{more}")
    teasers = _teasers(words, markup, 16)
    for number, lost in enumerate(words["lost_more"]):
        more = teasers if number % 2 else line(words["home"])
        yield made("soft 404", Reason.SOFT_404, lost, f"<h1>{lost}</h1>{more}")
    yield made("consent", Reason.CONSENT_WALL, words["site"], f"<div>{line(words['vendor'])}</div>")
    news = _news(words["title"])
    yield made("consent", Reason.CONSENT_WALL, words["title"], f"<div class=cmp>{line(words['vendor'])}</div>", news)
    consent = f"{line(words['consent'])}<button>{words['accept']}</button>{line(words['accept'])}"
    yield made("consent", Reason.CONSENT_WALL, words["consent_title"], f"<h1>{words['consent_title']}</h1>{consent}")
    yield made("consent", Reason.CONSENT_WALL, words["site"], f"<div role=dialog>{consent}{consent}</div>")
    form = f"{line(words['login_text'])}<form><input type=email><input type=password><button>OK</button></form>"
    yield made("login", Reason.LOGIN_WALL, words["login"], f"<h1>{words['login']}</h1>{form}")
    yield made(
        "login", Reason.LOGIN_WALL, words["site"], f"<h2>{words['login']}</h2><form><input type=password></form>"
    )
    scripts = "<script src=a.js></script><script src=b.js></script>"
    bare = f"<html lang={code}><head><title>{words['title']}</title></head><body>"
    yield Made("shell", Reason.JAVASCRIPT_SHELL, f"{bare}<div id=root></div>{scripts}</body></html>")
    yield Made(
        "shell",
        Reason.JAVASCRIPT_SHELL,
        f"{bare}<noscript>{words['script']}</noscript><div id=app></div></body></html>",
    )
    site = "<meta property='og:type' content='website'>"
    front = "https://zeitung.example/"
    yield made("front page", Reason.HOME_PAGE, words["site"], _links(words, 40), site, front)
    yield made(
        "front page", Reason.HOME_PAGE, words["site"], _links(words, 30, "h2") + line(words["prose"][0]), "", front
    )
    section = "https://zeitung.example/verkehr/"
    yield made(
        "topic page", Reason.HOME_PAGE, words["topic"], f"<h1>{words['topic']}</h1>{_links(words, 30)}", site, section
    )
    yield made("topic page", Reason.HOME_PAGE, words["section"], f"<h1>{words['section']}</h1>{teasers}", "", section)
    yield made("topic page", Reason.HOME_PAGE, words["topic"], f"<h1>{words['topic']}</h1>{teasers}", site, section)
    collection = '<script type="application/ld+json">{"@type": "CollectionPage", "name": "T"}</script>'
    yield made(
        "topic page", Reason.HOME_PAGE, words["topic"], f"<h1>{words['topic']}</h1>{teasers}", collection, section
    )
    video = '<script type="application/ld+json">{"@type": "VideoObject", "name": "V"}</script>'
    yield made(
        "video",
        Reason.VIDEO_STUB,
        words["video"],
        f"<h1>{words['video']}</h1><video src=a></video>{line('02:31')}",
        video,
    )


def _teasers(words: dict, markup: dict, count: int) -> str:
    return "".join(
        f"<div class=card><h3><a href='/a/{n}'>{words['item'].format(n)}</a></h3>{markup['p'].format(words['prose'][n % 4])}</div>"
        for n in range(count)
    )


def _news(title: str) -> str:
    """An article's JSON-LD."""
    news = json.dumps({"@type": "NewsArticle", "headline": title, "datePublished": "2025-12-03T09:30:00+01:00"})
    return f"<script type='application/ld+json'>{news}</script>"


def _articles(code: str, words: dict, markup: dict) -> Iterator[Made]:
    line = markup["p"].format
    prose = "".join(map(line, words["prose"] * 2))
    short = line(words["prose"][0])
    layer = f"<div class='cmp-layer' role=dialog><p>{words['consent']}</p><button>{words['accept']}</button></div>"
    news = _news(words["title"])
    form = "<form class=login><input type=email><input type=password></form>"
    noscript = f"<noscript>{words['script']}</noscript>"

    def made(family: str, text: str, title: str = words["title"], head: str = "", over: str = "") -> Made:
        main = f"<article><h1>{title}</h1>{text}</article>"
        return Made(family, None, _page(code, words, markup, title, main, head, over))

    yield made("article", prose)
    yield made("article", prose, head=news)
    yield made("article under a consent layer", prose, over=layer)
    yield made("article under a consent layer", prose, head=news, over=layer * 2)
    yield made("short article under a consent layer", short, head=news, over=layer)
    yield made("article beside a sign-in form", prose, over=form)
    yield made("article of a framework", prose + noscript)
    yield made("article among many links", prose + _links(words, 40))
    yield made("one sentence", short, head=news)
    yield made("about lost pages", prose, words["about_lost"])
    yield made("about lost pages", short + line(words["prose"][1]), words["not_lost"], _news(words["not_lost"]))
    own = "".join(line(f"{number}. {sentence}") for number, sentence in enumerate(words["prose"] * 2))
    yield made("article above teasers", own + _teasers(words, markup, 20))
    yield made("about consent", prose + line(words["consent"]), words["about_consent"])
    yield made("with a video", f"<video src=a></video>{short}{line(words['prose'][1])}", words["video"], news)


def judged(page: Made) -> Reason | None:
    """The reader's judgement of a made page."""
    try:
        read(Page(page.url, "made", page.html.encode(), FETCHED, "text/html; charset=utf-8"), _RULES)
    except Rejected as rejected:
        return rejected.reason
    return None


_RULES = shipped_rules()


def figures() -> dict[str, dict]:
    """Per family: how many pages, how many judged wrongly (article or not), how many by another reason, and as what."""
    found: dict[str, dict] = defaultdict(lambda: {"pages": 0, "wrong": 0, "other_reason": 0, "as": Counter()})
    for page in pages():
        got, row = judged(page), found[page.family]
        row["pages"] += 1
        row["wrong"] += (got is None) != (page.reason is None)
        row["other_reason"] += bool(got and page.reason and got is not page.reason)
        row["as"][str(got or "article")] += 1
    return dict(found)


def corpus_rejections(corpus: Path) -> dict[str, str]:
    """The corpus' articles that are refused, by their ids."""
    from benchmarks.reading import Ours, documents, scorer

    score, reader, refused = scorer(corpus), Ours(), {}
    docs = documents(corpus)
    for doc in docs:
        got = reader(doc, score.html(doc))
        if "rejected" in got:
            refused[doc["id"]] = got["rejected"]
    return {"pages": str(len(docs)), **refused}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.judgement", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--corpus", type=Path, help="a corpus of articles, as benchmarks.reading takes it")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(arguments)
    found = figures()
    refused = corpus_rejections(options.corpus) if options.corpus else {}
    if options.json:
        print(json.dumps({"families": found, "corpus": refused}, indent=1))
        return 0
    for family, row in found.items():
        taken = ", ".join(f"{name} {count}" for name, count in row["as"].most_common())
        print(
            f"{family:38} {row['pages']:4} pages  {row['wrong']:3} wrong  {row['other_reason']:3} other reason   {taken}"
        )
    made = list(pages())
    for what, is_article in (("taken for articles that are none", False), ("articles refused", True)):
        total = sum((page.reason is None) is is_article for page in made)
        wrong = sum((page.reason is None) is is_article and (judged(page) is None) is not is_article for page in made)
        print(f"{what}: {wrong} of {total} ({100 * wrong / total:.1f} %)")
    if refused:
        pages_read = int(refused.pop("pages"))
        print(f"of the corpus refused: {len(refused)} of {pages_read}: {refused}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
