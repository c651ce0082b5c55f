"""Elements as blocks: which containers are nothing but prose, and what stands in them."""

from __future__ import annotations

import pytest

from pipelines.reading.body.tree_blocks import direct, is_prose, open_paragraphs
from pipelines.reading.page.tree import parse, raw

SENTENCE = "Die Gemeinde teilte am Montag mit, dass die Brücke über den Mühlbach bis zum Herbst gesperrt bleibt."
PROSE = f"<p>{SENTENCE}</p>" * 3


def core(inner: str):
    return parse(f"<body><div id=core>{inner}</div></body>").find(".//div")


@pytest.mark.parametrize(
    "inner",
    [
        PROSE,
        f"<section><div>{PROSE}</div></section>",
        f"<h2>Ein Zwischentitel</h2>{PROSE}",
        f"<p>Von vorn</p>{PROSE}",
        f"{PROSE}<ul><li>Erster Punkt</li><li>Zweiter <a href=/x>Punkt</a> der langen Liste</li></ul><p>Ende.</p>",
    ],
)
def test_paragraphs_headings_and_lists_are_prose(inner: str):
    assert is_prose(core(inner))


@pytest.mark.parametrize(
    "inner",
    [
        f"{PROSE}<div>Jetzt in der App anhören</div>",
        f"{PROSE}<div><span>Teilen</span></div>",
        f"{PROSE}<table><tr><td>1</td></tr></table>",
        f"{PROSE}<form><p>{SENTENCE}</p></form>",
        f"{PROSE}<p><a href=/x>{SENTENCE}</a></p>",
        f"<p><a href=/x>Mehr Bilder</a></p>{PROSE}",
        f"<p>Foto: Anna Muster</p>{PROSE}",
        f"<h2>{SENTENCE * 3}</h2>{PROSE}",
        f"{PROSE}<p>Die Tabelle der Liga</p>",
        f"<p>{SENTENCE}</p>",
    ],
)
def test_loose_text_tables_forms_links_credits_and_last_lines_are_for_trafilatura(inner: str):
    assert not is_prose(core(inner))


SECOND = "Bei einer Prüfung waren Schäden am Geländer aufgefallen, wie der Bauhof mitteilte."


@pytest.mark.parametrize(
    "inner",
    [
        f"<span>{SENTENCE}</span><span>{SECOND}</span>",
        f"<font>{SENTENCE}</font><font>{SECOND}</font>",
        f"<app-paragraph>{SENTENCE}</app-paragraph>\n <app-paragraph>{SECOND}</app-paragraph>",
        f"<span>{SENTENCE}</span>\n  <span>{SECOND}</span>\n",
        f"<div><x-p>{SENTENCE}</x-p></div><div><x-p>{SECOND}</x-p></div>",
        f"<app-text><x-p>{SENTENCE}</x-p><h3>Zwischentitel</h3><x-p>{SECOND}</x-p></app-text>",
    ],
)
def test_sentences_that_only_a_style_sheet_parts_are_paragraphs(inner: str):
    element = core(inner)
    open_paragraphs(element)
    found = [block.text for block in direct(element) if block.kind == "paragraph"]
    assert found == [SENTENCE, SECOND]


@pytest.mark.parametrize(
    "inner",
    [
        f"<span>{SENTENCE}</span> <span>{SECOND}</span>",  # sentences of one paragraph
        f"<p><span>{SENTENCE}</span><span>{SECOND}</span></p>",
        f"<span>{SENTENCE}</span><span>Mehr</span>",
        f"<p>{SECOND}</p><div><span>{SENTENCE}</span></div><div><span>{SECOND}</span></div>",  # boxes of their own
        f"{PROSE * 2}<div><span>{SENTENCE}</span><span>{SECOND}</span></div>",  # a small part of the text
        f"Am Abend: <x-b>{SENTENCE}</x-b> <x-b>{SECOND}</x-b>, hieß es.",
        f"<x-block><p>{SENTENCE}</p></x-block><x-block><p>{SECOND}</p></x-block>",
    ],
)
def test_sentences_of_one_paragraph_stay_together(inner: str):
    element = core(inner)
    before = [each.tag for each in element.iter()]
    open_paragraphs(element)
    assert [each.tag for each in element.iter()] == before


def test_the_blocks_of_a_container_are_read_as_they_stand():
    found = direct(core(f"<h2>Zwischentitel</h2>{PROSE}<ul><li>Eins</li><li>Zwei</li></ul>"))
    assert [block.kind for block in found] == ["heading", "paragraph", "paragraph", "paragraph", "list"]
    assert found[-1].items == ("Eins", "Zwei")


@pytest.mark.parametrize(
    "page",
    [
        "<p>Ein <b>Satz</b> mit&nbsp;<a href=x>einem <i>Link</i></a>&#x1F600;</p>danach",
        "<div>davor<!-- Bemerkung --><p></p>&lt;kein Markup&gt;<br>danach</div>",
        "<textarea><b></textarea><script>let a = '<p>'</script><table><tr><td>Zelle",
    ],
)
def test_the_text_of_an_element_is_what_xpath_calls_its_string(page: str):
    assert all(raw(each) == each.xpath("string()") for each in parse(f"<body>{page}</body>").iter())
