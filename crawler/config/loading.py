"""The files of a configuration folder into one ``Configuration``, or into the list of their mistakes."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from crawler.config.settings_file import Settings
from crawler.config.source_file import Source
from crawler.config.table import Table
from crawler.config.watch_file import Watch
from pipelines.reading.body.boilerplate import Phrases
from pipelines.reading.rules import Rules

Model = TypeVar("Model", bound="Table")
SOURCE_NAME = re.compile(r"[a-z0-9_-]{1,60}")
#: runs of stored pages are listed under this name, so no source may have it
REPLAY = "replay"
#: a config file is written by hand; one that is larger is something else
LARGEST_FILE = 1_000_000


@dataclass(frozen=True, slots=True)
class Mistake:
    """One wrong thing: *file* as given, *key* dotted ("" for the whole file), *says* what was expected."""

    file: Path
    key: str
    says: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.says}" if self.key else f"{self.file}: {self.says}"


class ConfigError(Exception):
    """The configuration has mistakes; nothing may start with it. ``mistakes`` has all of them."""

    def __init__(self, mistakes: list[Mistake]):
        self.mistakes = mistakes
        count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "a mistake"
        super().__init__(f"The configuration has {count}:\n" + "\n".join(f"  {mistake}" for mistake in mistakes))


@dataclass(frozen=True)
class Configuration:
    """Everything from one config folder. ``phrases`` maps a language code to its boilerplate phrases."""

    folder: Path
    settings: Settings = field(default_factory=Settings)
    sources: dict[str, Source] = field(default_factory=dict)
    phrases: dict[str, Phrases] = field(default_factory=dict)
    watches: dict[str, Watch] = field(default_factory=dict)

    def source(self, name: str) -> Source:
        """Raise ``KeyError`` with a sentence that names the nearest source."""
        if name in self.sources:
            return self.sources[name]
        raise KeyError(f"there is no source {name!r} in {self.folder / 'sources'}{nearest(name, list(self.sources))}")

    @property
    def former_names(self) -> dict[str, str]:
        """A name that a source had -> the name that it has."""
        return {former: name for name, source in self.sources.items() for former in source.formerly}

    def rules(self) -> Rules:
        """Rules for pages that belong to no source file."""
        zone = ZoneInfo(self.settings.time_zone)
        return Rules(time_zone=zone, phrases=self.phrases, rights=self.settings.rights.policy())


def shipped_folder() -> Path:
    """``config/`` of the checkout, or the copy that lies in an installed package."""
    here = Path(__file__).resolve().parent.parent
    installed = here / "shipped" / "config"
    return installed if installed.is_dir() else here.parent / "config"


def default_folder() -> Path:
    """``NACHLESE_CONFIG``, or the shipped folder."""
    return Path(os.environ.get("NACHLESE_CONFIG") or shipped_folder())


def load(folder: Path | str | None = None, is_reading: bool = True) -> Configuration:
    """Read and check a config folder; raise ``ConfigError`` with all mistakes of all files.

    Not *is_reading*: for a command that reads no page. The phrases that are shipped are left out, because compiling
    them takes longer than such a command itself; those of the folder's own are checked all the same.
    """
    folder = Path(folder) if folder is not None else default_folder()
    mistakes: list[Mistake] = []
    if not folder.is_dir():
        raise ConfigError([Mistake(folder, "", "there is no such folder; expected settings.toml and sources/ in it")])
    if not (folder / "sources").is_dir():
        mistakes.append(
            Mistake(folder / "sources", "", "there is no such folder; expected one .toml file per source in it")
        )
    settings = load_settings(folder / "settings.toml", mistakes)
    phrases = load_phrases(folder, mistakes, is_reading)
    sources = {}
    for path in source_files(folder, mistakes):
        source = load_table(path, Source, mistakes)
        if source is not None:
            sources[path.stem] = source.bound(path.stem, settings, phrases)
    check_scrapy(folder / "settings.toml", settings.scrapy, mistakes)
    for name, source in sources.items():
        check_scrapy(folder / "sources" / f"{name}.toml", source.scrapy, mistakes)
    mistakes.extend(wrong_names(folder, sources))
    known = sorted(path.stem for path in (folder / "sources").glob("*.toml"))
    for name in settings.rights.sources:
        if name not in known:
            says = f"there is no source {name!r}{nearest(name, known)}"
            mistakes.append(Mistake(folder / "settings.toml", f"rights.sources.{name}", says))
    watches = load_watches(folder, sources, mistakes)
    if mistakes:
        raise ConfigError(mistakes)
    return Configuration(folder, settings, sources, phrases, watches)


def check_scrapy(path: Path, table: dict[str, Any], mistakes: list[Mistake]) -> None:
    """``[scrapy]`` of one file; without one, nothing of Scrapy is loaded."""
    if table:
        from crawler.config.scrapy_names import problems_of_table

        mistakes.extend(Mistake(path, key, says) for key, says in problems_of_table(table))


def wrong_names(folder: Path, sources: dict[str, Source]) -> Iterator[Mistake]:
    """Former names that are somebody's now, or two sources'."""
    known = {path.stem for path in (folder / "sources").glob("*.toml")}
    owners: dict[str, str] = {}
    for name, source in sources.items():
        for former in source.formerly:
            place = folder / "sources" / f"{name}.toml"
            if not SOURCE_NAME.fullmatch(former) or former == REPLAY:
                yield Mistake(place, "formerly", f"{former!r} is no name of a source")
            elif former in known:
                yield Mistake(place, "formerly", f"{former!r} has a source file of its own; remove that")
            elif owners.setdefault(former, name) != name:
                yield Mistake(place, "formerly", f"{former!r} is a former name of {owners[former]!r} already")


def load_watches(folder: Path, sources: dict[str, Source], mistakes: list[Mistake]) -> dict[str, Watch]:
    """A folder without ``watch/`` has no watchlists."""
    watches = {}
    known = {path.stem for path in (folder / "sources").glob("*.toml")}
    for path in toml_files(folder / "watch", "watchlist", mistakes):
        watch = load_table(path, Watch, mistakes)
        if watch is None:
            continue
        for name in watch.sources:
            if name not in known:
                says = f"there is no source {name!r}{nearest(name, sorted(known))}"
                mistakes.append(Mistake(path, "sources", says))
        watches[path.stem] = watch.bound(path.stem)
    return watches


def load_settings(path: Path, mistakes: list[Mistake]) -> Settings:
    """A folder without settings.toml has the default ones."""
    return (load_table(path, Settings, mistakes) if path.exists() else None) or Settings()


def load_phrases(folder: Path, mistakes: list[Mistake], is_reading: bool = True) -> dict[str, Phrases]:
    """The shipped languages; a file of the same name in the folder's own ``boilerplate/`` stands in for it.

    Not *is_reading*: the folder's own only.
    """
    places = [place / "boilerplate" for place in (shipped_folder(), folder)]
    files = {path.stem: path for place in places for path in sorted(place.glob("*.toml"))}
    if not is_reading:
        files = {language: path for language, path in files.items() if path.parent != places[0]}
    phrases = {}
    for language, path in files.items():
        try:
            phrases[language] = _phrases_of(path, path.stat().st_mtime_ns if path.is_file() else 0)
        except ConfigError as error:
            mistakes.extend(error.mistakes)
        except (ValueError, KeyError, TypeError, AttributeError, re.error) as error:
            mistakes.append(Mistake(path, "", str(error).removeprefix(f"{path}: ")))
    return phrases


@lru_cache(maxsize=32)
def _phrases_of(path: Path, changed: int) -> Phrases:
    """Once a file and process. Raises ConfigError where it is no TOML, PhrasesError where it is none of phrases."""
    mistakes: list[Mistake] = []
    table = read_toml(path, mistakes)
    if table is None:
        raise ConfigError(mistakes)
    return Phrases.of(table, path)


def source_files(folder: Path, mistakes: list[Mistake]) -> Iterator[Path]:
    for path in toml_files(folder / "sources", "source", mistakes):
        if path.stem == REPLAY:
            mistakes.append(Mistake(path, "", f"the name {REPLAY!r} is taken by runs of stored pages"))
        else:
            yield path


def toml_files(folder: Path, what: str, mistakes: list[Mistake]) -> Iterator[Path]:
    """The files of *folder* that are a *what* each; those that only look like one are mistakes."""
    for path in sorted(folder.glob("*")):
        if path.name.startswith(".") or path.suffix != ".toml":
            if path.suffix.lower() in (".yaml", ".yml", ".json", ".tml", ".toml") and not path.name.startswith("."):
                mistakes.append(Mistake(path, "", f"is no {what} file; expected {path.stem}.toml"))
        elif not SOURCE_NAME.fullmatch(path.stem):
            mistakes.append(Mistake(path, "", f"a {what}'s file name may hold a-z, 0-9, _ and -, up to 60 of them"))
        else:
            yield path


def load_table(path: Path, model: type[Model], mistakes: list[Mistake]) -> Model | None:
    table = read_toml(path, mistakes)
    if table is None:
        return None
    try:
        return model.model_validate(table)
    except ValidationError as error:
        mistakes.extend(Mistake(path, key_of(detail), said(detail, model)) for detail in error.errors())
        return None


def read_toml(path: Path, mistakes: list[Mistake]) -> dict[str, Any] | None:
    """The file's table, or None and a mistake that says what the file is instead."""
    try:
        if not path.is_file():
            raise ValueError("is no file")
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"is larger than {LARGEST_FILE // 1000} kB; a config file is written by hand")
        return tomllib.loads(toml_text(path.read_bytes()))
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        where = f"line {place[1]}, column {place[2]}: " if place else ""
        what = re.sub(r"\s*\(at .*?\)$", "", str(error))
        at_end = " (at the end of the file)" if "end of document" in str(error) else ""
        mistakes.append(Mistake(path, "", f"{where}this is no TOML: {what}{at_end}"))
    except RecursionError:
        mistakes.append(Mistake(path, "", "is nested too deeply"))
    except ValueError as error:
        mistakes.append(Mistake(path, "", str(error)))
    except OSError as error:
        mistakes.append(Mistake(path, "", f"cannot be read: {error.strerror}"))
    return None


def toml_text(data: bytes) -> str:
    """Raise ``ValueError`` with a sentence where the bytes are no UTF-8 text."""
    if not data.strip():
        raise ValueError("is empty")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[1:2] == b"\0" or data[:1] == b"\0":
        raise ValueError("is UTF-16 or binary; save it as UTF-8")
    if b"\0" in data:
        raise ValueError("is binary, no TOML")
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line}: is not UTF-8; save it as UTF-8") from None


def key_of(detail: ErrorDetails) -> str:
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")


def said(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """pydantic's finding as a sentence for the person who wrote the file."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        keys = allowed_keys(model, detail["loc"][:-1])
        return f"there is no such key{nearest(str(detail['loc'][-1]), keys)}; allowed here: {', '.join(keys)}"
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    if kind in ("model_type", "model_attributes_type"):
        return f"expected a table [{key_of(detail)}]"
    return f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, found {str(detail['input'])[:80]!r}"


def allowed_keys(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    for part in path:
        annotation = model.model_fields[str(part)].annotation
        assert isinstance(annotation, type)
        model = annotation
    return list(model.model_fields)


def nearest(word: str, words: list[str]) -> str:
    match = difflib.get_close_matches(word.lower(), words, n=1, cutoff=0.5)
    return f"; did you mean {match[0]!r}?" if match else ""
