"""What makes two texts the same: hashes of their words, and winnowed word n-grams for what is nearly the same. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

GRAM = 7  # words: what unrelated reports have in common is mostly shorter
# Of every window of n-grams the one with the least hash is kept, so that of any passage as long as a window and a gram
# both texts keep the same one. A text of 420 words has 32 of them. Short texts have narrow windows: what a wide window
# keeps of a passage, a narrow one keeps too.
WIDEST, NARROWEST, WINDOWS = 28, 4, 16
MOST_BANDS = 80  # of a long text: those with the least hashes
MIN_WORDS = 12  # below that, word triples say little about a text
METHOD = 3  # how bands are made; texts whose bands were made otherwise are not found as copies until they are made anew

_WORD = re.compile(r"\w+")
_SIGNS = re.compile(r"[\W_]+")
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_WITHOUT_THEM = dict.fromkeys(map(ord, _INVISIBLE))
_MARKS = re.compile("[\u0300-\u036f]+")


def words(text: str) -> list[str]:
    """The words of *text* in one spelling: no case, no punctuation, no soft hyphens, ligatures and widths resolved."""
    return spelled(text).split()


@lru_cache(maxsize=8)  # keys and bands of one text all ask for its words, one after the other
def spelled(text: str) -> str:
    """``words`` with a blank between them."""
    if not text.isascii() and any(sign in text for sign in _INVISIBLE):
        text = text.translate(_WITHOUT_THEM)
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def plain(text: str) -> str:
    """What two renderings of the same words have in common: letters and digits, lower case."""
    return _SIGNS.sub("", "".join(text.casefold().split()))  # most signs are blanks, and splitting is quicker


def text_key(text: str) -> bytes:
    """16 bytes, equal for texts of the same words in the same order. A text without words is its characters."""
    return _digest([spelled(text) or text.strip()])


def content_key(title: str, teaser: str | None, text: str) -> bytes:
    """16 bytes, equal where headline, teaser and text have the same words: the same version of an article."""
    return _digest(spelled(part) or part.strip() for part in (title, teaser or "", text))


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
    of_text = _folded(text).split(" ")
    return frozenset(map(" ".join, zip(of_text, of_text[1:], of_text[2:], strict=False)))


@lru_cache(maxsize=8)
def _folded(text: str) -> str:
    """The words of *text* as every keyboard has them: ä, ae and a are one, so that a copy is known in any spelling.

    Words that differ only there fall together ('neuer', 'nürer'): three in a row hardly do.
    """
    plain = spelled(text).replace("ä", "a").replace("ö", "o").replace("ü", "u")
    if not plain.isascii():  # German is by now
        plain = _MARKS.sub("", unicodedata.normalize("NFKD", plain))
    return plain.replace("ae", "a").replace("oe", "o").replace("ue", "u")


def bands(text: str) -> list[int] | None:
    """Up to MOST_BANDS numbers (64 bits, signed). Texts that share one may be near copies. None: too short to tell.

    They are the hashes of n-grams that winnowing keeps (Schleimer, Wilkerson, Aiken 2003), in their order in the text.
    """
    of_text = _folded(text).encode("utf-8", "surrogatepass").split(b" ")
    if len(of_text) < MIN_WORDS:
        return None
    grams = list(map(b" ".join, zip(*(of_text[place:] for place in range(GRAM)), strict=False)))
    order = list(map(zlib.crc32, grams))
    kept = winnowed(order, max(NARROWEST, min(WIDEST, len(grams) // WINDOWS)))
    if len(kept) > MOST_BANDS:
        kept = sorted(sorted(kept, key=lambda place: order[place])[:MOST_BANDS])
    return [_band(gram) for gram in dict.fromkeys(grams[place] for place in kept)]


def winnowed(values: Sequence[int], window: int) -> list[int]:
    """The places of the least value of each *window* of them, the last one of equals."""
    if not values:
        return []
    window = min(window, len(values))
    kept: list[int] = []
    least, value = -1, values[0]
    for end in range(window - 1, len(values)):
        start = end - window + 1
        if least < start:
            part = values[start : end + 1]
            value = min(part)
            least = end - part[::-1].index(value)
        elif values[end] <= value:
            least, value = end, values[end]
        else:
            continue
        kept.append(least)
    return kept


def _band(gram: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(gram, digest_size=8).digest(), "big", signed=True)


def _digest(parts: Iterable[str]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return digest.digest()
