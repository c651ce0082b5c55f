"""The benchmark of readers: any corpus is read, and its worst pages say what cost them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

from benchmarks.reading import documents
from benchmarks.reading_report import costliest, page_scores, quality

WORDS = ["der", "steg", "wird", "im", "sommer", "abgerissen", "und", "aus", "eiche", "neu", "gebaut", "und", "lackiert"]


def f1(truth: list[str], got: list[str]) -> float:
    hit = len(set(truth) & set(got))
    return 2 * hit / (len(set(truth)) + len(set(got))) if got else 0.0


SCORE = SimpleNamespace(
    words=lambda text: (text or "").lower().split(),
    judge=lambda doc, got: {"F1": f1(doc["text"].lower().split(), (got.get("text") or "").lower().split())},
)


def test_a_corpus_whose_texts_hold_signs_at_which_lines_may_be_cut_is_read_whole(tmp_path: Path):
    docs = [{"id": str(n), "text": f"eins{sign}zwei"} for n, sign in enumerate("\u2028\u2029\x85\x0b\x0c")]
    lines = "\n".join(json.dumps(doc, ensure_ascii=False) for doc in docs)
    (tmp_path / "docs.jsonl").write_text(lines + "\n", "utf-8")
    found = documents(tmp_path)
    assert [doc["text"] for doc in found] == [doc["text"] for doc in docs]
    assert {doc["set"] for doc in found} == {"pages"}


def test_the_rule_that_took_most_of_the_truth_is_named():
    doc = {"id": "a", "text": " ".join(WORDS)}
    got = {"text": " ".join(WORDS[:5]), "removed": [("caption", " ".join(WORDS[5:])), ("tags", "Oberlind Stege")]}
    assert costliest(SCORE, doc, got).startswith("caption: ")
    assert costliest(SCORE, doc, {"text": " ".join(WORDS[:5])}).startswith("not in the container")
    assert costliest(SCORE, doc, {"text": " ".join(WORDS * 2)}).startswith("too much")
    assert costliest(SCORE, doc, {"rejected": "empty: nothing"}) == "rejected: empty: nothing"


def test_the_worst_pages_come_first_by_the_distance_to_the_other_reader():
    docs = [{"id": name, "set": "pages", "text": " ".join(WORDS)} for name in "abc"]
    ours = {"a": {"text": " ".join(WORDS)}, "b": {"text": WORDS[0]}, "c": {"text": " ".join(WORDS[:9])}}
    theirs = {"a": {"text": ""}, "b": {"text": WORDS[0]}, "c": {"text": " ".join(WORDS)}}
    assert [page.id for page in page_scores(docs, ours, theirs, SCORE)] == ["c", "b", "a"]
    assert [page.id for page in page_scores(docs, ours, None, SCORE)] == ["b", "c", "a"]


def test_a_page_without_a_truth_of_its_text_has_no_quality():
    score = SimpleNamespace(judge=lambda doc, got: {"day right": 1.0})
    assert quality(score, {"id": "a"}, {}) is None
