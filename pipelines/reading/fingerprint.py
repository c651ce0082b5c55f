"""What makes two texts the same: hashes of their words, and MinHash bands for texts that are nearly the same. Pure."""

from __future__ import annotations

import hashlib
import re
import struct
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from rensa import RMinHash

PERMUTATIONS = 128
BANDS = 32  # of 4 rows each: finds all pairs above a Jaccard similarity of 0.7, 88 % at 0.5
ROWS = PERMUTATIONS // BANDS
SEED = 2025
MIN_WORDS = 12  # below that, word triples say little about a text
METHOD = 2  # how bands are made; texts whose bands were made otherwise are not found as copies until they are made anew

_BAND = struct.Struct(f">H{ROWS}I")
_WORD = re.compile(r"\w+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_MARKS = re.compile("[\u0300-\u036f]+")


def words(text: str) -> list[str]:
    """The words of *text* in one spelling: no case, no punctuation, no soft hyphens, ligatures and widths resolved."""
    return list(_words(text))


@lru_cache(maxsize=8)  # keys and bands of one text all ask for its words, one after the other
def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold()))


def text_key(text: str) -> bytes:
    """16 bytes, equal for texts of the same words in the same order. A text without words is its characters."""
    return _digest([" ".join(words(text)) or text.strip()])


def content_key(title: str, teaser: str | None, text: str) -> bytes:
    """16 bytes, equal where headline, teaser and text have the same words: the same version of an article."""
    return _digest(" ".join(words(part)) or part.strip() for part in (title, teaser or "", text))


def body_key(bodies: Iterable[bytes]) -> bytes:
    """16 bytes, equal where the same bytes were fetched."""
    digest = hashlib.blake2b(digest_size=16)
    for body in bodies:
        digest.update(len(body).to_bytes(8, "big"))
        digest.update(body)
    return digest.digest()


def shingles(text: str) -> frozenset[str]:
    """The word triples of *text*, with one spelling for umlauts and accents; empty where it has fewer words.

    Two texts are as much alike as these sets are.
    """
    return frozenset(_shingles(_folded(text)))


def _shingles(of_text: Sequence[str]) -> set[str]:
    return set(map(" ".join, zip(of_text, of_text[1:], of_text[2:], strict=False)))


@lru_cache(maxsize=8)
def _folded(text: str) -> tuple[str, ...]:
    """The words of *text* as every keyboard has them: ä, ae and a are one, so that a copy is known in any spelling.

    Words that differ only there fall together ('neuer', 'nürer'): three in a row hardly do.
    """
    plain = " ".join(_words(text))
    if not plain.isascii():
        plain = _MARKS.sub("", unicodedata.normalize("NFKD", plain))
    return tuple(plain.replace("ae", "a").replace("oe", "o").replace("ue", "u").split(" ")) if plain else ()


def bands(text: str) -> list[int] | None:
    """32 numbers (64 bits, signed). Texts that share one may be near copies. None: too short to tell."""
    of_text = _folded(text)
    if len(of_text) < MIN_WORDS:
        return None
    minhash = RMinHash(num_perm=PERMUTATIONS, seed=SEED)
    minhash.update(list(_shingles(of_text)))
    values = minhash.digest()
    return [_band(number, values[number * ROWS : (number + 1) * ROWS]) for number in range(BANDS)]


def _band(number: int, values: list[int]) -> int:
    # the number of the band goes in, so that equal values in different bands do not meet
    data = _BAND.pack(number, *values)
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big", signed=True)


def _digest(parts: Iterable[str]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return digest.digest()
