"""The floor under the rules: when a page is read again, and which of two readings counts."""

from __future__ import annotations

import pytest

from pipelines.reading.body import floor
from pipelines.reading.body.blocks import Block
from pipelines.reading.body.extract import Body

SENTENCES = [
    "Der Stadtrat hat am Montagabend nach langer Aussprache den Umbau der alten Brücke beschlossen.",
    "Die Bürgermeisterin nannte den Entschluss richtig, weil die Pfeiler seit Jahren als baufällig galten.",
    "Nach Auskunft des Bauamts hat sich der Preis für Stahl seit der ersten Schätzung beinahe verdoppelt.",
    "Die Opposition verlangt, zuerst die Umleitung über den Mühlenweg auszubauen und später zu entscheiden.",
    "Begonnen werden soll nach den Plänen des Amtes im April, sobald der Wasserstand der Au es erlaubt.",
    "Mehrere Händler am Markt wollen gegen die lange Sperrung vor dem Gericht in der Kreisstadt klagen.",
]
PROSE = sum(map(len, SENTENCES))


def paragraphs(*numbers: int) -> list[Block]:
    return [Block("paragraph", SENTENCES[number]) for number in numbers]


def text(*numbers: int) -> str:
    return "\n\n".join(SENTENCES[number] for number in numbers)


@pytest.mark.parametrize(
    ("left", "page", "is_low"),
    [
        (text(0, 1, 2, 3, 4, 5), Body(prose=PROSE, paragraphs=6), False),
        (text(0, 1), Body(prose=PROSE, paragraphs=6), True),  # under half of the prose
        (text(0, 1, 2), Body(prose=2 * len(text(0, 1, 2)), paragraphs=2), False),  # just half
        (text(0), Body(prose=len(text(0)), paragraphs=3), True),  # few words beside three long paragraphs
        (text(0), Body(prose=len(text(0)), paragraphs=2), False),
        ("", Body(prose=PROSE, paragraphs=6), True),
    ],
)
def test_a_text_is_low_by_its_share_of_the_page_s_prose_or_by_its_words(left: str, page: Body, is_low: bool):
    assert floor.is_low(left, page) is is_low


def test_the_second_reading_counts_where_it_holds_the_first_and_more_between():
    assert floor.holds_more(paragraphs(0, 5), paragraphs(0, 1, 2, 3, 4, 5))


def test_a_little_more_is_not_enough():
    assert not floor.holds_more(paragraphs(0, 1, 2, 3), paragraphs(0, 1, 2, 3, 4))


def test_what_stands_only_below_a_whole_article_is_another_thing():
    first = paragraphs(0, 1, 2) * 2
    assert not floor.holds_more(first, [*first, *paragraphs(3, 4, 5) * 2])


@pytest.mark.parametrize(
    "line",
    ["Antworten · 12:31 · 04.12.2025 · Gefällt mir · melden", "Mehr zum Thema: Brücke", "Jetzt abonnieren"],
)
def test_what_is_no_sentence_is_no_gain(line: str):
    fresh = [Block("paragraph", line) for _ in range(30)]
    assert not floor.holds_more(paragraphs(0), [*paragraphs(0), *fresh])


def test_nothing_at_first_gives_way_to_any_article():
    assert floor.holds_more([], paragraphs(0, 1, 2))
    assert not floor.holds_more(paragraphs(0, 1, 2), [])


def test_why_names_both_lengths():
    told = floor.why(paragraphs(0), paragraphs(0, 1))
    assert told.rule == floor.RULE
    assert str(len(text(0))) in told.text and str(len(SENTENCES[0]) + len(SENTENCES[1])) in told.text
