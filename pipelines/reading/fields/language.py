"""The language of a text: declared and confirmed by its commonest words, else detected. The only door to langdetect."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from langdetect import PROFILES_DIRECTORY, DetectorFactory, LangDetectException
from pydantic_core import from_json

from pipelines.reading.languages import languages, words

DetectorFactory.seed = 0  # unseeded it answers differently from call to call

# detection reads this much: as exact as the whole text, and a third of its time
_DETECTED_LENGTH = 1000
_CHECKED_WORDS, _CHECKED_LENGTH = 300, 2500  # characters in which so many words stand
_CODE = re.compile(r"[a-z]{2,3}(?=$|[-_])", re.I)
_WORD = re.compile(r"[^\W\d_]+")


# For each language the words that make up a good part of any of its texts and of no other's here.
_COMMON = {code: words("text.common", codes=[code]) for code in languages()}
_SURE = 0.16  # share of common words in prose is 0.3 to 0.5 in the right language and below 0.1 in every other


def code(declared: str | None) -> str | None:
    """'de-AT' -> 'de'; None for what is no language code."""
    found = _CODE.match((declared or "").strip())
    return found[0].lower() if found else None


def language_of(text: str, declared: str | None = None, source: str | None = None) -> str | None:
    """The ISO 639-1 code of *text*'s language, or None when nothing tells.

    *declared* is what the page says of itself, *source* what its source's file says; a text too short to judge takes
    these in that order. A declaration that the words contradict is not believed.
    """
    declared, source = code(declared), code(source)
    shares, words = _shares(text)
    if words < 12:
        return declared or source or _detected(text)
    best = max(shares, key=lambda name: shares[name])
    for claimed in (declared, source):
        if claimed == best and shares[best] >= _SURE:
            return claimed
    others = max(share for name, share in shares.items() if name != best)
    if shares[best] >= _SURE and shares[best] > 2 * others:
        return best
    return _detected(text) or declared or source


def likely(text: str, declared: str) -> str:
    """*declared*, or the language whose commonest words *text* has clearly more of. Nothing is detected."""
    shares, count = _shares(text)
    best = max(shares, key=lambda name: shares[name])
    is_clear = count >= _FEW_WORDS and shares[best] >= _LIKELY and shares[best] > 2 * shares.get(declared, 0)
    return best if is_clear else declared


_LIKELY, _FEW_WORDS = 0.12, 20


@lru_cache(maxsize=32)  # a page's last paragraphs are asked about more than once
def share_of_common(text: str) -> float:
    """The share of *text*'s words, 0 to 1, that belong to the commonest of the language they fit best."""
    return max(_shares(text)[0].values())


def _shares(text: str) -> tuple[dict[str, float], int]:
    """For each language the share of its commonest words among the first words of *text*; and how many words."""
    words = _WORD.findall(text[:_CHECKED_LENGTH].lower())[:_CHECKED_WORDS]
    counts = Counter(words)
    found = {name: sum(map(counts.__getitem__, common & counts.keys())) for name, common in _COMMON.items()}
    return {name: count / max(len(words), 1) for name, count in found.items()}, len(words)


@lru_cache(maxsize=1)
def _profiles() -> list[dict[str, Any]]:
    """langdetect's profiles: how often a language has which runs of up to three letters, and all runs of a length."""
    paths = sorted(path for path in Path(PROFILES_DIRECTORY).iterdir() if path.suffix == "")
    return [from_json(path.read_bytes(), cache_strings=False) for path in paths]  # a run stands in a profile once


@lru_cache(maxsize=1)
def _runs() -> frozenset[str]:
    """Those that any language has."""
    return frozenset().union(*(profile["freq"] for profile in _profiles()))


@lru_cache(maxsize=3)
def _counts(length: int) -> list[tuple[Callable[[str, int], int], int]]:
    """For each language, what gives the number of a run, and the number of all runs of this *length*."""
    return [(profile["freq"].get, profile["n_words"][length - 1]) for profile in _profiles()]


@lru_cache(maxsize=2000)  # of these 2 kB each, texts of one language ask for the same again and again
def _likelihoods(letters: str) -> list[float]:
    return [number(letters, 0) / every for number, every in _counts(len(letters))]


class _Likelihoods:
    """For a run of letters, its share in each language, as langdetect asks for it. It makes a table of all runs, which
    takes three times as long as to read the profiles; of its ninety thousand a text needs some hundred.
    """

    def __contains__(self, letters: str) -> bool:
        return letters in _runs()

    def __getitem__(self, letters: str) -> list[float]:
        return _likelihoods(letters)


def _detected(text: str) -> str | None:
    factory = DetectorFactory()
    factory.langlist = [profile["name"] for profile in _profiles()]
    factory.word_lang_prob_map = _Likelihoods()
    detector = factory.create()
    detector.append(text[:_DETECTED_LENGTH])
    try:
        found = detector.get_probabilities()
    except LangDetectException:  # nothing but digits and signs
        return None
    if not found or found[0].prob < 0.7:
        return None
    return code(found[0].lang)
