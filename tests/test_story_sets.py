"""Sets that people have grouped: read as they are, or with a clear word; and why a grouping is wrong."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.stories import OURS, TFIDF, compared_on_labels, labelled, ours
from benchmarks.story_sets import Labelled, causes, half_of, labelled_sets
from pipelines import stories

ROW = {"title": "Beben", "text": "Die Erde bebte.", "at": "2026-03-01T12:00:00+00:00", "precision": "day", "gold": "7a"}


def written(folder: Path, name: str, *rows: object) -> Path:
    data = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows).encode()
    (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return folder


def test_sets_are_read_in_the_order_of_time(tmp_path: Path):
    earlier = ROW | {"at": "2026-03-01T11:00:00+00:00", "precision": "minute", "gold": "7b"}
    sets = labelled_sets(written(tmp_path, "quakes.jsonl.gz", ROW, earlier, ROW))
    assert [(one.event, one.is_day, one.topic) for one in sets["quakes"]] == [
        (0, False, "7"), (1, True, "7"), (1, True, "7")
    ]  # fmt: skip
    assert labelled_sets(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("{", "line 2: an object with title, text, at, gold was expected"),
        ("[1]", "line 2: an object"),
        (ROW | {"gold": None}, "line 2: no text in gold"),
        (ROW | {"at": "2026-03-01T12:00:00"}, "line 2: `at` has no time zone"),
        (ROW | {"at": "gestern"}, "line 2: .*gestern"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: object, expected: str):
    with pytest.raises(ValueError, match=expected):
        labelled_sets(written(tmp_path, "bad.jsonl", ROW, row))


def test_causes_of_splits_and_wrong_joins_are_counted():
    base = labelled(1, 1)[0].at
    words = [" ".join(f"{name}{chr(97 + n)}" for n in range(26)) for name in ("eins", "zwei", "drei")]

    def article(number: int, event: int, days: float, text: str) -> Labelled:
        return Labelled(number, event, base + timedelta(days=days), "Beben", text, topic="5")

    told = [
        article(0, 0, 0, words[0]), article(1, 0, 0.1, words[1]), article(2, 0, 9, words[0]),
        article(3, 1, 9.1, words[0]), article(4, 1, 9.2, words[2]),
    ]  # fmt: skip
    found = causes(told, {0: 0, 1: 1, 2: 2, 3: 2, 4: 4})
    assert found["splits"] == {"other words": 2, "days apart": 1}
    assert found["wrong joins"] == {"look-alikes": 1}


def test_ours_stands_beside_a_baseline_that_was_tuned_on_other_sets():
    sets = {name: labelled(12, seed) for seed, name in enumerate(("one_a", "one_b", "two"), 3)}
    rows = compared_on_labels(sets)
    assert [row["method"] for row in rows if row["world"] == "two"] == [TFIDF, "TF-IDF, best on this set", OURS]
    for row in rows:
        assert 0 < row["b3_f1"] <= 1 and len(row["halves"]) == 2
    articles = sets["two"]
    assert {one.number for one in articles} == ours(articles, stories.JOIN).keys()
    assert {half_of(one) for one in articles} == {0, 1}
