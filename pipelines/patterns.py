"""Regular expressions that people write into source files, matched by engines that cannot run away.

Python's own engine tries one reading of a text after the other: ``/(\\w+-?)+\\.html$`` keeps it busy for years with an
address of sixty letters, and no signal ends that. Here a pattern is matched by RE2, whose time grows with the length of
the text and nothing else, wherever RE2 gives the same answers; what it does not know (looking ahead, naming a group
again) is matched by ``regex`` with a limit of time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as sre_parser  # type: ignore[attr-defined]
from typing import Any

import re2
import regex

#: seconds for one text; the next ones that a pattern runs away with get half as much each, down to the least
LONGEST, LEAST = 0.05, 0.002
#: these mean something else to RE2, or to it alone
_NOT_FOR_RE2 = re.compile(r"\{,|\[\[|\[:|\\[NuU]")
#: how long the text is in which readings are counted, and from how many on a pattern is called dangerous: three parts
#: that can each take any length of the same text have some hundred, one repetition inside another tens of thousands
_TEXT, _TOO_MANY = 16, 300
_ALPHABET = [chr(number) for number in range(32, 127)] + ["ä"]


class RanAway(Exception):
    """A pattern was given up after its time. The message names it."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern. Raises ``re.error`` at once where it is none."""

    text: str
    _given_up: list[str] = field(default_factory=list, compare=False, repr=False)

    def __post_init__(self) -> None:
        _engine(self.text)

    def __reduce__(self) -> tuple[type[Pattern], tuple[str]]:
        return Pattern, (self.text,)

    def search(self, text: str) -> bool:
        """Whether it matches anywhere in *text*. Raises ``RanAway``."""
        linear, bounded = _engine(self.text)
        if linear is not None and text.isascii():  # beyond ASCII, RE2's \w and \b are other ones
            return linear.search(text) is not None
        seconds = max(LEAST, LONGEST / 2 ** len(self._given_up))
        try:
            return bounded.search(text, timeout=seconds) is not None
        except TimeoutError:
            self._given_up[16:] = [text[:80]]
            raise RanAway(f"the pattern '{self.text}' takes too long with {text[:200]!r}") from None


def matches_any(patterns: Iterable[Pattern], text: str) -> bool:
    """Raises ``RanAway`` where none matches and one was given up."""
    trouble: RanAway | None = None
    for pattern in patterns:
        try:
            if pattern.search(text):
                return True
        except RanAway as error:
            trouble = error
    if trouble is not None:
        raise trouble
    return False


@lru_cache(maxsize=4096)
def _engine(text: str) -> tuple[Any, Any]:
    """(RE2's pattern or None, regex's pattern)."""
    re.compile(text)  # what Python's engine does not take is no pattern, whatever the others think
    try:
        bounded = regex.compile(text, regex.VERSION0)
    except (regex.error, RecursionError) as error:
        raise re.error(f"{error} (no engine with a bound can match it)") from None
    return _linear(text), bounded


def _linear(text: str) -> Any:
    if _NOT_FOR_RE2.search(text):
        return None
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error:
        return None


@dataclass(frozen=True, slots=True)
class Whole:
    """A pattern for the beginning of a text, as ``re.Pattern`` is; one that runs away matches nothing."""

    text: str
    ignores_case: bool = False

    def match(self, text: str) -> regex.Match[str] | None:
        return self._bounded(regex.Pattern.match, text)

    def fullmatch(self, text: str) -> regex.Match[str] | None:
        return self._bounded(regex.Pattern.fullmatch, text)

    def _bounded(self, match: Any, text: str) -> regex.Match[str] | None:
        compiled = regex.compile(self.text, regex.VERSION0 | (regex.IGNORECASE if self.ignores_case else 0))
        try:
            return match(compiled, text, timeout=LONGEST)
        except TimeoutError:
            return None


# --- which patterns are dangerous -------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def danger(text: str) -> str | None:
    """Why an engine that tries one reading after the other would not come to an end with this pattern, or None.

    Counted is in how many ways the pattern, or a part of it, can take sixteen times the same character.
    """
    tree = sre_parser.parse(text)
    ignores_case = bool(tree.state.flags & re.IGNORECASE)
    for character in _ALPHABET:
        if _Ways(character, ignores_case).most(tree) >= _TOO_MANY:
            return (
                f"'{text}' can be read in very many ways, for example where {character!r} is repeated: "
                "a repetition inside or beside another one that takes the same characters"
            )
    return None


class _Ways:
    """In how many ways a parsed pattern takes 0, 1, 2, ... times one character."""

    def __init__(self, character: str, ignores_case: bool):
        self.characters = {character, character.lower(), character.upper()} if ignores_case else {character}
        self.worst = 0

    def most(self, tree: Any) -> int:
        """The highest number for any part of the pattern."""
        self.sequence(tree)
        return self.worst

    def sequence(self, nodes: Any) -> list[int]:
        ways = _NOTHING
        since = _NOTHING  # from the last part on that takes other characters only: what stands before it is no matter
        for node in nodes:
            part = self.node(*node)
            ways, since = _times(ways, part), _times(since, part) if any(part) else _NOTHING
            self.worst = max(self.worst, *since)
        return ways

    def node(self, kind: Any, value: Any) -> list[int]:
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            least, most, body = value
            return self.repeated(self.sequence(body), least, most)
        if kind is sre.SUBPATTERN:
            return self.sequence(value[3])
        if kind is sre.BRANCH:
            return _sum(self.sequence(branch) for branch in value[1])
        if kind in (sre.ASSERT, sre.ASSERT_NOT):
            self.sequence(value[1])
            return _NOTHING
        if kind in (sre.ATOMIC_GROUP, sre.POSSESSIVE_REPEAT):
            body = value if kind is sre.ATOMIC_GROUP else value[2]
            return [min(1, number) for number in self.sequence(body)]
        if kind is sre.GROUPREF_EXISTS:
            return _sum(self.sequence(branch) for branch in value[1:] if branch is not None)
        if kind in (sre.AT, sre.GROUPREF, sre.FAILURE):
            return _NOTHING
        return _ONE if any(_takes(kind, value, one) for one in self.characters) else _NONE

    def repeated(self, body: list[int], least: int, most: int) -> list[int]:
        body = [0, *body[1:]] if least == 0 or most > _TEXT else body  # a round that takes nothing is no round
        power, total = _NOTHING, _NONE
        for number in range(min(int(most), _TEXT) + 1):
            if number >= min(least, _TEXT):
                total = _sum([total, power])
            power = _times(power, body)
        return total


_NOTHING, _NONE = [1] + [0] * _TEXT, [0] * (_TEXT + 1)
_ONE = [0, 1] + [0] * (_TEXT - 1)
_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    sre.CATEGORY_DIGIT: str.isdigit,
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_WORD: lambda one: one.isalnum() or one == "_",
}
_NO_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    sre.CATEGORY_NOT_DIGIT: sre.CATEGORY_DIGIT,
    sre.CATEGORY_NOT_SPACE: sre.CATEGORY_SPACE,
    sre.CATEGORY_NOT_WORD: sre.CATEGORY_WORD,
}


def _times(one: list[int], other: list[int]) -> list[int]:
    return [sum(one[i] * other[n - i] for i in range(n + 1)) for n in range(_TEXT + 1)]


def _sum(all_ways: Iterable[list[int]]) -> list[int]:
    return [sum(numbers) for numbers in zip(*all_ways, strict=True)] or _NONE


def _takes(kind: Any, value: Any, character: str) -> bool:
    """Whether a part that stands for one character stands for this one."""
    if kind is sre.LITERAL:
        return bool(value == ord(character))
    if kind is sre.NOT_LITERAL:
        return bool(value != ord(character))
    if kind is sre.RANGE:
        return bool(value[0] <= ord(character) <= value[1])
    if kind is sre.CATEGORY:
        if value in _NO_CATEGORIES:
            return not _CATEGORIES[_NO_CATEGORIES[value]](character)
        return value in _CATEGORIES and bool(_CATEGORIES[value](character))
    if kind is sre.IN:
        is_negated = value[0][0] is sre.NEGATE
        return any(_takes(kind, value, character) for kind, value in value[is_negated:]) != is_negated
    return True  # any character
