"""Exports: every column and row, no formula for a spreadsheet program, a file only when it is complete."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from pyarrow import parquet

from crawler import exporting
from pipelines import csv_cells
from pipelines.store import Store, WatchRow
from tests.test_search import T, keep


async def exported(store: Store, file: Path, form: str, **wanted) -> int:
    with exporting.opened(file, form) as write:
        async for rows in store.export(**wanted):
            write(rows)
    return write.written


async def some(store: Store) -> None:
    await store.save_watchlists([WatchRow("w", "W", '"haushalt"')])
    await keep(store, "1", '=HYPERLINK("http://x")', 'Der Haushalt,\n\nmit "Zitat" und ß.', authors=("-Ada", "Bo"))
    await keep(store, "2", "Wetter", "Es regnet.", source="b", at=T + timedelta(days=1))
    await keep(store, "3", "Wetter wieder", "Es regnet.", source="b", at=T + timedelta(days=2))


def test_the_columns_are_those_of_the_view(sql_rows):
    found = sql_rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'news.articles'::regclass AND attnum > 0 ORDER BY attnum"
    )
    assert [row[0] for row in found] == list(exporting.COLUMNS)


async def test_csv_has_every_row_and_no_formula(store, tmp_path):
    await some(store)
    file = tmp_path / "a.csv"
    assert await exported(store, file, "csv") == 3
    rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")))
    assert rows[0]["title"] == '\'=HYPERLINK("http://x")'
    assert rows[0]["text"] == 'Der Haushalt,\n\nmit "Zitat" und ß.'
    assert (rows[0]["authors"], rows[0]["copy_of"], rows[0]["published_at"]) == ('["-Ada", "Bo"]', "", T.isoformat())
    assert not [value for row in rows for value in row.values() if value.startswith(csv_cells.FORMULA)]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "＝1"])
def test_a_formula_is_text(text: str):
    assert exporting.cell(text) == f"'{text}"


async def test_json_lines_and_parquet_have_the_same_values(store, tmp_path):
    await some(store)
    lines, table = tmp_path / "a.jsonl", tmp_path / "a.parquet"
    await exported(store, lines, "jsonl")
    await exported(store, table, "parquet")
    written = [json.loads(line) for line in lines.read_text("utf-8").splitlines()]
    read = parquet.read_table(table).to_pylist()
    assert [list(row) for row in read] == [list(exporting.COLUMNS)] * 3
    for one, other in zip(written, read, strict=True):
        assert other.pop("details") == json.dumps(one.pop("details"))
        for name, value in other.items():
            assert one[name] == (value.isoformat() if hasattr(value, "isoformat") else value), name


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        ({"watch": "w"}, 1),
        ({"watch": "v"}, 0),
        ({"source": "b"}, 2),
        ({"source": "b", "copies": False}, 1),
        ({"since": T + timedelta(days=1)}, 2),
        ({"until": T + timedelta(days=1)}, 1),
    ],
)
async def test_an_export_is_bounded(store, tmp_path, wanted: dict, titles: int):
    await some(store)
    assert await exported(store, tmp_path / "a.jsonl", "jsonl", **wanted) == titles


async def test_a_file_that_was_there_stays_until_the_new_one_is_complete(store, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("old")
    with pytest.raises(RuntimeError), exporting.opened(file, "csv") as write:
        write([])
        raise RuntimeError
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a.csv", "old")]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
async def test_an_export_of_nothing_is_a_file(store, tmp_path, form: str):
    assert await exported(store, tmp_path / "a", form) == 0
    assert (tmp_path / "a").exists()
