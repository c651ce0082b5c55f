"""Phrases that open or make up boilerplate, per language: ``config/boilerplate/LANGUAGE.toml`` as compiled patterns.

A phrase file has one table a section ('related', 'newsletter', ...). ``opens`` are headings under which foreign
matter stands, ``whole`` are paragraphs that are nothing but boilerplate. Both are regular expressions that must match
the *whole* paragraph, so a sentence which merely contains the words stays. ``ends`` are the last words of teasers of
other articles, whatever their length: '(Ausland, 24.01.2026 - 08:26) weiterlesen'.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.reading.regex_prefilter import either, name_of

if TYPE_CHECKING:
    from pipelines.patterns import Whole

# A paragraph longer than this is never looked at: prompts are short, and it keeps a page of prose nearly free.
LONGEST = 300
# Several sentences may each be a prompt, as in a notice of consent; the first that is none ends the look at them.
LONGEST_OF_SENTENCES = 800
_SENTENCES = re.compile(r"(?<=[.!?…])\s+(?=[A-ZÄÖÜ„\"“«»])|\n+")
_SENTENCE_END = re.compile(r"[.!?…]\s+(?=[A-ZÄÖÜ„\"“«»])|\n+")
_LEAST_SHARE = 0.6
# What a section takes when it does not say: two printed lines.
DEFAULT_WHOLE = 160
LONGEST_HEADING = 90

_SECTION_KEYS = ("about", "opens", "whole", "ends", "longest")
# Where the last words of a teaser are looked for.
_END = 120
_TOP_KEYS = ("language", "words")
_NAME = re.compile(r"[a-z][a-z_]*\Z")
_WORD = re.compile(r"<([a-z_]+)>")
# In lower case, as texts are when they are compared.
_PROBES = (
    "",
    "der minister sagte am montag, die lage im land sei weiterhin ernst",
    "the minister said on monday that the situation remained serious",
    "le ministre a dit lundi que la situation restait grave",
)
# Umlauts are compared in their two-letter spelling, typographic marks in their plain one.
_PLAIN = tuple(
    {
        "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ẞ": "SS",
        "’": "'", "‘": "'", "`": "'", "´": "'", "–": "-", "—": "-", "‑": "-", "‐": "-", "−": "-", "…": "...",
        "„": '"', "“": '"', "”": '"', "«": '"', "»": '"',
        "\u00ad": "", "\u200b": "", "\u200c": "", "\u200d": "", "\u2060": "", "\ufeff": "", "\ufe0f": "",
        "*": "",
    }.items()
)  # fmt: skip
_LEAVES_OPEN = re.compile(r"\.\{\d|\.[*+]|\\S|\[\^")  # a pattern that takes words which it does not name
_BEGIN = re.compile(r"\A(?:[^\w©#@]|_)+")


class PhrasesError(ValueError):
    """A phrase file that cannot be used. The message has one line a mistake: file, key, what was expected."""


@dataclass(frozen=True)
class PhraseSet:
    """Section -> patterns. A text is held against all of them at once, in time that grows with its length alone.

    They are compiled when the first text comes. Those of all languages take a quarter of a second, and a command that
    looks at tables needs none.
    """

    sections: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_bounded: bool = False  # patterns of a source file, which may be none of RE2's

    def __reduce__(self) -> tuple[Callable[..., PhraseSet], tuple[tuple[tuple[str, tuple[str, ...]], ...], bool]]:
        return _shared, (tuple((name, tuple(patterns)) for name, patterns in self.sections.items()), self.is_bounded)

    def section(self, text: str) -> str | None:
        """The first section with a pattern that takes the whole of *text*, which is spelled plainly, or None."""
        return self.compiled(text.lower()) if text else None

    @cached_property
    def compiled(self) -> Callable[[str], str | None]:
        """The section of a text in lower case. To ask for it is to compile: for a process that is forked afterwards."""
        parts = [(name, pattern) for name, patterns in self.sections.items() for pattern in patterns]
        if not parts:
            return lambda text: None
        return _by_bounded_pattern(parts) if self.is_bounded else _by_set(parts)


def _by_set(parts: Sequence[tuple[str, str]]) -> Callable[[str], str | None]:
    from pipelines.pattern_sets import first_of  # loads RE2; commands that only look need none

    first = first_of([pattern for _, pattern in parts])

    def section(text: str) -> str | None:
        place = first(text)
        return None if place is None else parts[place][0]

    return section


def _by_bounded_pattern(parts: Sequence[tuple[str, str]]) -> Callable[[str], str | None]:
    whole = _bounded(either(parts, after=r"\Z"))

    def section(text: str) -> str | None:
        found = whole.match(text)
        return name_of(found) if found else None

    return section


def _bounded(pattern: str, ignores_case: bool = False) -> Whole:
    from pipelines.patterns import Whole  # loads another engine; only patterns of source files need it

    return Whole(pattern, ignores_case)


@lru_cache(maxsize=256)
def _shared(sections: tuple[tuple[str, tuple[str, ...]], ...], is_bounded: bool) -> PhraseSet:
    """The patterns of these sections, once a process: all sources have the same phrases, and rules come pickled."""
    return PhraseSet(dict(sections), is_bounded)


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases of one language, from ``config/boilerplate/LANGUAGE.toml``.

    ``opens`` and ``whole`` tell the section of a heading and of a whole paragraph. ``limits`` is the longest paragraph
    in characters that a section takes, ``longest`` the longest of all. ``ends`` is searched at the end of a paragraph.
    """

    language: str = ""
    opens: PhraseSet = field(default_factory=PhraseSet)
    whole: PhraseSet = field(default_factory=PhraseSet)
    opens_strictly: PhraseSet = field(default_factory=PhraseSet)
    limits: Mapping[str, int] = field(default_factory=dict)
    longest: int = 0
    ends: re.Pattern[str] | None = None

    def compile(self) -> None:
        """Compile all patterns now: for a process that is forked afterwards."""
        for each in (self.opens, self.whole, self.opens_strictly):
            _ = each.compiled

    @classmethod
    def load(cls, path: Path | str) -> Phrases:
        """Read a phrase file. Raises ``PhrasesError`` that names every mistake, or ``OSError``."""
        path = Path(path)
        try:
            data = tomllib.loads(path.read_bytes().decode("utf-8"))
        except UnicodeDecodeError as error:
            raise PhrasesError(f"{path}: expected UTF-8 text ({error.reason} at byte {error.start})") from error
        except tomllib.TOMLDecodeError as error:
            raise PhrasesError(f"{path}: expected TOML ({error})") from error
        return cls.of(data, path)

    @classmethod
    def of(cls, table: dict[str, Any], path: Path) -> Phrases:
        """The *table* of the phrase file *path*. Raises ``PhrasesError`` that names every mistake."""
        return _checked(table, str(path))


def site_phrases(patterns: tuple[str, ...]) -> Phrases:
    """The ``phrases`` of a source file as whole-paragraph patterns; the rule is named ``site``.

    Raises ``PhrasesError`` for a pattern that is no regular expression or that takes any sentence.
    """
    return _site_phrases(patterns)


@lru_cache(maxsize=256)
def _site_phrases(patterns: tuple[str, ...]) -> Phrases:
    section = {"whole": list(patterns), "longest": LONGEST}
    return _checked({"language": "any", "site": section}, "phrases", is_bounded=True)


def rule_for(paragraph: str, phrases: Phrases | None) -> str | None:
    """The section that takes *paragraph* for boilerplate, or None. A heading that opens a block is boilerplate too."""
    if phrases is None:
        return None
    if phrases.ends and (found := phrases.ends.search(_plain(paragraph[-_END:]).lower())):
        return found.lastgroup
    if len(paragraph) > LONGEST_OF_SENTENCES:
        return None
    return _rule_for_one(paragraph, phrases) or _rule_for_each(paragraph, phrases)


def _rule_for_each(paragraph: str, phrases: Phrases) -> str | None:
    """The rule of the first sentence or line, where nearly all the others are boilerplate by themselves too."""
    end = _SENTENCE_END.search(paragraph)
    if end is None:
        return None
    sentence = paragraph[: end.start()] if end[0][0] == "\n" else paragraph[: end.start() + 1]
    first = _rule_for_one(sentence, phrases)
    if first is None:
        return None
    sentences = _SENTENCES.split(paragraph[end.end() :])
    taken = [each for each in sentences if _rule_for_one(each, phrases)]
    if len(taken) == len(sentences):
        return first
    # a notice of consent has its own sentence somewhere; two that are known make the third one likely
    share = (len(sentence) + sum(map(len, taken))) / len(paragraph)
    return first if len(taken) >= 2 and share >= _LEAST_SHARE else None


def _rule_for_one(paragraph: str, phrases: Phrases) -> str | None:
    if len(paragraph) > phrases.longest:
        return None
    text = _plain(paragraph)
    section = phrases.whole.section(text)
    if section and len(text) <= phrases.limits[section]:
        return section
    if len(text) > LONGEST_HEADING or _is_statement(paragraph):
        return None
    return phrases.opens.section(text)


def opens_block(heading: str, phrases: Phrases | None, *, strictly: bool = False) -> str | None:
    """The section of foreign matter that *heading* opens ('Mehr zum Thema' -> ``related``), or None.

    *strictly*: only where the phrase leaves no words open; 'More on ...' may also begin a heading of the article.
    """
    if phrases is None or len(heading) > LONGEST_HEADING or _is_statement(heading):
        return None
    return (phrases.opens_strictly if strictly else phrases.opens).section(_plain(heading))


def _is_statement(text: str) -> bool:
    """'Mehr zum Thema sagte der Minister nicht.' is a sentence, 'Mehr zum Thema ...' is none."""
    text = text.rstrip()
    return text.endswith(".") and not text.endswith("..") and text.count(" ") >= 3


def _plain(text: str) -> str:
    """*text* on one line, umlauts and marks spelled plainly, without bullets, arrows and final punctuation."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        for mark, plain in _PLAIN:  # ten times as fast as str.translate, because most marks are not there
            if mark in text:
                text = text.replace(mark, plain)
    elif "*" in text:
        text = text.replace("*", "")
    text = " ".join(text.split())
    if not text[:1].isalnum():
        text = _BEGIN.sub("", text, count=1)
    end = len(text)
    while end and not text[end - 1].isalnum():
        end -= 1
    text = text[:end]
    return text + ")" if text.count("(") > text.count(")") else text


def _checked(data: dict[str, Any], where: str, is_bounded: bool = False) -> Phrases:
    mistakes: list[str] = []
    language = data.get("language")
    if not isinstance(language, str) or not language:
        mistakes.append(f"{where}: language: expected a language code such as 'de'")
    words = _words(data.get("words", {}), where, mistakes)
    opens: dict[str, list[str]] = {}
    whole: dict[str, list[str]] = {}
    ends: dict[str, list[str]] = {}
    limits: dict[str, int] = {}
    everything: dict[str, str] = {}  # pattern by its place in the file
    for name, section in data.items():
        if name in _TOP_KEYS:
            continue
        if not isinstance(section, dict):
            mistakes.append(
                f"{where}: {name}: expected a table or one of {_listed(_TOP_KEYS)}{_nearest(name, _TOP_KEYS)}"
            )
            continue
        if not _NAME.match(name):
            mistakes.append(f"{where}: [{name}]: expected a name of lower-case letters and '_'")
            continue
        _check_section(name, section, where, mistakes)
        limits[name] = section.get("longest", DEFAULT_WHOLE)
        for key, found in (("opens", opens), ("whole", whole), ("ends", ends)):
            plain = _patterns(name, key, section, words, where, mistakes)
            found[name] = list(plain.values())
            everything |= plain
    mistakes += _wrong(everything, is_bounded)
    if mistakes:
        raise PhrasesError("\n".join(mistakes))
    longest = max([LONGEST_HEADING, *limits.values()]) + 20  # room for marks that are taken off before measuring
    strict = {name: [each for each in patterns if not _LEAVES_OPEN.search(each)] for name, patterns in opens.items()}
    openings, wholes, strictly = (PhraseSet(each, is_bounded) for each in (opens, whole, strict))
    return Phrases(str(language), openings, wholes, strictly, limits, longest, _either(ends))


def _words(table: object, where: str, mistakes: list[str]) -> dict[str, str]:
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        mistakes.append(f"{where}: [words]: expected a table of name = 'pattern'")
        return {}
    words: dict[str, str] = {}
    for name, pattern in table.items():  # a word may use those above it
        unknown = [word for word in _WORD.findall(pattern) if word not in words]
        if unknown:
            mistakes.append(
                f"{where}: [words] {name}: <{unknown[0]}> is not defined above it{_nearest(unknown[0], words)}"
            )
        words[name] = _filled(pattern, words)
    return words


def _filled(pattern: str, words: dict[str, str]) -> str:
    return _WORD.sub(lambda found: f"(?:{words.get(found[1], '')})", pattern)


def _check_section(name: str, section: dict[str, Any], where: str, mistakes: list[str]) -> None:
    for key in section:
        if key not in _SECTION_KEYS:
            mistakes.append(f"{where}: [{name}] {key}: unknown key, expected one of "
                            f"{_listed(_SECTION_KEYS)}{_nearest(key, _SECTION_KEYS)}")  # fmt: skip
    for key in ("opens", "whole", "ends"):
        value = section.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            mistakes.append(f"{where}: [{name}] {key}: expected a list of patterns")
            section[key] = []
    longest = section.get("longest", DEFAULT_WHOLE)
    if isinstance(longest, bool) or not isinstance(longest, int) or not 0 < longest <= LONGEST:
        mistakes.append(f"{where}: [{name}] longest: expected a number of characters from 1 to {LONGEST}")
        section["longest"] = DEFAULT_WHOLE
    if not isinstance(section.get("about", ""), str):
        mistakes.append(f"{where}: [{name}] about: expected a sentence for people")


def _patterns(
    name: str, key: str, section: dict[str, Any], words: dict[str, str], where: str, mistakes: list[str]
) -> dict[str, str]:
    """The patterns of one list, words filled in and spelled plainly, by the place that a mistake in one names."""
    plain: dict[str, str] = {}
    for pattern in section.get(key, []):
        place = f"{where}: [{name}] {key}: {pattern!r}"
        if "(?P" in pattern:
            mistakes.append(f"{place}: expected a pattern without named groups")
            continue
        unknown = [word for word in _WORD.findall(pattern) if word not in words]
        if unknown:
            allowed = _nearest(unknown[0], words) or f", expected one of {_listed(words)}"
            mistakes.append(f"{place}: <{unknown[0]}> is not in [words]{allowed}")
            continue
        if _UMLAUT_IN_SET.search(pattern):
            mistakes.append(f"{place}: expected umlauts outside of [...]: (ä|ö)")
            continue
        filled = _filled(pattern, words)
        plain[place] = _quick(filled if filled.isascii() else filled.translate(_PATTERN_PLAIN))
    return plain


def _wrong(plain: dict[str, str], is_bounded: bool) -> Iterator[str]:
    """The mistakes in patterns by their places. All of a file are looked at together: each look has its price."""
    places, patterns = list(plain), list(plain.values())
    for number in sorted(_doubtful(patterns, is_bounded)):
        if wrong := _mistake(patterns[number], is_bounded):
            yield f"{places[number]}: {wrong}"


def _doubtful(patterns: Sequence[str], is_bounded: bool) -> Iterable[int]:
    from pipelines.pattern_sets import doubtful

    return range(len(patterns)) if is_bounded else doubtful(patterns, _PROBES)


def _mistake(pattern: str, is_bounded: bool) -> str | None:
    """What is wrong with a pattern, looked at by itself."""
    from pipelines.pattern_sets import PatternError, whole

    if is_bounded and (wrong := _syntax_error(pattern)):
        return wrong
    try:
        takes = _bounded(pattern, ignores_case=True).fullmatch if is_bounded else whole(pattern)
    except PatternError as error:
        return _syntax_error(pattern) or f"expected a pattern that looks neither ahead nor back ({error})"
    return "expected a phrase, this takes any sentence" if any(map(takes, _PROBES)) else None


def _syntax_error(pattern: str) -> str | None:
    """What Python's engine has against a pattern: for those that RE2 has something against, since it takes longer."""
    try:
        re.compile(pattern)
    except re.error as error:
        return f"expected a regular expression ({error})"
    return None


def _quick(pattern: str) -> str:
    """A pattern for texts in lower case that remembers no groups: many times as fast as one that ignores case."""
    return "".join(
        "(?:" if part == "(" else part if _ESCAPED_CAPITAL.search(part) else part.lower()
        for part in _PARTS.findall(pattern)
    )


# an escaped character, a set, the beginning of a group, everything between them
_PARTS = re.compile(r"\\.|\[\^?\]?(?:[^\]\\]|\\.)*\]|\(\?|\(|[^\\(\[]+", re.DOTALL)
_ESCAPED_CAPITAL = re.compile(r"\\[A-Z]")

# In a pattern '*' is a repetition, so only letters are respelled; the two letters stay one unit for a following '?'.
_PATTERN_PLAIN = str.maketrans(
    {"ä": "(?:ae)", "ö": "(?:oe)", "ü": "(?:ue)", "Ä": "(?:ae)", "Ö": "(?:oe)", "Ü": "(?:ue)", "ß": "(?:ss)",
     "’": "'", "–": "-", "…": r"\.\.\."}
)  # fmt: skip
_UMLAUT_IN_SET = re.compile(r"(?<!\\)\[[^\]]*[äöüßÄÖÜ]")


def _either(sections: dict[str, list[str]]) -> re.Pattern[str] | None:
    groups = [f"(?P<{name}>{'|'.join(patterns)})" for name, patterns in sections.items() if patterns]
    return re.compile(rf"(?:{'|'.join(groups)})\Z") if groups else None


def _nearest(key: str, allowed: object) -> str:
    close = get_close_matches(key, list(allowed), n=1)  # type: ignore[call-overload]
    return f" (did you mean {close[0]!r}?)" if close else ""


def _listed(names: object) -> str:
    return ", ".join(sorted(names)) or "nothing"  # type: ignore[call-overload]
