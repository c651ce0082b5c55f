"""Many named patterns in one, sorted by first letter: a place in a text meets only what could begin there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count


def alternatives(pattern: str) -> list[str]:
    """The parts of ``a|b|c`` that stand at the top of *pattern*, which must be a valid regular expression."""
    parts, begin, at = [], 0, 0
    while at < len(pattern):
        if pattern[at] == "|":
            parts.append(pattern[begin:at])
            begin = at + 1
        at = _behind(pattern, at)
    return [*parts, pattern[begin:]]


def _behind(pattern: str, at: int) -> int:
    """Where the character, escape, ``[set]`` or ``(group)`` ends that begins at *at*."""
    if pattern[at] == "\\":
        return at + 2
    if pattern[at] not in "[(":
        return at + 1
    close = "]" if pattern[at] == "[" else ")"
    at += 2 if close == "]" else 1  # ']' comes first in a set where it is one of the set
    while pattern[at] != close:
        at = _behind(pattern, at) if close == ")" else at + (2 if pattern[at] == "\\" else 1)
    return at + 1


def either(named: Iterable[tuple[str, str]], after: str = "") -> str:
    """One pattern out of many, each under a name; ``name_of`` tells which of them matched, the first in their order.

    The group that carries the name stands behind its pattern and is empty: so an alternative begins with its own first
    letter, which the engine compares before it tries it.
    """
    parts = [(name, part) for name, pattern in named for part in alternatives(pattern)]
    return "|".join(f"{part}{after}(?P<{name}__{place}>)" for place, (name, part) in enumerate(parts))


_WORD_BEGINS = "(?<![a-z])"
_ONE_LETTER = re.compile(r"(?:[^\W\d_]|\[[^\W\d_]+\])(?![?*+{])")


def anywhere(named: Iterable[tuple[str, str]]) -> str:
    """The same as ``either`` for patterns to search with: sorted by first letter, so that a place in the text meets
    only what could begin there. Each alternative must begin with a letter, behind ``(?<![a-z])`` or not (ValueError).
    """
    by_letter: dict[str, list[str]] = {}
    places = count()
    for name, pattern in named:
        for part in alternatives(pattern):
            for letter, rest in _by_first_letter(part.removeprefix(_WORD_BEGINS)):
                # the same question, asked from behind the letter
                begins = f"(?<![a-z]{letter})" if part.startswith(_WORD_BEGINS) else ""
                by_letter.setdefault(letter, []).append(f"{begins}{rest}(?P<{name}__{next(places)}>)")
    return "|".join(f"{letter}(?:{'|'.join(parts)})" for letter, parts in by_letter.items())


def sorted_by_letter(patterns: Iterable[str], ignores_case: bool = True) -> str:
    """One pattern that matches what any of *patterns* does, the first in their order; without names and groups.

    Those that begin with no certain letter stay where they stand, and only what stands between them is sorted.
    *ignores_case*: whoever compiles it may ignore case.
    """
    sorted_ones: list[str] = []
    by_letter: dict[str, list[str]] = {}
    for part in (part for pattern in patterns for part in alternatives(pattern)):
        try:
            begins = list(_by_first_letter(part))
        except ValueError:
            sorted_ones += [*_letter_by_letter(by_letter), part]
            by_letter = {}
            continue
        for letter, rest in begins:
            if ignores_case and letter.swapcase() in by_letter:  # both may match and the first one has to
                sorted_ones += _letter_by_letter(by_letter)
                by_letter = {}
            by_letter.setdefault(letter, []).append(rest)
    return f"(?:{'|'.join((*sorted_ones, *_letter_by_letter(by_letter))) or '(?!)'})"


def _letter_by_letter(by_letter: Mapping[str, Sequence[str]]) -> list[str]:
    """Letters with all that may follow each, as patterns."""
    return [f"{letter}(?:{'|'.join(rests)})" if any(rests) else letter for letter, rests in by_letter.items()]


def _by_first_letter(pattern: str) -> Iterator[tuple[str, str]]:
    """Letter and rest of each way in which *pattern* can begin: of '(?:ab|c)?d' these are 'a' 'bd', 'c' 'd', 'd' ''."""
    if pattern.startswith("(?:"):
        end = _behind(pattern, 0)
        if pattern[end : end + 1] in ("*", "+", "{"):
            raise ValueError(f"expected a pattern whose beginning is not repeated: {pattern!r}")
        rest = pattern[end:].removeprefix("?")
        for inner in alternatives(pattern[3 : end - 1]):
            yield from _by_first_letter(inner + rest)
        if pattern[end:].startswith("?"):
            yield from _by_first_letter(rest)
    elif (begins := _ONE_LETTER.match(pattern)) is not None:
        yield from ((letter, pattern[begins.end() :]) for letter in begins[0].strip("[]"))
    else:
        raise ValueError(f"expected a pattern that begins with a letter: {pattern!r}")


def lowered(text: str) -> str:
    """*text* in small letters, in which a pattern in small letters finds what it finds in *text* where case is ignored:
    a long s is an s there, and a Turkish I with a dot or an i without one is an i.
    """
    return text.lower().replace("ſ", "s").replace("ı", "i").replace("i\u0307", "i")


def name_of(match: re.Match[str]) -> str:
    """The name under which a match of ``either`` was found."""
    return str(match.lastgroup).rsplit("__", 1)[0]
