"""Many patterns held against one text at once, by RE2: in time that grows with the text and with nothing else.

RE2 knows neither looking ahead or back nor groups that are named again; ``PatternError`` says so. The matched side is
spelled in UTF-8, and half a character in it is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import re2

# an escaped character, a set, or how often something is repeated
_PART = re.compile(r"\\.|\[\^?\]?(?:[^\]\\]|\\.)*\]|\{\d*,?\d*\}", re.DOTALL)
_ESCAPED = re.compile(r"\\.", re.DOTALL)
#: letters beyond ASCII count as such, as they do for Python's engine
_LETTERS = r"\w\x{c0}-\x{1fff}"
# RE2 repeats a thousand times at most, also where one repetition stands in another
_MAY_BE_TOO_MANY = re.compile(r"\{\d*,?\d{4,}|\)\{\d|\)[*+?]?\)\{")


class PatternError(ValueError):
    """A pattern that RE2 does not take. The message is RE2's."""


def _options(**chosen: Any) -> re2.Options:
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False  # they are raised
    for name, value in chosen.items():
        setattr(options, name, value)
    return options


# The German phrases take 4 MB; in the rest RE2 remembers how far texts like this one came.
_MEMORY = 16 << 20
_TEXTS = _options(max_mem=_MEMORY)
_ANY_CASE = _options(case_sensitive=False)
_BYTES = _options(encoding=re2.Options.Encoding.LATIN1, case_sensitive=False)
_SPELLED_BYTES = _options(encoding=re2.Options.Encoding.LATIN1)


def whole(pattern: str) -> Callable[[str], bool]:
    """Whether *pattern* takes the whole of a text. Raises PatternError."""
    compiled = _compiled(_spelled(pattern))
    return lambda text: compiled.fullmatch(text.encode("utf-8", "replace")) is not None


def first_of(patterns: Sequence[str]) -> Callable[[str], int | None]:
    """The place of the first of *patterns*, each of which ``whole`` takes, that takes the whole of a text, or None.

    They are compared without the numbers of their repetitions first, which is four times as fast; then the few that
    are left, exactly. RE2 counts by unrolling: to each place that '.{0,240}' has taken belongs a state of its own.
    """
    exact = [_spelled(pattern) for pattern in patterns]
    wide = re2.Set.FullMatchSet(_TEXTS)
    try:
        for pattern in patterns:
            wide.Add(_wide(pattern))
        wide.Compile()
    except re2.error as error:
        raise PatternError(_said(error)) from None
    compiled = lru_cache(maxsize=None)(lambda place: _compiled(exact[place]))

    def first(text: str) -> int | None:
        spelled = text.encode("utf-8", "replace")
        left = sorted(wide.Match(spelled) or ())
        return next((place for place in left if compiled(place).fullmatch(spelled)), None)

    return first


def doubtful(patterns: Sequence[str], texts: Sequence[str]) -> set[int]:
    """The places of those *patterns* that may be none, or may take the whole of one of *texts*: ``whole`` tells.

    That the others are in order shows all at once, in a sixth of the time.
    """
    doubted = {place for place, pattern in enumerate(patterns) if _MAY_BE_TOO_MANY.search(pattern)}
    if not patterns:
        return set()
    wide = re2.Set.FullMatchSet(_TEXTS)
    try:
        for pattern in patterns:
            wide.Add(_wide(pattern))
        wide.Compile()
    except re2.error:
        return set(range(len(patterns)))
    return doubted.union(*(wide.Match(text.encode()) or () for text in texts))


def any_in_bytes(words: Iterable[str]) -> Callable[[bytes], bool]:
    """Whether one of *words* stands in bytes in UTF-8, in capitals or not: in a fifth of the time of a search for
    each."""
    compiled = re2.compile(b"|".join(re2.escape(word.encode()) for word in sorted(words)), _BYTES)
    return lambda body: compiled.search(body) is not None


def in_bytes(pattern: str) -> Callable[[bytes], bool]:
    """Whether *pattern*, which is RE2's, is found in bytes. One that begins with a letter or more of its own is found
    as fast as those are: in a tenth of the time of a search for each word that it takes."""
    compiled = re2.compile(pattern.encode(), _SPELLED_BYTES)
    return lambda body: compiled.search(body) is not None


def any_in_text(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether one of *patterns*, which are RE2's, is found in a text, in capitals or not."""
    compiled = re2.compile("|".join(patterns).encode(), _ANY_CASE)
    return lambda text: compiled.search(text.encode("utf-8", "replace")) is not None


def _spelled(pattern: str) -> str:
    """*pattern* as RE2 has to read it to take what it takes for Python's engine."""
    return _PART.sub(lambda part: _spelled_part(part[0]), pattern)


def _spelled_part(part: str) -> str:
    if part[0] == "[":
        return _ESCAPED.sub(lambda escaped: _LETTERS if escaped[0] == r"\w" else escaped[0], part)
    if part == r"\w":
        return f"[{_LETTERS}]"
    return "{0," + part[2:] if part.startswith("{,") else part


def _wide(pattern: str) -> str:
    """What *pattern* takes, and what it would if all were repeated at will that it repeats by number."""
    return _PART.sub(lambda part: "*" if part[0][0] == "{" else part[0], _spelled(pattern))


def _compiled(pattern: str) -> Any:
    try:
        return re2.compile(pattern.encode(), _TEXTS)
    except re2.error as error:
        raise PatternError(_said(error)) from None


def _said(error: re2.error) -> str:
    said = error.args[0]
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
