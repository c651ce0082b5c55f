"""Scores readings of a folder that brings no ``score.py`` of its own: words of the text, title, day, minute, authors.

``judge`` gives the figures of one page, ``summary`` their means, ``html`` the bytes of a page.
"""

from __future__ import annotations

import gzip
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_WORD = re.compile(r"\w+")


def words(text: str | None) -> list[str]:
    """The words of a text, small letters."""
    return _WORD.findall(unicodedata.normalize("NFKC", text or "").lower())


def prf(hit: float, found: float, wanted: float) -> tuple[float, float, float]:
    """Precision, recall and F1 of *hit* among what was *found* and what was *wanted*."""
    precision = hit / found if found else float(not wanted)
    recall = hit / wanted if wanted else 1.0
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def judge(doc: Mapping[str, Any], got: Mapping[str, Any]) -> dict[str, float]:
    """The figures of one page, 0 to 1, of what its truth states."""
    row: dict[str, float] = {}
    if doc.get("text"):
        mine, truth = Counter(words(got.get("text"))), Counter(words(doc["text"]))
        row["P"], row["R"], row["F1"] = prf(sum((mine & truth).values()), sum(mine.values()), sum(truth.values()))
    if doc.get("title"):
        row["title exact"] = row["title valid"] = float(words(got.get("title")) == words(doc["title"]))
    if doc.get("published"):
        row |= _time(doc["published"], got.get("published"))
    if doc.get("authors"):
        mine_, truth_ = (
            {" ".join(words(name)) for name in each or ()} for each in (got.get("authors"), doc["authors"])
        )
        row["authors F1"] = prf(len(mine_ & truth_), len(mine_), len(truth_))[2]
    return row


def _time(wanted: str, got: str | None) -> dict[str, float]:
    try:
        at = datetime.fromisoformat(got) if got else None
    except ValueError:
        at = None
    truth = datetime.fromisoformat(wanted)
    is_day = at is not None and at.date() == truth.date()
    row = {"day right": float(is_day), "day wrong": float(at is not None and not is_day)}
    if len(wanted) > 10:
        is_same = at is not None and at.tzinfo is not None and abs((at - truth).total_seconds()) < 60
        row["minute right"] = float(is_same)
    return row


def summary(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of every figure over the pages that have it."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: sum(values) / len(values) for name in names if (values := [row[name] for row in rows if name in row])}


def html(folder: Path, doc: Mapping[str, Any]) -> bytes:
    """The page of *folder* as it was saved, unpacked."""
    data = (folder / doc["file"]).read_bytes()
    return gzip.decompress(data) if doc["file"].endswith(".gz") else data


def scorer(folder: Path) -> SimpleNamespace:
    """These functions for the pages of *folder*, under the names that a corpus' own ``score.py`` has."""
    return SimpleNamespace(words=words, prf=prf, judge=judge, summary=summary, html=partial(html, folder), HERE=folder)
