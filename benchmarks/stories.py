"""Groups labelled articles into stories, with our method and with a plain single pass of TF-IDF; prints both.

    python -m benchmarks.stories [--labels DIR] [--events N] [--seeds N] [--corpus DIR] [--no-made] [--json]

Sets that people have grouped (``benchmarks/story_sets.py``) are read from a folder beside the checkout. Of these the table
says what each half of the events gives, to choose on one and check on the other, and why articles were split or put
together wrongly. None may lie here, and none is German, so there are two kinds of worlds beside them, each hard in its
own way:

- *made*: events of five kinds (fire, trial, strike, council, visit) with their own people, places and numbers, each told by
  one to six sources in other sentences, over two weeks. Events share towns, people, kinds and stock sentences.
- *split*: real articles of a corpus beside the checkout, dealt out sentence by sentence to one to four tellers, so that what
  tells one event has not a sentence in common, and not even the facts. Without a corpus they are left out.

Every method sees the articles one after another, as they are published. The baseline gets the threshold that is best on
the other sets, or on other worlds of the same kinds, and on labelled sets also the one that is best on the set itself;
ours is measured as it is shipped, and beside it with other thresholds: a method that is good at one value only is good on
one archive only. Figures of made worlds compare methods, and say little about real news.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.articles import real_texts
from benchmarks.reading import BESIDE
from benchmarks.story_sets import Grouping, Labelled, causes, halves, labelled_sets, vectors_of
from pipelines import stories

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


# --- the articles -----------------------------------------------------------------------------------------------------

TOWNS = "Köln Erfurt Graz Linz Basel Kassel Halle Bremen Passau Trier Fulda Rostock".split()  # noqa: SIM905
FIRST = "Anna Jonas Petra Mehmet Lena Karl Sofia Emil Ruth Tarik Ida Bernd".split()  # noqa: SIM905
LAST = "Brandner Yildiz Kofler Hagedorn Petersen Aschauer Nowak Rieger Lindt Moosbach Quandt Zabel".split()  # noqa: SIM905
OFFICES = ("Innenminister", "Oberbürgermeisterin", "Regierungssprecher", "Landrätin", "Polizeipräsident", "Ministerin")

# ruff: noqa: E501
# Kind -> ways to begin a title, ways to tell each of its facts. {t} town, {p} person, {o} office, {n} {m} numbers,
# {x} a word that only this event has.
KINDS: dict[str, tuple[Sequence[str], Sequence[Sequence[str]]]] = {
    "fire": (
        ("Großbrand in {t}: {n} Verletzte", "Feuer zerstört {x} in {t}", "{t}: Flammen im {x}"),
        (
            ("In {t} ist am Abend das {x} abgebrannt.", "Ein Feuer hat in {t} das {x} vernichtet.",
             "Das {x} von {t} steht nicht mehr: Flammen griffen auf das Dach über."),
            ("{n} Menschen wurden verletzt.", "Die Rettungskräfte zählten {n} Verletzte.",
             "{n} Bewohner kamen in Krankenhäuser."),
            ("Den Schaden schätzt {o} {p} auf {m} Millionen Euro.", "{o} {p} spricht von {m} Millionen Euro Schaden.",
             "Rund {m} Millionen Euro wird der Wiederaufbau kosten, sagt {p}."),
            ("Warum es brannte, ist unklar.", "Die Ursache wird untersucht.", "Brandermittler suchen nach der Ursache."),
        ),
    ),
    "trial": (
        ("Prozess um {x} in {t} beginnt", "{p} vor Gericht: Anklage wegen {x}", "{x}-Verfahren: {p} schweigt"),
        (
            ("Vor dem Landgericht {t} muss sich {p} verantworten.", "{p} steht seit heute in {t} vor Gericht.",
             "Das Landgericht {t} verhandelt gegen {p}."),
            ("Es geht um {x} und {m} Millionen Euro.", "Die Anklage wirft dem Beschuldigten {x} in Höhe von {m} Millionen vor.",
             "{m} Millionen Euro sollen bei {x} verschwunden sein."),
            ("{n} Zeugen sind geladen.", "Das Gericht will {n} Zeugen hören.", "Mit {n} Zeugen rechnet die Kammer."),
            ("Ein Urteil wird im Sommer erwartet.", "Wann ein Urteil fällt, ist offen.", "Die Verteidigung verlangt Freispruch."),
        ),
    ),
    "strike": (
        ("Streik bei {x}: {t} steht still", "{n} Busse bleiben in {t} stehen", "Warnstreik legt {x} lahm"),
        (
            ("Beschäftigte von {x} haben in {t} die Arbeit niedergelegt.", "Bei {x} in {t} wird gestreikt.",
             "Ein Ausstand bei {x} trifft {t}."),
            ("{n} Linien fallen aus.", "Betroffen sind {n} Verbindungen.", "{n} Linien fahren nicht."),
            ("Verlangt werden {m} Prozent mehr Lohn.", "{m} Prozent mehr fordert die Gewerkschaft.",
             "Die Beschäftigten wollen {m} Prozent mehr Geld."),
            ("{o} {p} ruft beide Seiten zu Gesprächen auf.", "{p} will vermitteln.", "{o} {p} bietet eine Schlichtung an."),
        ),
    ),
    "council": (
        ("Rat von {t} stimmt für {x}", "{t} beschließt {x}", "Mehrheit für {x}: {p} zufrieden"),
        (
            ("Der Rat von {t} hat das Vorhaben {x} gebilligt.", "{x} kommt: In {t} stimmte eine Mehrheit dafür.",
             "Nach langem Streit ist {x} in {t} beschlossen."),
            ("{n} Abgeordnete waren dafür.", "Mit {n} Stimmen fiel die Entscheidung.", "{n} Stimmen erhielt der Antrag."),
            ("Der Bau kostet {m} Millionen Euro.", "{m} Millionen Euro sind vorgesehen.", "Aus dem Haushalt fließen {m} Millionen."),
            ("{o} {p} nannte es einen guten Tag.", "{p} sprach von einem Erfolg.", "Lob kam von {o} {p}."),
        ),
    ),
    "visit": (
        ("{p} reist nach {t}", "{o} {p} besucht {x}", "{t}: {p} verspricht Hilfe für {x}"),
        (
            ("{o} {p} ist in {t} eingetroffen.", "In {t} hat {p} Gespräche geführt.", "{p} war am Mittag zu Gast in {t}."),
            ("Anlass ist {x}.", "Auf dem Programm stand {x}.", "Im Mittelpunkt steht {x}."),
            ("Zugesagt wurden {m} Millionen Euro.", "{p} stellt {m} Millionen Euro in Aussicht.", "{m} Millionen Euro will der Bund geben."),
            ("{n} Bürger demonstrierten.", "Vor dem Saal protestierten {n} Menschen.", "Begleitet wurde der Besuch von {n} Demonstranten."),
        ),
    ),
}  # fmt: skip
FILLER = (
    "Weitere Einzelheiten waren zunächst nicht bekannt.", "Das teilten die Behörden am Abend mit.",
    "Anwohner zeigten sich überrascht.", "Die Opposition übte Kritik an dem Vorgehen.", "Eine Stellungnahme steht noch aus.",
    "Zuvor hatten mehrere Medien darüber berichtet.", "In der Region ist das seit Wochen ein Thema.",
    "Experten warnen vor voreiligen Schlüssen.", "Die Stadt will in den nächsten Tagen informieren.",
    "Ein Sprecher wollte sich dazu nicht äußern.", "Im vergangenen Jahr gab es einen ähnlichen Fall.",
    "Der Verkehr wurde umgeleitet.", "Am Wochenende soll es weitergehen.", "Fachleute halten die Zahlen für glaubhaft.",
)  # fmt: skip
SYLLABLES = "bar den fal gor han kel lim mor nes pol rad sten tal ur vik wen zol".split()  # noqa: SIM905


def labelled(events: int, seed: int) -> list[Labelled]:
    """Articles in the order of their publication."""
    chance = random.Random(seed)
    people = [f"{first} {last}" for first in FIRST for last in LAST]
    famous = chance.sample(people, 6)
    made = []
    for event in range(events):
        kind = chance.choice(list(KINDS))
        facts = {
            "t": chance.choice(TOWNS),
            "p": chance.choice(famous if chance.random() < 0.6 else people),
            "o": chance.choice(OFFICES),
            "n": chance.randint(3, 90),
            "m": chance.randint(2, 99),
            "x": "".join(chance.choices(SYLLABLES, k=3)).capitalize() + chance.choice(("haus", "werk", "park", "bahn")),
        }
        begin = BEGIN + timedelta(hours=chance.uniform(0, 24 * 14))
        for _ in range(chance.choice((1, 1, 2, 3, 4, 6))):
            at = begin + timedelta(hours=chance.expovariate(1 / 8))
            title, text = told(kind, facts, chance)
            made.append((at, event, title, text))
    made.sort()
    return [Labelled(number, event, at, title, text) for number, (at, event, title, text) in enumerate(made)]


def told(kind: str, facts: dict[str, object], chance: random.Random) -> tuple[str, str]:
    """One source's way to tell it: not every fact, in its own order, with its own words and filler."""
    titles, sentences = KINDS[kind]
    chosen = [chance.choice(ways) for ways in sentences[:1]]
    chosen += [chance.choice(ways) for ways in sentences[1:] if chance.random() < 0.75]
    chosen += chance.sample(FILLER, chance.randint(2, 6))
    rest = chosen[1:]
    chance.shuffle(rest)
    return chance.choice(titles).format(**facts), " ".join([chosen[0], *rest]).format(**facts)


def spoken(text: str) -> str:
    """de or en, by the commonest words."""
    words = Counter(text.lower().split())
    return "de" if words["der"] + words["die"] + words["und"] > words["the"] + words["and"] + words["of"] else "en"


def split(texts: Sequence[str], seed: int) -> list[Labelled]:
    """Each text dealt out to one to four tellers, sentence by sentence; in the order of their publication."""
    chance = random.Random(seed)
    made = []
    for event, text in enumerate(texts):
        sentences = [one for one in re.split(r"(?<=[.!?])\s+", text) if len(one.split()) > 4]
        tellers = min(chance.choice((1, 1, 2, 3, 4)), len(sentences) // 4)
        begin = BEGIN + timedelta(hours=chance.uniform(0, 24 * 7))
        for teller in range(tellers):
            own = sentences[teller::tellers]
            at = begin + timedelta(hours=chance.expovariate(1 / 8))
            made.append((at, event, " ".join(own[0].split()[:9]), " ".join(own)))
    made.sort()
    return [Labelled(number, event, at, title, text) for number, (at, event, title, text) in enumerate(made)]


# --- the methods ------------------------------------------------------------------------------------------------------


def ours(articles: Sequence[Labelled], join: float) -> Grouping:
    """As ``pipelines.store.stories`` does it, in one portion."""
    newcomers = [
        stories.Newcomer(vector, stories.least_similarity(place, join))
        for place, vector in enumerate(vectors_of(articles))
    ]
    found = stories.assigned(newcomers)
    return {article.number: story for article, (story, _) in zip(articles, found, strict=True)}


def baseline(articles: Sequence[Labelled], join: float) -> Grouping:
    """Single pass: the cosine of plain TF-IDF bags to the mean of each story of the last days."""
    seen: Counter[str] = Counter()
    centres: dict[int, tuple[Counter[str], datetime]] = {}
    grouped: Grouping = {}
    for count, article in enumerate(articles):
        words = Counter("".join(c if c.isalnum() else " " for c in f"{article.title} {article.text}".lower()).split())
        seen.update(words.keys())
        bag = {word: n * math.log((count + 2) / seen[word]) for word, n in words.items()}
        scores = {
            story: cosine(bag, centre)
            for story, (centre, last) in centres.items()
            if article.at - last <= stories.WINDOW
        }
        best = max(scores, key=lambda story: (scores[story], -story), default=None)
        story = best if best is not None and scores[best] >= join else article.number
        grouped[article.number] = story
        centre = centres.get(story, (Counter(), article.at))[0]
        centre.update(bag)
        centres[story] = (centre, article.at)
    return grouped


def cosine(one: dict[str, float], other: dict[str, float]) -> float:
    both = sum(weight * other.get(word, 0.0) for word, weight in one.items())
    lengths = math.sqrt(sum(w * w for w in one.values()) * sum(w * w for w in other.values()))
    return both / lengths if lengths else 0.0


# --- the measures -----------------------------------------------------------------------------------------------------


def f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def members(of: dict[int, int]) -> Iterator[set[int]]:
    sets: dict[int, set[int]] = defaultdict(set)
    for article, group in of.items():
        sets[group].add(article)
    yield from sets.values()


def b_cubed(truth: Grouping, found: Grouping) -> tuple[float, float]:
    """Precision and recall, each article's counted once."""
    each = b_cubed_each(truth, found).values()
    return sum(p for p, _ in each) / len(each), sum(r for _, r in each) / len(each)


def b_cubed_each(truth: Grouping, found: Grouping) -> dict[int, tuple[float, float]]:
    """Article -> precision and recall of its group."""
    of_truth = {article: group for group in members(truth) for article in group}
    of_found = {article: group for group in members(found) for article in group}
    both = {a: len(of_truth[a] & of_found[a]) for a in truth}
    return {a: (n / len(of_found[a]), n / len(of_truth[a])) for a, n in both.items()}


def pairwise(truth: Grouping, found: Grouping) -> tuple[float, float]:
    """Precision and recall of the pairs that are put together."""

    def pairs(of: Grouping) -> set[tuple[int, int]]:
        return {(a, b) for group in members(of) for a in group for b in group if a < b}

    right, put = pairs(truth), pairs(found)
    return (len(right & put) / len(put) if put else 1.0), (len(right & put) / len(right) if right else 1.0)


OURS, TFIDF = "ours", "TF-IDF, single pass"
METHODS: dict[str, Callable[[Sequence[Labelled], float], Grouping]] = {
    TFIDF: baseline,
    OURS: ours,
}
STEPS = (0.08, 0.1, 0.12, 0.15, 0.18, 0.2, 0.22, 0.24, 0.26, 0.3, 0.35, 0.4, 0.45)
NEARBY = (0.5, 0.75, 1.0, 1.25, 1.5)  # parts of the bound that is shipped
Row = dict[str, Any]


def b_cubed_f1(articles: Sequence[Labelled], found: Grouping) -> float:
    return f1(*b_cubed({article.number: article.event for article in articles}, found))


Scores = dict[float, float]


def scores_by_join(articles: Sequence[Labelled]) -> Scores:
    """The baseline's B³ F1 with each threshold."""
    return {join: b_cubed_f1(articles, baseline(articles, join)) for join in STEPS}


def best_join(worlds: Sequence[Scores]) -> float:
    """The threshold with the best mean over *worlds*."""
    return max(STEPS, key=lambda join: sum(scores[join] for scores in worlds))


def measured(world: str, articles: Sequence[Labelled], method: str, join: float) -> Row:
    truth = {article.number: article.event for article in articles}
    began = time.process_time()
    found = METHODS[method](articles, join)
    took = (time.process_time() - began) / len(articles)
    cubed, pairs = b_cubed(truth, found), pairwise(truth, found)
    return {
        "world": world, "method": method, "join": join, "articles": len(articles), "stories": len(set(found.values())),
        "events": len(set(truth.values())), "b3_precision": cubed[0], "b3_recall": cubed[1], "b3_f1": f1(*cubed),
        "pair_precision": pairs[0], "pair_recall": pairs[1], "pair_f1": f1(*pairs), "ms": took * 1000,
        "halves": [f1(*half) for half in halves(articles, b_cubed_each(truth, found))],
    } | ({"causes": causes(articles, found)} if method == OURS else {})  # fmt: skip


def compared(worlds: dict[str, list[Labelled]], others: Sequence[list[Labelled]]) -> list[Row]:
    """A row per made world and method: the baseline with the threshold that is best on *others*, ours as it is shipped."""
    joins = {TFIDF: best_join([scores_by_join(one) for one in others]), OURS: stories.JOIN} if worlds else {}
    return [measured(world, articles, name, join) for world, articles in worlds.items() for name, join in joins.items()]


def compared_on_labels(sets: dict[str, list[Labelled]]) -> list[Row]:
    """A row per set and method: the baseline with the threshold that is best on the other sets (those of another name up
    to the underscore), and with the one that is best on this one."""
    by_join = {name: scores_by_join(articles) for name, articles in sets.items()}
    rows = []
    for name, articles in sets.items():
        family = name.partition("_")[0]
        others = [scores for other, scores in by_join.items() if other.partition("_")[0] != family]
        if others:
            rows.append(measured(name, articles, TFIDF, best_join(others)))
        own = measured(name, articles, TFIDF, best_join([by_join[name]]))
        rows += [own | {"method": "TF-IDF, best on this set"}, measured(name, articles, OURS, stories.JOIN)]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--labels", type=Path, default=BESIDE.parent / "labels", help="folder of sets that people grouped"
    )
    parser.add_argument("--events", type=int, default=120, help="events of a made world")
    parser.add_argument("--seeds", type=int, default=2, help="worlds of each kind")
    parser.add_argument("--corpus", type=Path, default=BESIDE)
    parser.add_argument("--no-made", action="store_true", help="only the sets that people grouped")
    parser.add_argument("--json", action="store_true", help="one object a line")
    given = parser.parse_args()
    try:
        sets = labelled_sets(given.labels)
    except (OSError, ValueError) as error:
        parser.error(f"--labels: {error}")
    worlds, others = ({}, []) if given.no_made else made_worlds(given.corpus, given.events, given.seeds)
    rows = compared_on_labels(sets) + compared(worlds, others)
    nearby = {
        part: min(b_cubed_f1(articles, ours(articles, part * stories.JOIN)) for articles in (sets | worlds).values())
        for part in (NEARBY if rows else ())
    }
    if given.json:
        for row in rows:
            print(json.dumps(row))
        print(json.dumps({"worst_b3_f1_with_part_of_join": nearby}))
        return
    show(rows, nearby)


def made_worlds(corpus: Path, events: int, seeds: int) -> tuple[dict[str, list[Labelled]], list[list[Labelled]]]:
    """The worlds to measure, and others of the same kinds to find a threshold on."""
    worlds: dict[str, list[Labelled]] = {}
    others = []
    for seed in range(1, seeds + 1):
        worlds[f"made {seed}"] = labelled(events, seed)
        others.append(labelled(events, seed + 100))
        for language in ("de", "en"):
            texts = [text for text in real_texts(corpus) if spoken(text) == language][:events]
            if len(texts) >= 20:
                worlds[f"split {language} {seed}"] = split(texts, seed)
                others.append(split(texts, seed + 100))
    return worlds, others


def show(rows: Sequence[Row], nearby: dict[float, float]) -> None:
    table = Table(title="Articles about events, grouped one after another", box=None)
    names = ("world", "articles", "events", "method", "join", "stories", "B³ P", "B³ R", "B³ F1", "pair P", "pair R",
             "pair F1", "half a", "half b", "ms")  # fmt: skip
    for name in names:
        table.add_column(name, justify="left" if name in ("world", "method") else "right")
    for row in rows:
        figures = (row[f"{kind}_{what}"] for kind in ("b3", "pair") for what in ("precision", "recall", "f1"))
        table.add_row(
            str(row["world"]), str(row["articles"]), str(row["events"]), str(row["method"]), f"{row['join']:.2f}",
            str(row["stories"]), *(f"{one:.3f}" for one in (*figures, *row["halves"])), f"{row['ms']:.1f}",
        )  # fmt: skip
    console = Console(width=150)
    console.print(table)
    for method in dict.fromkeys(row["method"] for row in rows):
        found = [row["b3_f1"] for row in rows if row["method"] == method]
        console.print(f"{method}: B³ F1 {min(found):.3f} in the worst world, {sum(found) / len(found):.3f} on average")
    for row in rows:
        for what, counted in row.get("causes", {}).items():
            told = ", ".join(f"{number} {cause}" for cause, number in counted.most_common())
            console.print(f"{row['world']}: {counted.total()} {what}{': ' if told else ''}{told}")
    parts = ", ".join(f"{worst:.3f} at {part:g}" for part, worst in nearby.items())
    console.print(f"ours in the worst world, with another part of the bound that is shipped: {parts}")


if __name__ == "__main__":
    main()
