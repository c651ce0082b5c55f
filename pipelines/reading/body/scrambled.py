"""Text of a paid page whose letters were shifted, shuffled or encoded so that only subscribers can read it.

Letters that are out of order look like a language that is not known here, so a likeness alone is believed on paid pages
only; text that becomes language when it is moved back proves itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pipelines.items import Removed
from pipelines.reading.body.blocks import Block
from pipelines.reading.fields.language import share_of_common

_PROVING_WORDS, _PROVEN = 12, 0.25
_READABLE = 0.16  # share of common words in what a paid page lets everybody read
_LEAST = 60  # characters; a shorter line does not tell
_LETTERS = re.compile(r"[^\W\d_]")
_VOWELS = frozenset("aeiouyäöüàâéèêëîïôûAEIOUYÄÖÜ")
_PLACEHOLDERS = ("lorem ipsum", "dolor sit amet")


def without_scrambled(blocks: Sequence[Block], is_paid: Callable[[], bool]) -> tuple[list[Block], list[Removed]]:
    """The blocks without those whose letters were shifted, shuffled or encoded so that only subscribers can read them.

    Such text stands at the end of the page, so an article whose last paragraphs read well is not looked at further.
    Text that becomes language when it is shifted back proves itself; what merely looks like none is believed where the
    page *is_paid*, for elsewhere it is a language that is not known here.
    """
    last = [block for block in blocks if len(block.text) >= _LEAST][-3:]
    is_bad = [is_scrambled(block.text) for block in last]
    is_jumble = not any(is_bad) and _are_jumbled(blocks, last)
    if not any(is_bad) and not is_jumble:
        return list(blocks), []
    if not any(share_of_common(block.text) > _READABLE for block in blocks if len(block.text) >= _LEAST):
        return list(blocks), []  # nothing of it is in a language that is known here
    if not any(map(is_proven, (block.text for block in last))) and not is_paid():
        return list(blocks), []
    # where one is, others are likely
    kept = [
        block
        for block in blocks
        if not is_scrambled(block.text, words=4, language=0.12)
        and not (is_jumble and is_jumbled(block.text, likely=True))
    ]
    removed = [Removed(block.text[:500], "scrambled") for block in blocks if block not in kept]
    while kept and kept[-1].kind == "heading":
        removed.append(Removed(kept.pop().text, "heading without text"))
    return kept, removed


def _are_jumbled(blocks: Sequence[Block], last: Sequence[Block]) -> bool:
    """Whether an article that begins in sentences goes on, for a good part of it, in jumbled letters.

    A paragraph in a language that is not known here looks the same, but it is a quotation.
    """
    if not any(is_jumbled(block.text) for block in last):
        return False
    long = [block.text for block in blocks if len(block.text) >= _LEAST]
    jumbled = sum(len(text) for text in long if is_jumbled(text, likely=True))
    return jumbled * 3 >= sum(map(len, long)) - jumbled and any(share_of_common(text) > 0.2 for text in long)


# The pairs of letters that make up nine tenths of German, English and French, ^ and $ being a word's ends.
_PAIRS = frozenset(
    re.findall(r"\S+", """
    ^a ^b ^c ^d ^e ^f ^g ^h ^i ^j ^k ^l ^m ^n ^o ^p ^r ^s ^t ^u ^v ^w ^y ^z a$ ab ac ad ag ah ai al am an ar as at au
    ba be bi bo bu ca ce ch ck co d$ da de di e$ ea ec ed ee eg eh ei el em en er es et eu f$ fa fe ff fi fo fr ft g$
    ga ge gi gr h$ ha he hi hl ho hr ht i$ ia ic id ie ig il im in io ir is it iv k$ ke ko l$ la le li ll lo ls lt ly
    m$ ma me mi mo mp n$ na nc nd ne ng ni nn no ns nt o$ oc of ol om on or os ot ou ow p$ pa pe pl po pr r$ ra rd re
    rg ri rk rn ro rs rt ru s$ sa sc se si so sp ss st su t$ ta te th ti to tr ts tt tu tz u$ uc uf ul um un ur us ut
    ve vi vo wa we wi wo y$ ze zu
    """)
)  # fmt: skip
_ENCODED = re.compile(r"\s*[A-Za-z0-9+/_-]{120,}=*\s*")
_ADDRESS = re.compile(r"\S*(?:://|www\.|@)\S*")
_WORDS = re.compile(r"[^\W\d_]+")


_OTHER_LETTERS = re.compile(r"[^\W\d_a-zäöüßàâáéèêëîïíìôóòõûùúçñœæåø]", re.IGNORECASE)


def is_jumbled(text: str, *, likely: bool = False) -> bool:
    """Whether *text* is written in small letters but not in words of German, English or French; names, results and
    languages with other letters are not meant. *likely*: other paragraphs are jumbled, so less will do.
    """
    if _ENCODED.fullmatch(text):
        return True
    text = text[:600]
    if any(mark in text for mark in ("://", "www.", "@")):
        text = _ADDRESS.sub(" ", text)
    least, common, known = (6, 0.2, 0.86) if likely else (16, 0.14, 0.8)
    if share_of_common(text) > common:  # nearly every paragraph is known by this
        return False
    words = _WORDS.findall(text)
    if len(words) < least or sum(word[0].islower() for word in words) < 0.5 * len(words):
        return False
    if len(_OTHER_LETTERS.findall(text)) > 0.01 * len(text):
        return False
    pairs = [f"^{word}$"[at : at + 2] for word in map(str.lower, words) for at in range(len(word) + 1)]
    return sum(pair in _PAIRS for pair in pairs) < known * len(pairs)


def is_proven(text: str) -> bool:
    """Whether *text* becomes language when its characters are moved back, or is encoded."""
    if _ENCODED.fullmatch(text):
        return True
    text = text[:600]
    if len(text.split()) < _PROVING_WORDS or share_of_common(text) > 0.03:
        return False
    return any(share_of_common(each) > _PROVEN for each in (*_moved(text), *_turned(text), text[::-1]))


def is_scrambled(text: str, words: int = 16, language: float = 0.25) -> bool:
    """No word of any known language, and it has as few vowels as chance gives, or becomes language when shifted.

    A text of fewer *words* does not tell; *language* is the share of common words from which something is language.
    """
    lower = text.lower()
    if any(placeholder in lower for placeholder in _PLACEHOLDERS):
        return True
    text = text[:600]
    if len(text.split()) < words or share_of_common(text) > 0.03:
        return False
    letters = _LETTERS.findall(text)
    if len(letters) < 0.6 * len(text.replace(" ", "")) and not any(
        share_of_common(each) > language for each in _moved(text)
    ):
        return False  # figures and results, not sentences
    latin = [letter for letter in letters if letter < "\u0250"]
    if len(latin) < 0.8 * len(letters):
        return False  # another script
    share = sum(letter in _VOWELS for letter in latin) / max(len(latin), 1)
    return share < 0.24 or any(share_of_common(each) > language for each in (*_moved(text), *_turned(text), text[::-1]))


def _moved(text: str) -> list[str]:
    """Every character but blanks some places back or on."""
    return [
        "".join(c if c.isspace() else chr(max(32, ord(c) + by)) for c in text)
        for by in (-1, 1, -2, 2, -3, 3, -4, 4, -5, 5)
    ]


def _turned(text: str) -> list[str]:
    """The alphabet turned by every number of letters."""
    small, large = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [
        text.translate(str.maketrans(small + large, small[by:] + small[:by] + large[by:] + large[:by]))
        for by in range(1, 26)
    ]
