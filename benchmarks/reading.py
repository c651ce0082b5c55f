"""Reads a corpus of news pages with our reader and every installed peer; prints quality and cost side by side.

    python -m benchmarks.reading [--corpus DIR] [--predictions DIR] [--json] [--only SET] [--limit N] [--worst N]
                                [--readers NAMES]

The corpus is a folder with ``docs.jsonl`` (a page a line, with its truth), the pages as HTML, gzipped or not, and
``score.py``, which judges (``benchmarks.reading_score`` where there is none). Without ``--corpus`` it is looked for in
``../shared/corpus`` beside the checkout. Each page is read by all readers in turn, so that a busy machine slows all of
them alike; the CPU time of a page is the median over all pages. A mean hides cliffs, so the worst pages are listed with
the rule that cost most, and the figures by language. Peak memory is that of a fresh process which reads the first pages
with that reader alone.

``nachlese-known`` is our reader on sources that it knows: where a page's article stands was taught before, as a site
model
from the source's other pages or ``[read] keep`` in its file tells it. Its row shows what that saves, not what it would
learn: ``benchmarks.site_models`` does.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib.util
import json
import multiprocessing
import resource
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from benchmarks import reading_score
from benchmarks.reading_report import language_table, page_scores, worst_table
from pipelines.items import Page, Rejected

if TYPE_CHECKING:
    from pipelines.items import Article
    from pipelines.reading.rules import Rules

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "corpus"
SETS = ("publishers", "snippets", "dates", "english")
MEMORY_PAGES = 60

Doc = dict[str, Any]
Prediction = dict[str, Any]
Reader = Callable[[Doc, "bytes | str"], Prediction]


# -- the readers: each gives title, text, published, authors of a page -------------------------------------------------


class Ours:
    """Our reader; with *knows*, once it has been taught, where each page's source keeps its articles."""

    def __init__(self, knows: bool = False):
        from pipelines.reading import shipped_rules
        from pipelines.reading.rules import SiteModel

        self.rules = shipped_rules()
        self.learning = replace(self.rules, site_model=SiteModel(learning=True)) if knows else None
        self.known: dict[str, SiteModel] = {}

    def teach(self, doc: Doc, page: bytes | str) -> None:
        """Let it see where the page's article stands, as a site model from other pages of its source would tell it."""
        with contextlib.suppress(Rejected):
            article = self._read(doc, page, self.learning) if self.learning else None
            if article and article.container:
                self.known[doc["id"]] = replace(self.rules.site_model, state=1, containers=(article.container,))

    def __call__(self, doc: Doc, page: bytes | str) -> Prediction:
        known = self.known.get(doc["id"])
        try:
            article = self._read(doc, page, replace(self.rules, site_model=known) if known else self.rules)
        except Rejected as rejected:
            return {"rejected": str(rejected)}
        lead = article.teaser if article.teaser_is_visible else None
        return {
            "title": article.title,
            "text": "\n".join(filter(None, (lead, article.text))),
            "published": article.published_at.isoformat() if article.published_at else None,
            "authors": list(article.authors) or ([article.agency] if article.agency else []),  # who signs
            "removed": [(each.rule, each.text) for each in article.removed],
        }

    def _read(self, doc: Doc, page: bytes | str, rules: Rules) -> Article:
        from pipelines.reading import read

        known = isinstance(page, str)
        fetched = doc.get("fetched_at")
        return read(
            Page(
                url=doc["url"] or "",
                source="corpus",
                body=page.encode() if isinstance(page, str) else page,
                content_type="text/html; charset=utf-8" if known else "text/html",
                fetched_at=_aware(fetched) if fetched else datetime.now(UTC),
            ),
            rules,
        )


def _aware(stated: str) -> datetime:
    at = datetime.fromisoformat(stated)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def trafilatura() -> Reader:
    from trafilatura import bare_extraction

    def reader(doc: Doc, page: bytes | str) -> Prediction:
        got = bare_extraction(page, url=doc["url"], with_metadata=True, include_comments=False)
        if got is None:
            return {}
        authors = got.author.split("; ") if got.author else []
        return {"title": got.title, "text": got.text, "published": got.date, "authors": authors}

    return reader


def news_please() -> Reader:
    from newsplease import NewsPlease

    def reader(doc: Doc, page: bytes | str) -> Prediction:
        got = NewsPlease.from_html(page, url=doc["url"], fetch_images=False)
        text = "\n".join(filter(None, (got.description, got.maintext)))
        return {"title": got.title, "text": text, "published": _iso(got.date_publish), "authors": _names(got.authors)}

    return reader


def goose3() -> Reader:
    from goose3 import Goose

    goose = Goose({"enable_image_fetching": False})

    def reader(doc: Doc, page: bytes | str) -> Prediction:
        got = goose.extract(url=doc["url"], raw_html=page)
        published = _iso(got.publish_datetime_utc) or got.publish_date
        return {"title": got.title, "text": got.cleaned_text, "published": published, "authors": _names(got.authors)}

    return reader


def newspaper4k() -> Reader:
    from newspaper import Article

    def reader(doc: Doc, page: bytes | str) -> Prediction:
        got = Article(doc["url"] or "https://example.org/", language=doc.get("language") or "de", fetch_images=False)
        got.download(input_html=page if isinstance(page, str) else page.decode("utf-8", "replace"))
        got.parse()
        published = _iso(got.publish_date)
        return {"title": got.title, "text": got.text, "published": published, "authors": _names(got.authors)}

    return reader


def _names(found: Any) -> list[str]:
    """Authors as a flat list; some readers give lists within the list."""
    return [name for each in found or [] for name in (_names(each) if isinstance(each, list | tuple) else [str(each)])]


def _iso(at: Any) -> str | None:
    return at.isoformat() if hasattr(at, "isoformat") else at or None


# name -> (module that must be importable, what makes the reader)
READERS: dict[str, tuple[str, Callable[[], Reader]]] = {
    "nachlese": ("pipelines.reading", Ours),
    "nachlese-known": ("pipelines.reading", lambda: Ours(knows=True)),
    "trafilatura": ("trafilatura", trafilatura),
    "news-please": ("newsplease", news_please),
    "goose3": ("goose3", goose3),
    "newspaper4k": ("newspaper", newspaper4k),
}


# -- running ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Run:
    """What one reader did: predictions and CPU milliseconds by page, failures by kind, peak memory in MB."""

    predictions: dict[str, Prediction] = field(default_factory=dict)
    milliseconds: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    peak_megabytes: float | None = None


def run(docs: list[Doc], score: Any, names: list[str], progress: Progress | None) -> dict[str, Run]:
    """Every page with every reader, in turn."""
    readers = {name: READERS[name][1]() for name in names}
    runs = {name: Run() for name in names}
    for name, reader in readers.items():  # what a reader loads at its first page is not the page's cost
        timed(reader, docs[0], score.html(docs[0]), Run())
        runs[name].peak_megabytes = _peak_of(name, docs, score)
        if isinstance(reader, Ours):
            for doc in docs if reader.learning else ():
                reader.teach(doc, score.html(doc))
    task = progress.add_task("reading", total=len(docs)) if progress else None
    order = list(names)
    for doc in docs:
        try:
            page = score.html(doc)
        except (OSError, EOFError) as error:  # a corpus may lack a page; every reader is told so
            for name in names:
                runs[name].failures[doc["id"]] = type(error).__name__
            continue
        for name in order:
            timed(readers[name], doc, page, runs[name])
        order = [*order[1:], order[0]]  # nobody always runs on warm caches
        if progress and task is not None:
            progress.advance(task)
    return runs


def timed(reader: Reader, doc: Doc, page: bytes | str, into: Run) -> None:
    """Read one page and note prediction, CPU time and failure."""
    gc.collect(0)
    start = time.process_time()
    try:
        got = reader(doc, page)
    except Exception as error:  # noqa: BLE001 - a peer may raise anything; the page counts as empty and is listed
        got = {}
        into.failures[doc["id"]] = type(error).__name__
    into.milliseconds[doc["id"]] = (time.process_time() - start) * 1000
    into.predictions[doc["id"]] = {"id": doc["id"], **got}


def _peak_of(name: str, docs: list[Doc], score: Any) -> float | None:
    """Peak resident megabytes of a process that reads the first pages with one reader."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_read_alone, (name, docs[:MEMORY_PAGES], str(score.HERE)))


def _read_alone(name: str, docs: list[Doc], corpus: str) -> float:
    score = scorer(Path(corpus))
    reader = READERS[name][1]()
    for doc in docs:
        timed(reader, doc, score.html(doc), Run())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def scorer(corpus: Path) -> Any:
    """The corpus' own ``score.py`` as a module; ours where it brings none."""
    if not (corpus / "score.py").is_file():
        return reading_score.scorer(corpus)
    spec = importlib.util.spec_from_file_location("corpus_score", corpus / "score.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{corpus / 'score.py'}: cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def documents(corpus: Path, only: str | None = None, limit: int | None = None) -> list[Doc]:
    """The pages of a corpus with their truth; of one set only, or *limit* of them, spread evenly."""
    # at line feeds only: a page's text may hold U+2028 and other signs at which `splitlines` would cut
    lines = (corpus / "docs.jsonl").read_text("utf-8").split("\n")
    docs = [{"set": "pages", "url": "", **json.loads(line)} for line in lines if line.strip()]
    docs = [doc for doc in docs if only is None or doc["set"] == only]
    return docs[:: max(1, len(docs) // limit)][:limit] if limit else docs


# -- what is shown ---------------------------------------------------------------------------------------------------

# column -> (set, figures of the scorer); several figures stand in one column, divided by a stroke
COLUMNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "publishers: body F1": ("publishers", ("F1",)),
    "title valid / exact": ("publishers", ("title valid", "title exact")),
    "minute right": ("publishers", ("minute right",)),
    "authors F1": ("publishers", ("authors F1",)),
    "snippets: F1": ("snippets", ("snippet F1",)),
    "title valid": ("snippets", ("title valid",)),
    "dates: right / wrong": ("dates", ("day right", "day wrong")),
    "english: F1": ("english", ("F1",)),
}


def figures(docs: list[Doc], done: Run, score: Any) -> dict[str, dict[str, float]]:
    """The scorer's figures in percent, set by set."""
    rows: dict[str, list[dict]] = defaultdict(list)
    for doc in docs:
        rows[doc["set"]].append(score.judge(doc, done.predictions.get(doc["id"], {})))
    return {name: {key: 100 * value for key, value in score.summary(of).items()} for name, of in rows.items()}


def table(results: dict[str, dict[str, Any]]) -> Table:
    columns = _columns_of(results)
    shown = Table(title="percent; CPU ms a page (median, mean); peak MB")
    shown.add_column("reader")
    for column in (*columns, "ms", "mean ms", "peak MB", "failed", "rejected"):
        shown.add_column(column, justify="right")
    for name, result in results.items():
        cells = []
        for of, keys in columns.values():
            values = [result["figures"].get(of, {}).get(key) for key in keys]
            cells.append(" / ".join("-" if value is None else f"{value:.1f}" for value in values))
        cells += [f"{result['ms']:.1f}", f"{result['mean_ms']:.1f}", f"{result['peak_megabytes']:.0f}"]
        shown.add_row(name, *cells, str(result["failed"]), str(result["rejected"]))
    return shown


def _columns_of(results: dict[str, dict[str, Any]]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The columns of the sets that were read; a set that is not known here shows the F1 of its text."""
    sets = {name for result in results.values() for name in result["figures"]}
    known = {column: of for column, of in COLUMNS.items() if of[0] in sets}
    others = sorted(sets - {of for of, _ in known.values()})
    return {**known, **{f"{name}: F1": (name, ("F1",)) for name in others}}


def report(docs: list[Doc], runs: dict[str, Run], score: Any, most: int) -> list[Table]:
    """The worst pages of our reader, beside another one where that ran too, and the figures by language."""
    if "nachlese" not in runs or not most:
        return []
    other = next((name for name in ("trafilatura", *runs) if name in runs and not name.startswith("nachlese")), None)
    pages = page_scores(docs, runs["nachlese"].predictions, runs[other].predictions if other else None, score)
    return [language_table(pages, other), worst_table(pages, most, other)] if pages else []


def write_predictions(folder: Path, runs: dict[str, Run]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, done in runs.items():
        with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as lines:
            for prediction in done.predictions.values():
                told = {key: value for key, value in prediction.items() if key != "removed"}
                lines.write(json.dumps(told, ensure_ascii=False) + "\n")


def is_corpus(folder: Path, benchmark: str, console: Console) -> bool:
    """Whether there is a corpus to measure on; says so where there is none."""
    found = (folder / "docs.jsonl").is_file()
    if not found:
        console.print(f"{benchmark}: skipped, there is no corpus at {folder} (docs.jsonl); give --corpus DIR")
    return found


def installed(wanted: list[str], console: Console) -> list[str]:
    """Those of the *wanted* readers that can be imported; the others are named."""
    names = [name for name in wanted if importlib.util.find_spec(READERS[name][0])]
    if missing := sorted(set(wanted) - set(names)):
        console.print(f"not installed, left out: {', '.join(missing)}")
    return names


def progress_bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    corpus = options.corpus or BESIDE
    console = Console(stderr=True)
    if not is_corpus(corpus, "benchmarks.reading", console):
        return 0
    score = scorer(corpus)
    docs = documents(corpus, options.only, options.limit)
    names = installed(options.readers.split(",") if options.readers else list(READERS), console)
    with progress_bar(console) as progress:
        runs = run(docs, score, names, progress)
    results = {
        name: {
            "figures": figures(docs, done, score),
            "ms": statistics.median(done.milliseconds.values()),
            "mean_ms": statistics.mean(done.milliseconds.values()),
            "peak_megabytes": done.peak_megabytes,
            "failed": len(done.failures),
            "rejected": sum("rejected" in prediction for prediction in done.predictions.values()),
        }
        for name, done in runs.items()
    }
    if options.predictions:
        write_predictions(options.predictions, runs)
    if options.json:
        print(json.dumps({"pages": len(docs), "readers": results}, indent=1))
    else:
        out = Console(width=None if sys.stdout.isatty() else 200)
        out.print(table(results), *report(docs, runs, score, options.worst))
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument(
        "--corpus", type=Path, help=f"folder with docs.jsonl and the pages (default: {BESIDE.name} beside)"
    )
    parser.add_argument(
        "--predictions", type=Path, metavar="DIR", help="write DIR/READER.jsonl, as score.py takes them"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--only", metavar="SET", help=f"read one set of the corpus only, such as {', '.join(SETS)}")
    parser.add_argument("--worst", type=int, default=20, metavar="N", help="list the N worst pages (20)")
    parser.add_argument("--limit", type=int, metavar="N", help="read N pages, spread over the corpus")
    parser.add_argument(
        "--readers", metavar="NAME,NAME", help=f"of {', '.join(READERS)}; all that are installed when not given"
    )
    options = parser.parse_args(arguments)
    unknown = set((options.readers or "").split(",")) - set(READERS) - {""}
    if unknown:
        parser.error(f"no such reader: {', '.join(sorted(unknown))}; there are {', '.join(READERS)}")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
