"""Saved pages of a source and what came out of them: ``CONFIG/fixtures/NAME/``, a file a page and ``expected.json``.

``check`` reads the pages again by the rules of today and says what is different. Reading is pure and a page keeps the
time at which it was fetched, so a difference comes from the rules or from the reader, never from the clock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipelines.atomic import write_whole
from pipelines.items import Article, Hint, Page, Part, Reason, Rejected
from pipelines.reading.rules import Rules
from pipelines.workers import ReaderPool

EXPECTED = "expected.json"
#: what of an article is compared; the rest says which version of the reader it was
FIELDS = (
    "title", "teaser", "kicker", "text", "authors", "section", "published_at", "published_precision", "modified_at",
    "language", "kind", "is_accessible_for_free", "keywords", "agency", "dateline", "pages_read",
)  # fmt: skip

_HINT: TypeAdapter[Hint] = TypeAdapter(Hint)


@dataclass(frozen=True)
class Outcome:
    """What a page is read as: the values of an article, or the reason why it is none."""

    article: dict[str, Any] | None = None
    rejected: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class Saved:
    """One saved page with what came out of it last time."""

    file: str
    page: Page
    expected: Outcome


@dataclass(frozen=True)
class Difference:
    """One value that is not what it was; both as they stand in ``expected.json``."""

    key: str
    before: Any
    now: Any


@dataclass(frozen=True)
class Result:
    """A saved page, read again."""

    saved: Saved
    now: Outcome
    differences: tuple[Difference, ...] = field(default=())


class BadFixture(Exception):
    """A saved file that cannot be used; the message names it."""


def folder_of(config: Path, source: str) -> Path:
    return config / "fixtures" / source


def outcome_of(article: Article) -> Outcome:
    """An article as ``expected.json`` has it: strings, numbers, lists."""
    values = {name: plain_value(getattr(article, name)) for name in FIELDS}
    return Outcome({name: value for name, value in values.items() if value not in (None, "", [])})


def plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, str) else value


def rejected_of(reason: Reason | None, detail: str) -> Outcome:
    return Outcome(rejected=str(reason), detail=detail)


def write(folder: Path, pages: Iterable[tuple[Page, Outcome]]) -> int:
    """Save *pages* in *folder*, in place of what was saved there; how many. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if re.fullmatch(r"\d+(-\d+)?\.(html|txt)", old.name):
            old.unlink()
    records = []
    for number, (page, outcome) in enumerate(pages, start=1):
        name = f"{number:02}.{'txt' if page.content_type.startswith('text/plain') else 'html'}"
        (folder / name).write_bytes(page.body)
        more = []
        for count, part in enumerate(page.more, start=2):
            more.append({"file": f"{number:02}-{count}.html", "url": part.url, "content_type": part.content_type})
            (folder / more[-1]["file"]).write_bytes(part.body)
        records.append(record_of(name, page, more, outcome))
    save_expected(folder, records)
    return len(records)


def record_of(name: str, page: Page, more: list[dict[str, str]], outcome: Outcome) -> dict[str, Any]:
    record: dict[str, Any] = {
        "file": name,
        "url": page.url,
        "asked_url": page.asked_url,
        "content_type": page.content_type,
        "fetched_at": page.fetched_at.isoformat(),
    }
    if page.hint:
        hint = _HINT.dump_python(page.hint, mode="json")
        record["hint"] = {key: value for key, value in hint.items() if value not in (None, [])}
    if more:
        record["more"] = more
    return record | stated(outcome)


def stated(outcome: Outcome) -> dict[str, Any]:
    if outcome.article is not None:
        return {"article": outcome.article}
    return {"rejected": outcome.rejected, "detail": outcome.detail}


def save_expected(folder: Path, records: Sequence[dict[str, Any]]) -> None:
    text = json.dumps({"pages": records}, ensure_ascii=False, indent=1)
    write_whole(folder / EXPECTED, text.encode("utf-8", "backslashreplace") + b"\n")


def load(folder: Path, source: str) -> list[Saved]:
    """The saved pages of a source. Raises BadFixture where a file of them is missing or is not what it should be."""
    path = folder / EXPECTED
    try:
        records = json.loads(path.read_text("utf-8"))["pages"]
        return [_saved(folder, record, source) for record in records]
    except OSError as error:
        raise BadFixture(f"{error.filename or path}: {error.strerror}") from None
    except ValidationError as error:
        raise BadFixture(f"{path}: hint: {error.errors()[0]['msg']}") from None
    except (ValueError, KeyError, TypeError) as error:
        said = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise BadFixture(f"{path}: {said}; expected what `nachlese sources add` wrote") from None


def _saved(folder: Path, record: dict[str, Any], source: str) -> Saved:
    page = Page(
        url=record["url"],
        source=source,
        body=_file(folder, record["file"]),
        fetched_at=datetime.fromisoformat(record["fetched_at"]),
        content_type=record["content_type"],
        asked_url=record.get("asked_url"),
        hint=_HINT.validate_python(record["hint"]) if record.get("hint") else None,
        more=tuple(
            Part(part["url"], _file(folder, part["file"]), part["content_type"]) for part in record.get("more", [])
        ),
    )
    if page.fetched_at.tzinfo is None:
        raise ValueError(f"fetched_at of {record['file']} has no offset from UTC")
    expected = Outcome(record.get("article"), record.get("rejected"), record.get("detail", ""))
    return Saved(record["file"], page, expected)


def _file(folder: Path, name: str) -> bytes:
    if not re.fullmatch(r"[\w.-]+", name) or name.startswith("."):
        raise ValueError(f"{name!r} is no name of a saved page")
    return (folder / name).read_bytes()


async def read_now(page: Page, rules: Rules, readers: ReaderPool) -> Outcome:
    """What *page* is by *rules*, in a reader process. Trouble of this machine goes through."""
    try:
        return outcome_of(await readers.read(page, rules))
    except Rejected as rejected:
        return rejected_of(rejected.reason, rejected.detail)


async def check(saved: Saved, rules: Rules, readers: ReaderPool) -> Result:
    """Read a saved page by *rules*. Trouble of this machine goes through."""
    now = await read_now(saved.page, rules, readers)
    return Result(saved, now, differences(saved.expected, now))


def differences(before: Outcome, now: Outcome) -> tuple[Difference, ...]:
    """What is not as it was; the detail of a rejection is for people and may change."""
    if before.article is None or now.article is None:
        if before.rejected == now.rejected and (before.article is None) == (now.article is None):
            return ()
        return (Difference("outcome", before.rejected or "an article", now.rejected or "an article"),)
    keys = dict.fromkeys((*FIELDS, *before.article))
    pairs = ((key, before.article.get(key), now.article.get(key)) for key in keys)
    return tuple(Difference(key, old, new) for key, old, new in pairs if old != new)


def update(folder: Path, results: Sequence[Result]) -> None:
    """Write what came out now as what is expected from now on; the pages stay."""
    records = json.loads((folder / EXPECTED).read_text("utf-8"))["pages"]
    now = {result.saved.file: result.now for result in results}
    kept = [{key: value for key, value in record.items() if key not in ("article", "rejected", "detail")} | stated(
        now[record["file"]]) for record in records]  # fmt: skip
    save_expected(folder, kept)
