"""What a source's own pages teach the reader, and what that costs: gain and harm, on a corpus and on a made-up year.

    python -m benchmarks.site_models [--corpus DIR] [--fewest N] [--rounds N] [--seed N] [--days N] [--json]

*Corpus*: of every publisher with several pages, each page is read with what the others teach (leave one out) and
without; body F1 by the corpus' own scorer, CPU time as the median of several rounds in turn. *Year*: a source whose
template, prompts and articles are generated: prompts that change by the quarter, a redesign in the middle, running
stories that repeat their background, shared quotes, agency sentences, corrections, formulas of police reports. What is
the article is known word for word, so that every paragraph that is rightly or wrongly kept or taken counts.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from benchmarks.reading import BESIDE, Doc, documents, scorer
from pipelines.items import Article, Page, Rejected
from pipelines.reading import read, shipped_rules
from pipelines.reading.body.containers import PLAIN
from pipelines.reading.body.repeated import RULE
from pipelines.reading.rules import Rules, SiteModel
from pipelines.site_models import fit_site_model, observed

SETS = ("publishers", "english")

# -- corpus ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Sum:
    """Figures of one publisher, or of all: a value a page."""

    pages: int = 0
    known: int = 0  # pages whose container was learned from the others
    before: list[float] = field(default_factory=list)  # body F1, by general rules
    after: list[float] = field(default_factory=list)
    ms_before: list[float] = field(default_factory=list)  # CPU of the pages whose container is known
    ms_after: list[float] = field(default_factory=list)
    taken: int = 0

    def row(self) -> dict[str, Any]:
        return {
            "pages": self.pages,
            "container known": self.known,
            "F1": _mean(self.before),
            "F1 learned": _mean(self.after),
            "better": sum(b > a + 0.001 for a, b in zip(self.before, self.after, strict=True)),
            "worse": sum(b < a - 0.001 for a, b in zip(self.before, self.after, strict=True)),
            "ms": statistics.median(self.ms_before) if self.ms_before else None,
            "ms learned": statistics.median(self.ms_after) if self.ms_after else None,
            "paragraphs taken": self.taken,
        }


def _mean(values: list[float]) -> float | None:
    return 100 * statistics.mean(values) if values else None


def leave_one_out(corpus: Path, fewest: int, rounds: int) -> dict[str, dict[str, Any]]:
    """Rows of the corpus' table, by set and for its publishers."""
    score = scorer(corpus)
    docs = documents(corpus)
    hosts: dict[tuple[str, str], list[Doc]] = defaultdict(list)
    for doc in docs:
        if doc["set"] in SETS and doc.get("text") and (host := urlsplit(doc["url"] or "").hostname):
            hosts[doc["set"], host].append(doc)
    rows: dict[str, Sum] = {f"all {name}": Sum() for name in SETS}
    for (name, host), of_host in hosts.items():
        if len(of_host) >= fewest:
            done = rows.setdefault(host, Sum())
            _host(of_host, score, rounds, (done, rows[f"all {name}"]))
    return {name: done.row() for name, done in rows.items() if done.pages}


def _host(docs: list[Doc], score: Any, rounds: int, into: tuple[Sum, ...]) -> None:
    rules = shipped_rules()
    first = replace(rules, site_model=SiteModel(learning=True))
    pages = {doc["id"]: _page(doc, score.html(doc)) for doc in docs}
    plain = {name: _article(page, first) for name, page in pages.items()}
    for doc in docs:
        others = [article for name, article in plain.items() if name != doc["id"] and article]
        site_model = fit_site_model([observed(article) for article in others])
        learned = replace(
            rules, site_model=SiteModel(1, site_model.containers, frozenset(p.key for p in site_model.repeated), True)
        )
        page, before = pages[doc["id"]], plain[doc["id"]]
        after = _article(page, learned)
        names = {name.removesuffix(PLAIN) for name in site_model.containers}
        is_known = bool(after and (after.container or "").removesuffix(PLAIN) in names)
        times = _times(page, (rules, learned), rounds) if is_known else []
        for done in into:
            done.pages += 1
            done.known += is_known
            done.before.append(_f1(score, doc, before))
            done.after.append(_f1(score, doc, after))
            done.taken += sum(piece.rule == RULE for piece in after.removed) if after else 0
            if times:
                done.ms_before.append(times[0])
                done.ms_after.append(times[1])


def _page(doc: Doc, body: bytes | str) -> Page:
    known = isinstance(body, str)
    at = datetime.fromisoformat(doc["fetched_at"]) if doc.get("fetched_at") else datetime(2026, 1, 1)
    return Page(
        url=doc["url"],
        source="corpus",
        body=body.encode() if isinstance(body, str) else body,
        content_type="text/html; charset=utf-8" if known else "text/html",
        fetched_at=at if at.tzinfo else at.replace(tzinfo=UTC),
    )


def _article(page: Page, rules: Rules) -> Article | None:
    try:
        return read(page, rules)
    except Rejected:
        return None


def _f1(score: Any, doc: Doc, article: Article | None) -> float:
    if article is None:
        return 0.0
    lead = article.teaser if article.teaser_is_visible else None
    text = "\n".join(filter(None, (lead, article.text)))
    return float(score.judge(doc, {"id": doc["id"], "title": article.title, "text": text})["F1"])


def _times(page: Page, sorts: tuple[Rules, ...], rounds: int) -> list[float]:
    """CPU milliseconds of each of *sorts*, medians of *rounds* in turn."""
    spent: list[list[float]] = [[] for _ in sorts]
    for _ in range(rounds):
        for rules, into in zip(sorts, spent, strict=True):
            start = time.process_time()
            read(page, rules)
            into.append((time.process_time() - start) * 1000)
    return [statistics.median(each) for each in spent]


# -- a made-up year ----------------------------------------------------------------------------------------------------

NOUNS = [
    "Brücke",
    "Haushalt",
    "Schule",
    "Radweg",
    "Bahnhof",
    "Klinik",
    "Stadion",
    "Theater",
    "Deponie",
    "Kanal",
    "Flugplatz",
    "Museum",
    "Rathaus",
    "Hafen",
    "Turm",
    "Markt",
    "Wald",
    "Damm",
    "Tunnel",
    "Park",
    "Kita",
    "Friedhof",
    "Bibliothek",
    "Kirche",
    "Fabrik",
    "Mühle",
    "Schleuse",
    "Straße",
    "Siedlung",
    "Halle",
    "Kaserne",
    "Zoo",
    "Messe",
    "Brunnen",
    "Sternwarte",
    "Kraftwerk",
    "Weinberg",
    "Schloss",
    "Universität",
    "Gericht",
]
PEOPLE = [
    "Brandt",
    "Özdemir",
    "Lund",
    "Kern",
    "Wieland",
    "Pohl",
    "Sander",
    "Nowak",
    "Haas",
    "Engel",
    "Reuter",
    "Thiel",
    "Voss",
    "Lorenz",
    "Seidel",
    "Franke",
]
VERBS = [
    "prüft",
    "verschiebt",
    "genehmigt",
    "bezahlt",
    "erneuert",
    "schließt",
    "eröffnet",
    "verkauft",
    "plant",
    "sperrt",
    "saniert",
    "erweitert",
]
WHY = [
    "weil die Kosten gestiegen sind",
    "nachdem Anwohner geklagt hatten",
    "obwohl das Land abgeraten hatte",
    "damit der Verkehr wieder fließt",
    "wie der Ausschuss empfohlen hatte",
    "trotz aller Bedenken der Kämmerei",
    "um Platz für Wohnungen zu schaffen",
]
SIGNED = ["Ressort Wirtschaft", "Ressort Kultur", "Ressort Sport", "Lokalredaktion"]
PROMPTS = (
    ("Melden Sie sich jetzt für unser Morgenbriefing an und erhalten Sie die Übersicht täglich ins Postfach.",
     "In unserer neuen Hörserie sprechen Reporterinnen jede Woche mit Gästen über Fälle, die niemanden loslassen."),
    ("Noch keine Meldung verpassen: Holen Sie sich die kostenlose Anwendung für Android und iPhone.",
     "Lernen Sie uns vier Wochen lang für einen Euro kennen und lesen Sie sämtliche Inhalte ohne Begrenzung."),
    ("Folgen Sie uns auf WhatsApp: So gelangen ausgewählte Beiträge direkt auf Ihr Smartphone.",
     "Hören Sie dazu auch die aktuelle Folge unseres Gesprächsformats bei Spotify und Deezer."),
    ("Diskutieren Sie mit: Kommentieren können registrierte Mitglieder unserer Gemeinschaft nach Anmeldung.",
     "Wöchentlich verschickt die Chefredakteurin ihre Lieblingsstücke, abonnieren kann man das gratis."),
)  # fmt: skip
KEEP = (
    "Verletzt wurde nach Angaben der Polizei niemand.",
    "Die Ermittlungen dauern an.",
    "Das teilte die Deutsche Presse-Agentur am Abend unter Berufung auf Behördenkreise mit.",
    "In einer früheren Version dieses Textes stand ein falscher Betrag; das wurde korrigiert.",
)
TEMPLATES = (
    '<html lang="de"><head><title>{title}</title></head><body><div class="top"><a href="/">Start</a></div>'
    '<main class="page"><h1>{title}</h1><div class="story-text">{body}</div></main></body></html>',
    '<html lang="de"><head><title>{title}</title></head><body><section class="frame"><h1>{title}</h1><div class="copy">'
    '<div class="prose-block">{body}</div></div></section></body></html>',
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """A generated page with what of it is the article (``own``) and what is not (``foreign``)."""

    day: date
    page: Page
    own: frozenset[str]
    foreign: frozenset[str]


def year(seed: int, days: int, a_day: int = 4) -> list[Made]:
    """A source's year, day by day; the same for the same *seed*."""
    chance = random.Random(seed)
    authors = [
        f"{PEOPLE[n]} ist seit vielen Jahren Redakteurin und leitet das {part}." for n, part in enumerate(SIGNED)
    ]
    stories: list[tuple[str, str]] = []
    made = []
    for number in range(days * a_day):
        day = number // a_day
        if number % (12 * a_day) == 0:  # a story that runs for twelve days, with its background in every article
            noun, other = chance.sample(NOUNS, 2)
            background = (
                f"Der Streit um {noun} und {other} begann im vorigen Herbst, als {chance.choice(PEOPLE)} im Alleingang "
                f"Verträge unterzeichnete, die der {other}ausschuss nie gebilligt hatte."
            )
            stories = [(noun, background)]
        running = chance.random() < 0.25
        subject = stories[0][0] if running else chance.choice(NOUNS)
        title = f"{subject}: {chance.choice(PEOPLE)} {chance.choice(VERBS)} Vorhaben {_letters(number)}"
        own = [_sentences(chance, subject, number) for _ in range(chance.randint(4, 7))]
        if running:
            own.insert(2, stories[0][1])
        if chance.random() < 0.08:
            speaker = PEOPLE[number // 160 % len(PEOPLE)]
            own.insert(1, f"„Wir haben das so nie gewollt und werden es ändern“, sagte {speaker} dazu.")
        own += [line for line in KEEP if chance.random() < 0.06]
        foreign = [line for line in PROMPTS[day * 4 // days] if chance.random() < 0.5]
        foreign += [chance.choice(authors)] if chance.random() < 0.3 else []
        lines = [*own, *foreign]
        if foreign and chance.random() < 0.5:  # prompts stand in the middle too
            lines.remove(foreign[0])
            lines.insert(2, foreign[0])
        body = "".join(f"<p>{line}</p>" for line in lines)
        at = datetime(2025, 1, 1, 9, tzinfo=UTC) + timedelta(days=day, hours=number % a_day)
        html = TEMPLATES[day * 2 // days].format(title=title, body=body)
        page = Page(f"https://jahr.example/artikel-{number}.html", "jahr", html.encode(), at)
        made.append(Made(at.date(), page, frozenset(own), frozenset(foreign)))
    return made


def _letters(number: int) -> str:
    """A number as three letters: digits in a headline mean things to a reader ('404')."""
    return "".join(chr(65 + number // 26**place % 26) for place in range(3))


def _sentences(chance: random.Random, subject: str, number: int) -> str:
    """A paragraph of two sentences that speak of the *subject*."""
    one = f"{chance.choice(PEOPLE)} {chance.choice(VERBS)} die Arbeiten an {subject} und {chance.choice(NOUNS)} im Jahr"
    two = f"Es geht um {chance.randint(2, 900)} Stellen bei {chance.choice(NOUNS)} und {chance.choice(NOUNS)}"
    return f"{one} {2000 + number % 40}, {chance.choice(WHY)}. {two}, {chance.choice(WHY)}."


def through_the_year(made: list[Made], learn: bool, every: int = 20) -> dict[str, Any]:
    """Read a year day by day, with a new site model after each *every* articles, and count what was taken for what."""
    plain = replace(shipped_rules(), site_model=SiteModel(learning=learn))
    rules, read_so_far, counts = plain, [], defaultdict(int)
    site_models, spent, strange = [], 0.0, 0
    for number, each in enumerate(made):
        start = time.process_time()
        article = read(each.page, rules)
        spent += time.process_time() - start
        lines = set(article.text.split("\n\n")) | ({article.teaser} if article.teaser_is_visible else set())
        counts["foreign"] += len(each.foreign)
        counts["foreign kept"] += len(each.foreign & lines)
        counts["own"] += len(each.own)
        counts["own lost"] += len(each.own - lines)
        counts["own taken as repeated"] += sum(
            piece.rule == RULE and piece.text in each.own for piece in article.removed
        )
        names = [name.removesuffix(PLAIN) for name in rules.site_model.containers]
        counts["known container"] += (article.container or "").removesuffix(PLAIN) in names
        strange += bool(names) and (article.container or "").removesuffix(PLAIN) not in names
        read_so_far.insert(0, observed(article))
        if learn and number % every == every - 1:
            site_model = fit_site_model(read_so_far)
            keys = frozenset(paragraph.key for paragraph in site_model.repeated)
            if (site_model.containers, keys) != (rules.site_model.containers, rules.site_model.repeated):
                site_models.append(site_model)
                rules = replace(
                    plain, site_model=SiteModel(len(site_models), site_model.containers, keys, learning=True)
                )
    kept = counts["own"] - counts["own lost"]
    precision, recall = kept / (kept + counts["foreign kept"]), kept / counts["own"]
    return {
        "articles": len(made),
        "paragraph F1": 200 * precision * recall / (precision + recall),
        **counts,
        "strange container": strange,
        "lessons": len(site_models),
        "ms": 1000 * spent / len(made),
    }


# -- what is shown -----------------------------------------------------------------------------------------------------


def table(title: str, rows: dict[str, dict[str, Any]]) -> Table:
    shown = Table(title=title)
    shown.add_column("")
    names = list(next(iter(rows.values()), {}))
    for name in names:
        shown.add_column(name, justify="right")
    for label, row in rows.items():
        cells = [row.get(name) for name in names]
        shown.add_row(label, *("-" if c is None else f"{c:.2f}" if isinstance(c, float) else f"{c:,}" for c in cells))
    return shown


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.site_models", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--corpus", type=Path, default=BESIDE, help="folder in the format of benchmarks.reading")
    parser.add_argument("--fewest", type=int, default=4, metavar="N", help="publishers with at least N pages (4)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="times that a page is read for its CPU time")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the made-up year")
    parser.add_argument("--days", type=int, default=365, metavar="N", help="length of the made-up year")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(arguments)
    corpus: dict[str, dict[str, Any]] = {}
    if (options.corpus / "docs.jsonl").is_file():
        corpus = leave_one_out(options.corpus, options.fewest, options.rounds)
    else:
        Console(stderr=True).print("there is no corpus here, only the year is read; give --corpus DIR")
    made = year(options.seed, options.days)
    of_year = {name: through_the_year(made, learn) for name, learn in (("general", False), ("learning", True))}
    if options.json:
        print(json.dumps({"corpus": corpus, "year": of_year}, indent=1))
        return 0
    console = Console(width=200)
    if corpus:
        console.print(table("corpus, leave one out: body F1; median CPU ms where the container is known", corpus))
    console.print(table("a made-up year: paragraphs; CPU ms a page", of_year))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
