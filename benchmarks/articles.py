"""Texts to measure with: real ones where a corpus is at hand, generated German ones where more are needed."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.reading import BESIDE
from pipelines.items import Article, Page, Precision, Provenance

LEAST_WORDS = 80  # of a real text: below that it is a stub


def real_texts(folder: Path = BESIDE) -> list[str]:
    """The German article texts of a corpus: ``docs.jsonl`` with a text a line. Empty where there is no corpus."""
    file = folder / "docs.jsonl"
    if not file.exists():
        return []
    texts = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        doc = json.loads(line)
        text = (doc.get("text") or "").strip()
        if len(text.split()) >= LEAST_WORDS:
            texts[text] = None
    return [text.replace("\n", "\n\n") for text in texts]


STARTS = ("b", "d", "f", "g", "k", "l", "m", "n", "r", "s", "t", "w", "sch", "st", "pr")
ENDS = ("a", "e", "i", "o", "u", "ei", "au", "er", "en", "el")
FREQUENT = [
    "der", "die", "das", "und", "in", "den", "von", "zu", "mit", "sich", "des", "auf", "für", "ist", "im", "dem",
    "nicht", "ein", "eine", "als", "auch", "es", "an", "werden", "aus", "er", "hat", "dass", "sie", "nach", "wird",
    "bei", "einer", "um", "am", "sind", "noch", "wie", "einem", "über",
]  # fmt: skip


class Generator:
    """German-looking articles, each of its own words: as many as wanted, the same for the same seed.

    Word frequencies follow Zipf's law and sentences repeat stock phrases, as news does.
    """

    def __init__(self, seed: int, vocabulary: int = 60_000):
        self.dice = random.Random(seed)
        syllables = [start + end for start in STARTS for end in ENDS]
        make = random.Random(7)  # the vocabulary is the same for all seeds
        self.words = ["".join(make.choice(syllables) for _ in range(make.randint(1, 4))) for _ in range(vocabulary)]
        self.words[: len(FREQUENT)] = FREQUENT
        weights = [1 / (rank + 3) for rank in range(vocabulary)]
        self.cumulative = [0.0] * vocabulary
        total = 0.0
        for rank, weight in enumerate(weights):
            total += weight
            self.cumulative[rank] = total
        self.stock = [
            "wie die Deutsche Presse-Agentur berichtet", "sagte ein Sprecher der Polizei am Montag",
            "teilte das Ministerium am Dienstag mit", "nach Angaben der Staatsanwaltschaft",
        ]  # fmt: skip

    def sentence(self) -> str:
        words = self.dice.choices(self.words, cum_weights=self.cumulative, k=self.dice.randint(7, 22))
        if self.dice.random() < 0.15:
            words.append(self.dice.choice(self.stock))
        return " ".join(words).capitalize() + "."

    def text(self, words: int = 420) -> str:
        paragraphs, total = [], 0
        while total < words:
            paragraph = " ".join(self.sentence() for _ in range(self.dice.randint(2, 5)))
            paragraphs.append(paragraph)
            total += len(paragraph.split())
        return "\n\n".join(paragraphs)


def page_and_article(number: int, text: str, title: str, source: str = "bench") -> tuple[Page, Article]:
    """A complete page and article: what storing costs depends on all columns."""
    at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=number % 1_000_000)
    url = f"https://{source}.example/politik/artikel-{number}.html"
    page = Page(url=url, source=source, body=f"{number} {title}".encode(), fetched_at=at)
    article = Article(
        url=url, canonical_url=url, source=source, title=title, text=text, text_markdown=text, fetched_at=at,
        teaser=text[:160], section="Politik", sections=("Politik", "Inland"), authors=("Ada Kern",),
        keywords=("Haushalt", "Rat", "Stadt"), published_at=at - timedelta(minutes=9),
        published_precision=Precision.MINUTE, published_provenance=Provenance.JSONLD, language="de", reader_version="1",
    )  # fmt: skip
    return page, article


def pages(number: int, first: int, seed: int, sources: int = 8) -> list[tuple[Page, Article]]:
    """*number* pages with their articles, of several sources; one in five is a shortened copy."""
    generator = Generator(seed)
    made: list[str] = []
    found = []
    for place in range(number):
        text = generator.text()
        if place % 5 == 4:
            text = made[-3][: int(len(made[-3]) * 0.8)]
        made.append(text)
        source = f"bench{(first + place) % sources}"
        found.append(page_and_article(first + place, text, generator.sentence()[:90], source))
    return found
