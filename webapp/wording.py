"""What differs between two wordings, word by word.

Texts are a stranger's, so the comparison is one whose time is bounded whatever they are: rapidfuzz's longest common
subsequence, 64 words at once, and beyond MOST_WORDS whole paragraphs only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

MOST_WORDS = 6000  # of a changed passage: 6,000 against 6,000 take 40 ms
MOST_PARAGRAPHS = 4000
LEAST_KEPT = (
    3  # words between two changes that are shown as kept; fewer ('der', 'und') read better as part of the change
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words. ``kind``: same, added, removed."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of the comparison. ``kind``: same, added, removed, or changed, which has pieces of all three
    kinds.
    """

    kind: str
    pieces: tuple[Piece, ...]


def compare(before: str, after: str) -> list[Paragraph]:
    """The paragraphs of both texts in one order, with what was changed inside them."""
    old, new = before.split("\n\n"), after.split("\n\n")
    if max(len(old), len(new)) > MOST_PARAGRAPHS:
        return [*(_whole("removed", p) for p in old), *(_whole("added", p) for p in new)]
    made: list[Paragraph] = []
    for tag, i1, i2, j1, j2 in _grouped(LCSseq.opcodes(old, new)):
        if tag == "equal":
            made += [_whole("same", p) for p in old[i1:i2]]
        else:
            made += _passage(old[i1:i2], new[j1:j2])
    return made


def line(before: str | None, after: str | None) -> tuple[Piece, ...]:
    """The comparison of a headline or teaser."""
    return _words((before or "").split(), (after or "").split())


def _grouped(opcodes: object) -> list[tuple[str, int, int, int, int]]:
    """Insertions and deletions beside each other as one replacement."""
    made: list[tuple[str, int, int, int, int]] = []
    for tag, i1, i2, j1, j2 in opcodes:  # type: ignore[attr-defined]
        if tag != "equal" and made and made[-1][0] != "equal":
            _, a, _, b, _ = made[-1]
            made[-1] = ("replace", a, i2, b, j2)
        else:
            made.append((tag, i1, i2, j1, j2))
    return made


def _passage(old: Sequence[str], new: Sequence[str]) -> list[Paragraph]:
    """Changed paragraphs beside each other: paired in their order, those without a counterpart whole."""
    made: list[Paragraph] = []
    paired = min(len(old), len(new))
    for a, b in zip(old[:paired], new[:paired], strict=True):
        first, second = a.split(), b.split()
        if max(len(first), len(second)) > MOST_WORDS or LCSseq.normalized_similarity(first, second) < 0.25:
            made += [_whole("removed", a), _whole("added", b)]
        else:
            made.append(Paragraph("changed", _words(first, second)))
    made += [_whole("removed", p) for p in old[paired:]]
    made += [_whole("added", p) for p in new[paired:]]
    return made


def _words(old: list[str], new: list[str]) -> tuple[Piece, ...]:
    if max(len(old), len(new)) > MOST_WORDS:
        return (Piece("removed", " ".join(old)), Piece("added", " ".join(new)))
    steps = _grouped(LCSseq.opcodes(old, new))
    # what is kept between two changes and says little is shown as changed, too
    smooth: list[tuple[str, int, int, int, int]] = []
    for place, step in enumerate(steps):
        tag, i1, i2, j1, j2 = step
        is_between = 0 < place < len(steps) - 1
        if tag == "equal" and is_between and i2 - i1 < LEAST_KEPT:
            step = ("replace", i1, i2, j1, j2)
        if step[0] != "equal" and smooth and smooth[-1][0] != "equal":
            smooth[-1] = ("replace", smooth[-1][1], step[2], smooth[-1][3], step[4])
        else:
            smooth.append(step)
    pieces: list[Piece] = []
    for tag, i1, i2, j1, j2 in smooth:
        if tag == "equal":
            pieces.append(Piece("same", " ".join(new[j1:j2])))
            continue
        if i2 > i1:
            pieces.append(Piece("removed", " ".join(old[i1:i2])))
        if j2 > j1:
            pieces.append(Piece("added", " ".join(new[j1:j2])))
    return tuple(pieces)


def _whole(kind: str, text: str) -> Paragraph:
    return Paragraph(kind, (Piece(kind, text),))
