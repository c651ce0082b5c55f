"""Articles that people have grouped into events, and why a grouping of them went wrong.

A set is a file of JSON lines, gzipped or not, in time order: ``title``, ``text``, ``at`` (ISO 8601), ``precision``
(minute or day), ``gold`` (the event). Where labels begin with a number, labels with the same number are look-alikes:
two quakes, two trials. The texts belong to their publishers, so none lies here.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines import stories
from pipelines.stories import StoryVector

Grouping = dict[int, int]
FIELDS = ("title", "text", "at", "gold")


@dataclass(frozen=True)
class Labelled:
    """An article and the event that it is about. ``topic``: look-alikes share it."""

    number: int
    event: int
    at: datetime
    title: str
    text: str
    is_day: bool = False
    topic: str = ""


def labelled_sets(folder: Path) -> dict[str, list[Labelled]]:
    """Name -> articles of each set in *folder*; none where there is no folder.

    ValueError: names file, line and what was expected.
    """
    files = sorted(file for file in folder.glob("*.jsonl*") if file.suffix in (".jsonl", ".gz"))
    return {file.name.partition(".")[0]: labelled_set(file) for file in files}


def labelled_set(file: Path) -> list[Labelled]:
    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    lines = data.decode("utf-8").split("\n")
    rows = [_row(file, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    events: dict[str, int] = {}
    rows.sort(key=lambda row: row["at"])
    return [
        Labelled(
            number, events.setdefault(row["gold"], len(events)), row["at"], row["title"], row["text"],
            row.get("precision") == "day", topic_of(row["gold"]),
        )
        for number, row in enumerate(rows)
    ]  # fmt: skip


def _row(file: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        missing = [name for name in FIELDS if not isinstance(row.get(name), str)]
        at = datetime.fromisoformat(row["at"]) if not missing else None
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{file}, line {number}: an object with {', '.join(FIELDS)} was expected: {error}") from None
    if at is None or at.tzinfo is None:
        wrong = f"no text in {', '.join(missing)}" if missing else "`at` has no time zone"
        raise ValueError(f"{file}, line {number}: {wrong}")
    return row | {"at": at}


def topic_of(label: str) -> str:
    found = re.match(r"\d+", label)
    return found[0] if found else label


def half_of(article: Labelled) -> int:
    """0 or 1, the same for look-alikes: what is chosen on one half is checked on the other."""
    return zlib.crc32((article.topic or str(article.event)).encode()) % 2


def vectors_of(articles: Sequence[Labelled]) -> list[StoryVector]:
    """As the store makes them: each weighed by those before it."""
    seen: Counter[int] = Counter()
    made = []
    for count, one in enumerate(articles):
        counts = stories.counted(one.title, None, one.text)
        until = one.at + timedelta(days=1) if one.is_day else one.at
        made.append(StoryVector(one.number, one.at, until, True, stories.weighted(counts, seen, count)))
        seen.update(counts.keys())
    return made


def causes(articles: Sequence[Labelled], found: Grouping) -> dict[str, Counter[str]]:
    """{splits, wrong joins}: of each cause how many articles.

    A split: an article that came to no story with an earlier one of its event. A wrong join: one that came to a story
    without any of its event.
    """
    vectors = vectors_of(articles)
    told: defaultdict[int, list[int]] = defaultdict(list)  # event -> articles so far
    members: defaultdict[int, list[int]] = defaultdict(list)
    counted: dict[str, Counter[str]] = {"splits": Counter(), "wrong joins": Counter()}
    for place, article in enumerate(articles):
        story, before = found[article.number], told[article.event]
        if before and not any(found[articles[other].number] == story for other in before):
            least = stories.least_similarity(place)
            counted["splits"][_why_split(vectors[place], [vectors[other] for other in before], least)] += 1
        if members[story] and all(articles[other].event != article.event for other in members[story]):
            alike = any(articles[other].topic == article.topic for other in members[story] if article.topic)
            counted["wrong joins"]["look-alikes" if alike else "others"] += 1
        before.append(place)
        members[story].append(place)
    return counted


def _why_split(vector: StoryVector, event: Sequence[StoryVector], least: float) -> str:
    first, last = stories.days_around(vector)
    near = [other for other in event if first <= other.at <= last]
    keys = set(vector.keys)
    compared = [other for other in near if not keys.isdisjoint(other.keys)]
    if not near:
        return "days apart"
    if not compared:
        return "never compared: no key shared"
    if max(stories.similarity(vector, other) for other in compared) >= least:
        return "the nearest is alike, its story is not, or another is more"
    at_once = [StoryVector(other.article, vector.at, vector.until, other.is_dated, other.terms) for other in compared]
    if max(stories.similarity(vector, other) for other in at_once) >= least:
        return "time between them"
    if max(stories.cosine_in_time(vector, other) for other in compared) >= least:
        return "few terms"
    return "other words"


def halves(articles: Sequence[Labelled], scores: Mapping[int, tuple[float, float]]) -> list[tuple[float, float]]:
    """Mean precision and recall of each half; *scores*: those of each article."""
    means = []
    for half in (0, 1):
        of_half = [scores[one.number] for one in articles if half_of(one) == half] or [(1.0, 1.0)]
        means.append((sum(p for p, _ in of_half) / len(of_half), sum(r for _, r in of_half) / len(of_half)))
    return means
