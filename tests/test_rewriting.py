"""Rewritten variants of a page: always the same, still a page, and the article still in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import variants
from benchmarks.rewriting import CONTROL, REWRITINGS, rewritten

SENTENCES = tuple(
    f"Im Ort Nummer {n} sagte die Bürgermeisterin am Montag, dass die Straße bis zum Herbst gesperrt bleibt."
    for n in range(7)
)
DOC = {
    "id": "made",
    "set": "publishers",
    "language": "de",
    "url": "https://zeitung.example/a",
    "text": "\n".join(SENTENCES),
    "authors": ["Uli Maier"],
    "title": "Straße gesperrt",
    "published": "2025-06-30T15:59:30+02:00",
}
PAGE = f"""<!doctype html><html lang=de><head><meta charset=utf-8><title>Straße gesperrt</title>
<meta property="og:title" content="Straße gesperrt"><script type="application/ld+json">
{{"@type": "NewsArticle", "headline": "Straße gesperrt", "datePublished": "2025-06-30T15:59:30+02:00"}}</script></head>
<body><nav class="main-nav"><a rel="home" href="/">Start</a></nav><main class="page"><article class="story" id="s1">
<h1>Straße gesperrt</h1><p class="by">Von Uli Maier, 30.06.2025, 15:59 Uhr</p><img class="pic" src="/a.jpg">
{"".join(f"<p>{sentence}</p> " for sentence in SENTENCES)}</article></main></body></html>"""


def plain(markup: str | bytes) -> str:
    text = markup if isinstance(markup, str) else markup.decode("cp1252")
    text = re.sub(r"<[^>]*>", " ", text)
    for entity, letter in (("&uuml;", "ü"), ("&szlig;", "ß"), ("\xad", ""), ("\u200b", ""), ("\xa0", " ")):
        text = text.replace(entity, letter)
    return " ".join(text.split())


@pytest.mark.parametrize("way", REWRITINGS)
def test_every_rewriting_changes_the_page_keeps_its_sentences_and_is_repeatable(way: str):
    done = rewritten(DOC, PAGE, way)
    assert done is not None
    assert done == rewritten(DOC, PAGE, way)
    assert all(sentence in plain(done[0]) for sentence in SENTENCES)
    assert all(sentence in plain(done[0]) for sentence in done[1])


def test_foreign_sentences_stand_between_those_of_the_article():
    markup, foreign = rewritten(DOC, PAGE, "teasers in the middle") or ("", ())
    places = [plain(markup).index(sentence) for sentence in foreign]
    assert plain(markup).index(SENTENCES[0]) < min(places) < max(places) < plain(markup).index(SENTENCES[-1])


def test_a_page_without_what_is_rewritten_is_none():
    bare = "<html><body><p>Kein Bild, keine Daten, keine Überschrift.</p></body></html>"
    assert rewritten(DOC, bare, "no JSON-LD") is None
    assert rewritten(DOC, bare, "headline as div") is None
    assert rewritten(DOC, bare, CONTROL) is not None


def test_the_table_tells_gain_and_loss_and_the_share_of_foreign_sentences():
    score = SimpleNamespace(
        html=lambda doc: PAGE,
        judge=lambda doc, got: {"F1": float(got.get("text", "").count("gesperrt bleibt") == len(SENTENCES))},
        summary=lambda rows: {"F1": sum(row["F1"] for row in rows) / len(rows)},
    )
    done = variants.run([DOC], score, ["nachlese"], ["no JSON-LD", "teasers in the middle"])
    judged = {way: variants.judged([DOC], done[way]["nachlese"], score) for way in done}
    assert {way: row["figures"]["publishers"]["F1"] for way, row in judged.items()} == {
        variants.AS_IT_IS: 100.0, "no JSON-LD": 100.0, "teasers in the middle": 100.0,
    }  # fmt: skip
    assert judged["teasers in the middle"]["foreign"] == 0
    assert variants.table("nachlese", judged).row_count == 3


def test_without_a_corpus_it_says_so_and_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert variants.main(["--corpus", str(tmp_path), "--json"]) == 0
    assert "there is no corpus" in " ".join(capsys.readouterr().err.split())


def test_json_has_a_row_for_each_rewriting(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "docs.jsonl").write_text(json.dumps(DOC), "utf-8")
    (tmp_path / "score.py").write_text(
        f"html = lambda doc: {PAGE!r}\njudge = lambda doc, got: {{'F1': 1.0}}\nsummary = lambda rows: rows[0]\n",
        "utf-8",
    )
    given = ["--corpus", str(tmp_path), "--readers", "nachlese", "--rewritings", "capitals,no meta", "--json"]
    assert variants.main(given) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told["readers"]["nachlese"]) == [variants.AS_IT_IS, "capitals", "no meta"]
