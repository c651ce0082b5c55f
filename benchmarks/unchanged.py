"""Whether a change of the reader changed what it reads: every field of every page, letter for letter.

    python -m benchmarks.unchanged --write FILE [--corpus DIR] [--limit N]      before the change
    python -m benchmarks.unchanged --compare FILE [--corpus DIR] [--limit N]    after it

Each page is read three times: without knowing anything of its source, while the source is learned, and with the
container known that this has told. A difference is named with its page and field; exit code 1 where there is one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from benchmarks.reading import BESIDE, documents, is_corpus, scorer
from pipelines.items import Page, Rejected
from pipelines.reading import read, shipped_rules
from pipelines.reading.rules import Rules, SiteModel

#: pages whose time of fetching is not in the corpus were fetched then: a reading must not depend on today
FETCHED = datetime(2026, 11, 1, 12, tzinfo=UTC)
_MOST_SHOWN = 20

Record = dict[str, Any]


def readings(page: Page, rules: Rules) -> Iterator[tuple[str, Record]]:
    """(how it was read, all fields) of *page*; with its container only where one was found."""
    yield "general", _record(page, rules)
    learned = _record(page, replace(rules, site_model=SiteModel(learning=True)))
    yield "learning", learned
    if container := learned.get("container"):
        yield "known", _record(page, replace(rules, site_model=SiteModel(state=1, containers=(container,))))


def _record(page: Page, rules: Rules) -> Record:
    try:
        record: Record = json.loads(json.dumps(asdict(read(page, rules)), default=str))
    except Rejected as rejected:
        return {"rejected": str(rejected)}
    return record


def differences(before: Record, after: Record) -> Iterator[str]:
    """The fields that are not the same, with both values, cut."""
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield f"{name}: {str(before.get(name))[:150]!r} -> {str(after.get(name))[:150]!r}"


def _page(doc: Record, body: bytes) -> Page:
    at = datetime.fromisoformat(doc["fetched_at"]) if doc.get("fetched_at") else FETCHED
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return Page(doc["url"] or "", "corpus", body, at, "text/html; charset=utf-8")


def _corpus_readings(corpus: Path, limit: int | None, console: Console) -> Iterator[tuple[str, Record]]:
    score, rules = scorer(corpus), shipped_rules()
    for doc in track(documents(corpus, limit=limit), "reading", console=console):
        body = score.html(doc)
        page = _page(doc, body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body)
        for way, record in readings(page, rules):
            yield f"{doc['id']} {way}", record


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.unchanged", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--corpus", type=Path, default=BESIDE, help="a folder with docs.jsonl, score.py and the pages")
    parser.add_argument("--limit", type=int, metavar="N", help="read N pages, spread over the corpus")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", type=Path, metavar="FILE", help="keep what is read, a page a line")
    what.add_argument("--compare", type=Path, metavar="FILE", help="compare what is read with what was kept")
    options = parser.parse_args()
    console = Console(stderr=True)
    if not is_corpus(options.corpus, "benchmarks.unchanged", console):
        return 0
    found = _corpus_readings(options.corpus, options.limit, console)
    if options.write:
        with options.write.open("w", encoding="utf-8") as lines:
            for key, record in found:
                lines.write(json.dumps([key, record]) + "\n")
        return 0
    return _compared(options.compare, found)


def _compared(kept: Path, found: Iterator[tuple[str, Record]]) -> int:
    # at line feeds only: a text may hold other signs at which `splitlines` would cut
    before = dict(json.loads(line) for line in kept.read_text("utf-8").split("\n") if line)
    seen, different = 0, 0
    for key, record in found:
        seen += 1
        wrong = list(differences(before.get(key, {}), record))
        different += bool(wrong)
        if wrong and different <= _MOST_SHOWN:
            print(f"{key}\n  " + "\n  ".join(wrong))
    print(f"{seen} readings of {len(before)} that were kept, {different} of them different")
    return 1 if different or seen != len(before) else 0


if __name__ == "__main__":
    raise SystemExit(main())
