"""What differs between two wordings, and the Markdown of a stored text: pure, and bounded whatever a stranger wrote."""

from __future__ import annotations

import pytest

from webapp.markup import Block, blocks
from webapp.rendering import marked, shortened, web_address
from webapp.wording import MOST_WORDS, compare, line


def said(pieces) -> str:
    return " ".join({"same": "", "added": "+", "removed": "-"}[piece.kind] + f"[{piece.text}]" for piece in pieces)


def test_a_changed_number_is_two_pieces():
    (paragraph,) = compare("Rund 400 Menschen protestierten am Montag", "Rund 500 Menschen protestierten am Montag")
    assert paragraph.kind == "changed"
    assert said(paragraph.pieces) == "[Rund] -[400] +[500] [Menschen protestierten am Montag]"


def test_paragraphs_that_came_and_went_are_whole():
    made = compare("Eins bleibt.\n\nZwei geht ganz und gar weg.", "Null kommt neu hinzu.\n\nEins bleibt.")
    assert [(one.kind, one.pieces[0].text) for one in made] == [
        ("added", "Null kommt neu hinzu."), ("same", "Eins bleibt."), ("removed", "Zwei geht ganz und gar weg."),
    ]  # fmt: skip


def test_a_word_between_two_changes_is_part_of_the_change():
    assert said(line("der rote und der blaue Ball", "der grüne und der gelbe Ball")) == (
        "[der] -[rote und der blaue] +[grüne und der gelbe] [Ball]"
    )


def test_nothing_of_either_text_is_lost():
    before, after = "a b c\n\nd e f g h\n\ni", "a x c\n\nd e f g y h\n\nz"
    made = compare(before, after)
    old = [p.text for one in made for p in one.pieces if p.kind in ("same", "removed")]
    new = [p.text for one in made for p in one.pieces if p.kind in ("same", "added")]
    assert " ".join(old).split() == before.split() and " ".join(new).split() == after.split()


def test_texts_of_any_size_are_compared():
    long = " ".join(["wort"] * (MOST_WORDS + 1))
    assert [one.kind for one in compare(long, f"{long} mehr")] == ["removed", "added"]
    many = "\n\n".join(map(str, range(5000)))
    assert len(compare(many, "anders")) == 5001


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ein Absatz.\n\n## Kopf", [Block("paragraph", ("Ein Absatz.",)), Block("heading", ("Kopf",), level=2)]),
        ("- eins\n- zwei", [Block("list", ("eins", "zwei"))]),
        ("> gesagt\n> getan", [Block("quote", ("gesagt", "getan"))]),
        ("| a | b |\n| --- | --- |\n| c\\|d | |", [Block("table", rows=(("a", "b"), ("c|d", "")))]),
        ("```\ncode\n\nmehr\n```\n\nText", [Block("code", ("code\n\nmehr",)), Block("paragraph", ("Text",))]),
        ("```\nohne Ende", [Block("paragraph", ("```\nohne Ende",))]),
        ("# <b>kein</b> Kopf", [Block("paragraph", ("# <b>kein</b> Kopf",))]),
        ("", []),
    ],
)
def test_blocks(text: str, expected: list[Block]):
    assert blocks(text) == expected


def test_words_found_are_marked_and_everything_is_escaped():
    assert marked("der «Rat» <b>") == "der <mark>Rat</mark> &lt;b&gt;"
    assert marked("ein « allein") == "ein « allein"
    assert marked("«<script>»") == "<mark>&lt;script&gt;</mark>"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//a.example", "http://[::1", "", None])
def test_only_the_web_is_linked(url: str | None):
    assert web_address(url) == ""


def test_addresses_for_people():
    assert web_address("https://a.example/x") == "https://a.example/x"
    assert shortened("https://a.example/x") == "a.example/x"
    assert len(shortened("https://a.example/" + "x" * 200)) == 46
