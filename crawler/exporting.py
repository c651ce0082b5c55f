"""Articles as CSV, JSON lines or Parquet: a few hundred rows at a time, whatever their number."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

from pipelines import columns, csv_cells
from pipelines.atomic import replacing

Row = dict[str, Any]

COLUMNS = tuple(columns.PUBLIC)

#: type in Postgres -> type in Parquet; what is not here is text
TYPES = {
    "bigint": "int64", "integer": "int32", "boolean": "bool", "text[]": "texts", "timestamptz": "time", "date": "date",
}  # fmt: skip


class NoParquet(Exception):
    """The package for Parquet is not installed; the message says how to get it."""


def check(form: str) -> None:
    """Raise NoParquet where *form* needs a package that is not there."""
    if form == "parquet":
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            raise NoParquet('Parquet needs the package pyarrow: pip install "nachlese[parquet]"') from None


class Written:
    """Call it with rows; ``written`` counts them."""

    def __init__(self, write: Callable[[Sequence[Row]], None]):
        self._write = write
        self.written = 0

    def __call__(self, rows: Sequence[Row]) -> None:
        self._write(rows)
        self.written += len(rows)


@contextmanager
def opened(file: Path, form: str) -> Iterator[Written]:
    """Where rows are written to. A file gets its name when it is complete; one that was there stays until then."""
    writers = {"csv": csv_rows, "jsonl": json_rows, "parquet": parquet_rows}
    if str(file) == "-":
        with writers[form](sys.stdout.buffer) as write:
            yield Written(write)
        sys.stdout.buffer.flush()
        return
    with replacing(file) as new, new.open("wb") as out, writers[form](out) as write:
        yield Written(write)


@contextmanager
def csv_rows(out: IO[bytes]) -> Iterator[Callable[[Sequence[Row]], None]]:
    text = io.TextIOWrapper(out, csv_cells.ENCODING, newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    yield lambda rows: writer.writerows([cell(row[name]) for name in COLUMNS] for row in rows)
    text.flush()
    text.detach()


def cell(value: Any) -> str | int | float:
    """A value as CSV has it: lists and tables as JSON, and an apostrophe before what would be a formula."""
    is_plain = value is None or isinstance(value, str | int | float)
    return csv_cells.cell(value if is_plain else plain(value))


def plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)


@contextmanager
def json_rows(out: IO[bytes]) -> Iterator[Callable[[Sequence[Row]], None]]:
    def write(rows: Sequence[Row]) -> None:
        for row in rows:
            line = json.dumps({name: row[name] for name in COLUMNS}, ensure_ascii=False, default=plain)
            out.write(line.encode() + b"\n")

    yield write


@contextmanager
def parquet_rows(out: IO[bytes]) -> Iterator[Callable[[Sequence[Row]], None]]:
    """A row group for each call; ``details`` is JSON in a text."""
    import pyarrow
    from pyarrow import parquet

    kinds = {
        "int64": pyarrow.int64(), "int32": pyarrow.int32(), "bool": pyarrow.bool_(), "text": pyarrow.string(),
        "texts": pyarrow.list_(pyarrow.string()), "time": pyarrow.timestamp("us", tz="UTC"),
        "date": pyarrow.date32(),
    }  # fmt: skip
    schema = pyarrow.schema([(name, kinds[TYPES.get(kind, "text")]) for name, kind in columns.PUBLIC.items()])

    def row_of(row: Row) -> Row:
        return {name: plain(row[name]) if isinstance(row[name], dict) else row[name] for name in COLUMNS}

    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        yield lambda rows: writer.write_table(pyarrow.Table.from_pylist([row_of(row) for row in rows], schema))
