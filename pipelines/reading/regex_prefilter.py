"""The characters with which a match of a regular expression can begin.

Hundreds of phrases are asked about every paragraph of every page. Sorted by first character, a paragraph meets only the
few that could match it at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import count

ANY = None
_ESCAPED = {"d": frozenset("0123456789"), "s": frozenset(" "), "t": frozenset("\t"), "n": frozenset("\n")}
_ZERO_WIDTH = frozenset("bBAZ")
Letters = frozenset[str] | None


def first_letters(pattern: str) -> Letters:
    """The lower-case characters that can begin a match of *pattern*, or None where that may be any character.

    *pattern* must be a valid regular expression; what this reader does not know counts as any character.
    """
    letters, can_be_empty, _ = _alternatives(pattern, 0)
    return ANY if can_be_empty else letters


def _union(one: Letters, other: Letters) -> Letters:
    return ANY if one is ANY or other is ANY else one | other


def _alternatives(pattern: str, at: int) -> tuple[Letters, bool, int]:
    """Read ``a|b|c`` up to its end or ')'. Gives the letters, whether it can be empty, and where reading goes on."""
    letters: Letters = frozenset()
    can_be_empty = False
    while True:
        some, empty, at = _sequence(pattern, at)
        letters = _union(letters, some)
        can_be_empty |= empty
        if at >= len(pattern) or pattern[at] == ")":
            return letters, can_be_empty, at
        at += 1  # the '|'


def _sequence(pattern: str, at: int) -> tuple[Letters, bool, int]:
    letters: Letters = frozenset()
    can_be_empty = True
    while at < len(pattern) and pattern[at] not in "|)":
        some, empty, at = _atom(pattern, at)
        may_be_left_out, at = _quantifier(pattern, at)
        if can_be_empty:
            letters = _union(letters, some)
            can_be_empty = empty or may_be_left_out
    return letters, can_be_empty, at


def _atom(pattern: str, at: int) -> tuple[Letters, bool, int]:
    letter = pattern[at]
    if letter == "\\":
        escaped = pattern[at + 1]
        if escaped in _ZERO_WIDTH:
            return frozenset(), True, at + 2
        if escaped.isalnum():
            return _ESCAPED.get(escaped, ANY), False, at + 2
        return frozenset(escaped), False, at + 2
    if letter == "[":
        return _character_set(pattern, at + 1)
    if letter == "(":
        return _group(pattern, at + 1)
    if letter in "^$":
        return frozenset(), True, at + 1
    if letter == ".":
        return ANY, False, at + 1
    return frozenset(letter.lower()), False, at + 1


def _group(pattern: str, at: int) -> tuple[Letters, bool, int]:
    looks_around = pattern.startswith(("?=", "?!", "?<=", "?<!"), at)
    if pattern.startswith("?P<", at):
        at = pattern.index(">", at) + 1
    elif pattern.startswith("?", at):
        while pattern[at] not in ":=!":
            at += 1
        at += 1
    letters, can_be_empty, at = _alternatives(pattern, at)
    return (frozenset(), True, at + 1) if looks_around else (letters, can_be_empty, at + 1)


def _character_set(pattern: str, at: int) -> tuple[Letters, bool, int]:
    end = at + 1
    while pattern[end] != "]":
        end += 2 if pattern[end] == "\\" else 1
    content = pattern[at:end]
    plain = not content.startswith("^") and "\\" not in content and "-" not in content[1:-1]
    return (frozenset(content.lower()) if plain else ANY), False, end + 1


def _quantifier(pattern: str, at: int) -> tuple[bool, int]:
    """Whether what came before may be left out, and where reading goes on."""
    may_be_left_out = False
    while at < len(pattern) and pattern[at] in "?*+{":
        if pattern[at] == "{":
            end = pattern.index("}", at)
            may_be_left_out |= pattern[at + 1] in "0,"
            at = end + 1
        else:
            may_be_left_out |= pattern[at] in "?*" and not may_be_left_out
            at += 1
    return may_be_left_out, at


def alternatives(pattern: str) -> list[str]:
    """The parts of ``a|b|c`` that stand at the top of *pattern*, which must be a valid regular expression."""
    parts, begin, at, depth = [], 0, 0, 0
    while at < len(pattern):
        letter = pattern[at]
        if letter == "\\":
            at += 1
        elif letter == "[":
            at = _character_set(pattern, at + 1)[2] - 1
        elif letter == "|" and not depth:
            parts.append(pattern[begin:at])
            begin = at + 1
        else:
            depth += {"(": 1, ")": -1}.get(letter, 0)
        at += 1
    return [*parts, pattern[begin:]]


def either(named: Iterable[tuple[str, str]], after: str = "") -> str:
    """One pattern out of many, each under a name; ``name_of`` tells which of them matched, the first in their order.

    The group that carries the name stands behind its pattern and is empty: so an alternative begins with its own first
    letter, which the engine compares before it tries it.
    """
    parts = [(name, part) for name, pattern in named for part in alternatives(pattern)]
    return "|".join(f"{part}{after}(?P<{name}__{place}>)" for place, (name, part) in enumerate(parts))


_WORD_BEGINS = "(?<![a-z])"


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


def _by_first_letter(pattern: str) -> Iterator[tuple[str, str]]:
    """Letter and rest of each way in which *pattern* can begin: of '(?:ab|c)?d' these are 'a' 'bd', 'c' 'd', 'd' ''."""
    if pattern.startswith("(?:"):
        end = _group(pattern, 1)[2]
        rest = pattern[end:].removeprefix("?")
        for inner in alternatives(pattern[3 : end - 1]):
            yield from _by_first_letter(inner + rest)
        if pattern[end:].startswith("?"):
            yield from _by_first_letter(rest)
    elif pattern[:1].isalpha() and pattern[1:2] not in ("?", "*", "+", "{"):
        yield pattern[0], pattern[1:]
    else:
        raise ValueError(f"expected a pattern that begins with a letter: {pattern!r}")


def name_of(match: re.Match[str]) -> str:
    """The name under which a match of ``either`` was found."""
    return str(match.lastgroup).rsplit("__", 1)[0]
