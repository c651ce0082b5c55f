"""The words of languages: ``config/languages/xx.toml``, one file a language, checked when it is loaded.

Python holds rules and no words of any language. A rule asks for the words of all languages (`either`, `words`), or of
one and of those that its file names ``beside`` it, where words of two languages would be taken for each other
(`company`). docs/adding-a-language.md explains the files; ``KEYS`` is the list of what they may hold.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pipelines.pattern_sets import doubtful
from pipelines.reading.language_keys import KEYS, Key, Shape
from pipelines.reading.regex_prefilter import sorted_by_letter

_FOLDERS = ("config/languages", "crawler/shipped/config/languages")  # in a checkout, in an installed package
_CODE = re.compile(r"[a-z]{2,3}")
_TOP = ("code", "name", "beside", "time_zones")
_LONGEST, _MOST = 400, 400  # characters of a pattern, entries of a list
_UNENDING = re.compile(r"\((?:[^()\\]|\\.)*[*+](?:[^()\\]|\\.)*\)[*+]|\{\d+,\}")
_NEVER = r"(?!)"
# words between blanks and plain signs: a pattern that needs no compiling to be known as one, as two in three are
_PLAIN = re.compile(r"[^\W_][\w ,:;'/-]*")
# a parenthesis that may capture, or look ahead or back, and an escape that RE2 may understand otherwise
_ODD = re.compile(r"\((?!\?:)|\\(?![bBdDsSwW\W])")
_ESCAPE = re.compile(r"\\.")


class LanguageError(ValueError):
    """A language file that cannot be used. The message has one line a mistake: file, key, what was expected."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language file. ``entries`` maps 'table.key' to its words or patterns; ``months`` and ``weekdays`` map a
    lower-case word to its number (months from 1, weekdays from Monday = 0), ``days_ago`` to days.
    """

    code: str
    name: str
    beside: tuple[str, ...] = ()
    time_zones: frozenset[str] = frozenset()
    entries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    months: Mapping[str, int] = field(default_factory=dict)
    weekdays: Mapping[str, int] = field(default_factory=dict)
    short_weekdays: Mapping[str, int] = field(default_factory=dict)
    days_ago: Mapping[str, int] = field(default_factory=dict)
    zones: Mapping[str, int] = field(default_factory=dict)


@lru_cache(maxsize=1)
def languages() -> dict[str, Language]:
    """The languages that are shipped, by code. Raises LanguageError, which names every mistake of every file."""
    root = Path(__file__).resolve().parents[2]
    folder = next((root / each for each in _FOLDERS if any((root / each).glob("*.toml"))), root / _FOLDERS[0])
    return load(folder)


def load(folder: Path) -> dict[str, Language]:
    """The language files of *folder*, by code. Raises LanguageError."""
    mistakes: list[str] = []
    found = {path.stem: _read(path, mistakes) for path in sorted(folder.glob("*.toml"))}
    for code, language in found.items():
        for other in language.beside:
            if other not in found:
                mistakes.append(
                    f"{folder / code}.toml: beside: there is no {other}.toml; there are: {', '.join(found)}"
                )
    if not found:
        mistakes.append(f"{folder}: no language file (xx.toml) in it")
    if mistakes:
        raise LanguageError("\n".join(mistakes))
    return found


def company(code: str | None) -> tuple[str, ...]:
    """*code* and the languages whose words its pages use as well; German's where there is no such file."""
    known = languages()
    first = known.get(code or "") or known.get("de") or next(iter(known.values()))
    return (first.code, *(other for other in first.beside if other != first.code))


def each(*keys: str, codes: Iterable[str] | None = None) -> tuple[str, ...]:
    """What the languages (all, or those of *codes* in their order) hold under 'table.key', as patterns."""
    known = languages()
    chosen = [known[code] for code in codes if code in known] if codes is not None else list(known.values())
    found: list[str] = []
    for key in keys:
        entries = [entry for language in chosen for entry in language.entries.get(key, ())]
        if KEYS[key].shape is Shape.WORDS:  # the longest first: what begins like another must not lose to it
            entries = sorted(map(re.escape, entries), key=len, reverse=True)
        found += entries
    return tuple(dict.fromkeys(found))


def either(*keys: str, codes: Iterable[str] | None = None) -> str:
    """One pattern that matches any entry under *keys*; one that never matches where no language has an entry."""
    found = each(*keys, codes=codes)
    return f"(?:{'|'.join(found)})" if found else _NEVER


def sorted_either(*keys: str, codes: Iterable[str] | None = None) -> str:
    """The same for long texts, sorted by first letter, which is several times as quick. Case must not be ignored."""
    return sorted_by_letter(each(*keys, codes=codes), ignores_case=False)


def words(*keys: str, codes: Iterable[str] | None = None) -> frozenset[str]:
    """The words under *keys*, lower case."""
    known = languages()
    chosen = [known[code] for code in codes if code in known] if codes is not None else list(known.values())
    return frozenset(word.lower() for key in keys for each in chosen for word in each.entries.get(key, ()))


# -- one file ---------------------------------------------------------------------------------------------------------


def _read(path: Path, mistakes: list[str]) -> Language:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        mistakes.append(f"{path}: cannot be read as TOML in UTF-8: {error}")
        return Language(path.stem, path.stem)
    wrong: list[tuple[str, str]] = list(_wrong_top(path, table))
    entries: dict[str, tuple[str, ...]] = {}
    numbered: dict[str, dict[str, int]] = {}
    doubted = _doubted(table)
    for key, value in _flat(table):
        if key not in KEYS:
            near = get_close_matches(key, KEYS, n=1, cutoff=0.5)
            wrong.append((key, f"there is no such key{f'; did you mean {near[0]!r}?' if near else ''}"))
            continue
        shape = KEYS[key].shape
        found = list(_wrong_value(KEYS[key], value, doubted))
        wrong += [(key, what) for what in found]
        if found:
            continue
        if shape in (Shape.WORDS, Shape.PATTERNS):
            entries[key] = tuple(value)
        elif shape is Shape.NUMBERS:
            numbered[key] = {word.lower(): number for word, number in value.items()}
        else:
            first = 1 if shape is Shape.TWELVE else 0
            numbered[key] = {word.lower(): place + first for place, row in enumerate(value) for word in row}
    present = {key for key, _ in _flat(table)}
    wrong += [(key, f"is missing: {KEYS[key].about}") for key in KEYS if KEYS[key].is_needed and key not in present]
    mistakes += [f"{path}: {key}: {what}" for key, what in wrong]
    return Language(
        code=path.stem,
        name=str(table.get("name", path.stem)),
        beside=tuple(each for each in table.get("beside", ()) if isinstance(each, str)),
        time_zones=frozenset(each for each in table.get("time_zones", ()) if isinstance(each, str)),
        entries=entries,
        months=numbered.get("dates.months", {}),
        weekdays=numbered.get("dates.weekdays", {}),
        short_weekdays=numbered.get("dates.weekdays_short", {}),
        days_ago=numbered.get("dates.days_ago", {}),
        zones=numbered.get("dates.zones", {}),
    )


def _wrong_top(path: Path, table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not _CODE.fullmatch(path.stem):
        yield "file name", f"expected the language's code (ISO 639-1) as de.toml, found {path.name!r}"
    if table.get("code") != path.stem:
        yield "code", f"expected {path.stem!r}, the file's name, found {table.get('code')!r}"
    if not isinstance(table.get("name"), str):
        yield "name", "expected the language's English name as text"
    for key in ("beside", "time_zones"):
        value = table.get(key, [])
        if not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
            yield key, "expected a list of texts"
    for zone in table.get("time_zones", []):
        if isinstance(zone, str) and not _is_time_zone(zone):
            near = get_close_matches(zone, available_timezones(), n=1)
            yield "time_zones", f"{zone!r} is no time zone{f'; did you mean {near[0]!r}?' if near else ''}"


def _is_time_zone(name: str) -> bool:
    """Whether there is such a zone; for a list of all of them, a whole folder would be walked."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones
        return False
    return True


def _flat(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The keys of the file's tables as 'table.key'; what stands outside a table under its own name."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", inner) for key, inner in value.items())
        elif name not in _TOP:
            yield name, value


def _doubted(table: Mapping[str, Any]) -> Set[str]:
    """Those patterns of a file that Python's engine has to judge. That the others are in order RE2 sees in one look,
    in a tenth of the time."""
    lists = [value for key, value in _flat(table) if key in KEYS and KEYS[key].shape is Shape.PATTERNS]
    texts = [text for value in lists if isinstance(value, list) for text in value if isinstance(text, str)]
    rest = [text for text in texts if len(text) <= _LONGEST and not _PLAIN.fullmatch(text)]
    odd = {text for text in rest if _ODD.search(text)}
    rest = [text for text in rest if text not in odd]
    return odd.union(rest[place] for place in doubtful(rest, [""]))


def _wrong_value(key: Key, value: Any, doubted: Set[str]) -> Iterator[str]:
    """What is wrong with a key's value, a sentence each. Only the patterns that are *doubted* are compiled."""
    shape = key.shape
    if shape in (Shape.WORDS, Shape.PATTERNS):
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            yield "expected a list of texts"
        elif len(value) > _MOST:
            yield f"has {len(value)} entries; {_MOST} are allowed"
        elif shape is Shape.PATTERNS:
            yield from (
                f"{each!r} {what}" for each in value if (what := _wrong_pattern(each, key.are_small, each in doubted))
            )
    elif shape is Shape.NUMBERS:
        if not isinstance(value, dict) or not all(isinstance(each, int) for each in value.values()):
            yield "expected a table of words and whole numbers"
    else:
        rows = 12 if shape is Shape.TWELVE else 7
        if not isinstance(value, list) or len(value) != rows or not all(_is_row(row) for row in value):
            yield f"expected {rows} lists of words"


def _is_row(row: Any) -> bool:
    return isinstance(row, list) and bool(row) and all(isinstance(word, str) and word for word in row)


def _wrong_pattern(text: str, is_small: bool, is_doubted: bool) -> str | None:
    """Why *text* cannot be one of many alternatives in a pattern, or None."""
    if len(text) > _LONGEST:
        return f"has more than {_LONGEST} characters"
    if is_small and (letters := _ESCAPE.sub("", text)) != letters.lower():
        return "has a capital; it meets texts in small letters"
    if is_doubted:
        try:
            compiled = re.compile(text)
        except re.error as error:
            return f"is no regular expression: {error}"
        if compiled.groups:
            return "has a group that captures; write (?:...)"
        if compiled.match(""):
            return "matches nothing at all as well"
    if _UNENDING.search(text):
        return "repeats a repetition, or repeats without an end; bound it: {0,60}"
    return None
