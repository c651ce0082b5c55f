"""Bytes to text: every character whole, whatever is declared."""

from __future__ import annotations

import pytest

from pipelines.items import Reason, Rejected
from pipelines.reading.page.decode import LONGEST, clean, text_of

WORDS = "Größe, Maß und Übermut – „so heißt es“ in der Straße"


def page(text: str, charset: str | None = None) -> str:
    meta = f'<meta charset="{charset}">' if charset else ""
    return f"<html><head>{meta}<title>Titel</title></head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize(
    ("encoding", "header", "meta"),
    [
        ("utf-8", "text/html", None),
        ("utf-8", "text/html; charset=utf-8", "utf-8"),
        ("utf-8", "text/html; charset=iso-8859-1", None),
        ("utf-8", "text/html", "iso-8859-1"),
        ("utf-8", "text/html; charset=no-such-thing", "base64"),
        ("cp1252", "text/html; charset=iso-8859-1", None),
        ("cp1252", "text/html", "windows-1252"),
        ("cp1252", "text/html; charset=utf-8", "utf-8"),
        ("cp1252", "text/html", None),
        ("utf-8-sig", "text/html; charset=iso-8859-1", None),
        ("utf-16", "text/html", None),
        ("utf-16-le", "text/html; charset=utf-16le", None),
    ],
)
def test_text_is_whole_whatever_is_declared(encoding: str, header: str, meta: str | None):
    text = text_of(page(WORDS * 3, meta).encode(encoding), header)
    assert WORDS in text
    assert "\ufeff" not in text


def test_a_declared_eastern_encoding_is_believed_where_the_bytes_fit():
    text = text_of(page("Zażółć gęślą jaźń", "iso-8859-2").encode("iso-8859-2"), "text/html")
    assert "Zażółć gęślą jaźń" in text


def test_broken_bytes_cost_only_themselves():
    body = page(WORDS * 20).encode().replace(b"Titel", b"T\xc3itel \x84Zitat\x93 f\xfcnf \xff")
    text = text_of(body, "text/html; charset=utf-8")
    assert text.count(WORDS) == 20
    assert "Titel „Zitat“ fünf" in text
    assert "\ufffd" not in text


def test_a_page_in_cp1252_with_a_byte_that_it_does_not_have_is_read():
    assert WORDS in text_of(
        page(WORDS).encode("cp1252").replace(b"Titel", b"Ti\x81tel"), "text/html; charset=windows-1252"
    )


def test_controls_and_surrogates_are_cleaned_and_misused_controls_are_read_as_meant():
    assert clean("a\x00b\x07c\ud800d\ufeffe\ufffff\tg\nh") == "abcdef\tg\nh"
    assert clean("\x84so\x93 \x96 &#150; &#x97; &#228; &#1234;") == "„so“ – – — &#228; &#1234;"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a&#0;b&#x0;c", "abc"),
        ("a&#7;b&#x1b;[31m&#8", "ab[31m"),
        ("a&#xD800;b&#57343;c", "abc"),
        ("&#55357;&#56832; &#xD83D;&#xDE00;", "😀 😀"),
        ("a&#x110000;b&#99999999999999;c&#xFFFE;d&#65535;e", "abcde"),
        ("&#x9; &#10; &#228; &#x1F600; &#xFFFD; &#8211", "&#x9; &#10; &#228; &#x1F600; &#xFFFD; &#8211"),
    ],
)
def test_references_to_what_is_no_character_are_no_text_either(written: str, meant: str):
    assert clean(written) == meant


def test_characters_in_two_halves_are_put_together():
    halves = "X\ud83d\ude00Y \ud800Z".encode("utf-8", "surrogatepass")
    text = text_of(page(WORDS * 9).encode().replace(b"Titel", halves), "text/html; charset=utf-8")
    assert "X😀Y" in text
    assert "\ufffd" not in text


def test_a_name_for_a_smaller_set_means_the_larger_one_and_nothing_is_put_in_where_a_byte_is_lost():
    words = "早报讯 – € Ä " * 9
    assert words in text_of(page(words).encode("gb18030"), "text/html; charset=gb2312")
    broken = page("Zażółć gęślą jaźń " * 9, "iso-8859-3").encode("iso-8859-2")  # bytes that iso-8859-3 does not have
    assert "\ufffd" not in text_of(broken, "text/html")


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"", "text/html", Reason.EMPTY),
        (b" \n\t ", "text/html", Reason.EMPTY),
        (b"\x00\x00\x00\x00", "text/html", Reason.BINARY),
        (b"%PDF-1.7 ...", "text/html", Reason.BINARY),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "text/html", Reason.BINARY),
        (bytes(range(256)) * 40, "application/octet-stream", Reason.BINARY),
        (b"<html></html>", "application/pdf", Reason.NOT_HTML),
        (b"x", "image/jpeg", Reason.NOT_HTML),
        (b"a" * (LONGEST + 1), "text/html", Reason.TOO_LARGE),
    ],
)
def test_what_is_no_text_has_a_reason(body: bytes, content_type: str, reason: Reason):
    with pytest.raises(Rejected) as refused:
        text_of(body, content_type)
    assert refused.value.reason is reason


@pytest.mark.parametrize("before", [0, 1, 5_000, 9_999, 10_000, 10_001, 123_456])
def test_a_tag_of_thousands_of_attributes_loses_them_wherever_it_stands(before: int):
    many = "<div " + " ".join(f"a{number}=1" for number in range(4_000)) + ">"
    text = text_of(("x" * before + f"{many}{WORDS}" + "<p>" * 40_000).encode())
    assert text.startswith("x" * before + "<div")
    assert "a3999" not in text
    assert WORDS in text


def test_a_long_script_and_a_long_value_stay_as_they_are():
    written = f"<p>{WORDS}</p><script>" + "[1,2]," * 20_000 + "</script><p data-a='" + "b" * 30_000 + "'>"
    assert text_of(written.encode()) == written
