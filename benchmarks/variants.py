"""Reads rewritten variants of a corpus' pages: what a reader loses where a page only looks different.

    python -m benchmarks.variants [--corpus DIR] [--readers NAMES] [--rewritings NAMES] [--only SET] [--limit N]
                                  [--json]

Each page is rewritten in every way of ``benchmarks.rewriting``: other names of classes, no data for machines, divs for
semantic tags, foreign blocks between the paragraphs, other encodings and so on. What a person would take for the
article is the same, so the truth is too. A row tells the figures of ``benchmarks.reading`` and, behind each, what was
gained or lost against the pages as they are; 'foreign' is the share of the sentences put in that were taken for the
article's.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.reading import (
    BESIDE,
    COLUMNS,
    READERS,
    SETS,
    Doc,
    Run,
    documents,
    figures,
    installed,
    is_corpus,
    progress_bar,
    scorer,
    timed,
)
from benchmarks.rewriting import REWRITINGS, rewritten

AS_IT_IS = "as it is"


def run(
    docs: list[Doc], score: Any, names: list[str], ways: list[str], progress: Progress | None = None
) -> dict[str, dict[str, Run]]:
    """Rewriting -> reader -> what it did. A page that a rewriting leaves as it is keeps its first prediction."""
    readers = {name: READERS[name][1]() for name in names}
    done = {way: {name: Run() for name in names} for way in (AS_IT_IS, *ways)}
    task = progress.add_task("reading", total=len(docs)) if progress else None
    for doc in docs:
        page = score.html(doc)
        for name, reader in readers.items():
            timed(reader, doc, page, done[AS_IT_IS][name])
        for way in ways:
            changed = rewritten(doc, page, way)
            for name, reader in readers.items():
                if changed:
                    timed(reader, doc, changed[0], done[way][name])
                    done[way][name].predictions[doc["id"]]["foreign"] = changed[1]
                else:
                    done[way][name].predictions[doc["id"]] = done[AS_IT_IS][name].predictions[doc["id"]]
        if progress and task is not None:
            progress.advance(task)
    return done


def judged(docs: list[Doc], read: Run, score: Any) -> dict[str, Any]:
    """The scorer's figures for one reader and one rewriting, the share of foreign sentences in the texts, how many
    pages were changed and how many refused.
    """
    put_in = [
        (sentence, got.get("text") or "") for got in read.predictions.values() for sentence in got.get("foreign", ())
    ]
    return {
        "figures": figures(docs, read, score),
        "foreign": 100 * sum(sentence in text for sentence, text in put_in) / len(put_in) if put_in else None,
        "changed": len(read.milliseconds),
        "rejected": sum("rejected" in each for each in read.predictions.values()),
    }


def table(name: str, results: dict[str, dict[str, Any]]) -> Table:
    """One reader's figures, a row a rewriting, each with its gain or loss against the pages as they are."""
    shown = Table(title=f"{name}: percent (and what was gained or lost)")
    shown.add_column("rewriting")
    for column in ("pages", *COLUMNS, "foreign", "rejected"):
        shown.add_column(column, justify="right")
    first = results[AS_IT_IS]["figures"]
    for way, result in results.items():
        cells = []
        for of, keys in COLUMNS.values():
            pairs = [(result["figures"].get(of, {}).get(key), first.get(of, {}).get(key)) for key in keys]
            cells.append(" / ".join("-" if got is None else f"{got:.1f}{_gain(got, had)}" for got, had in pairs))
        cells.append("-" if result["foreign"] is None else f"{result['foreign']:.0f}")
        shown.add_row(way, str(result["changed"]), *cells, str(result["rejected"]))
    return shown


def _gain(got: float, had: float | None) -> str:
    return f" ({got - had:+.1f})" if had is not None and abs(got - had) >= 0.05 else ""


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    corpus = options.corpus or BESIDE
    console = Console(stderr=True)
    if not is_corpus(corpus, "benchmarks.variants", console):
        return 0
    score = scorer(corpus)
    docs = documents(corpus, options.only, options.limit)
    ways = options.rewritings.split(",") if options.rewritings else list(REWRITINGS)
    names = installed(options.readers.split(","), console)
    with progress_bar(console) as progress:
        done = run(docs, score, names, ways, progress)
    results = {name: {way: judged(docs, done[way][name], score) for way in done} for name in names}
    if options.json:
        print(json.dumps({"pages": len(docs), "readers": results}, indent=1))
        return 0
    for name, of in results.items():
        Console(width=None if sys.stdout.isatty() else 220).print(table(name, of))
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.variants", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--corpus", type=Path, help="folder with docs.jsonl, score.py and the pages")
    parser.add_argument(
        "--readers", default="nachlese,trafilatura", metavar="NAME,NAME", help=f"of {', '.join(READERS)}"
    )
    parser.add_argument("--rewritings", metavar="NAME,NAME", help=f"of {', '.join(REWRITINGS)}; all when not given")
    parser.add_argument("--only", choices=SETS, help="read one set of the corpus only")
    parser.add_argument("--limit", type=int, metavar="N", help="read N pages, spread over the corpus")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(arguments)
    for given, known in ((options.readers, READERS), (options.rewritings, REWRITINGS)):
        if unknown := set((given or "").split(",")) - set(known) - {""}:
            parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
