"""Dates as people and machines write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipelines.items import Precision
from pipelines.reading.fields.dates import Label, find, machine, parse

BERLIN = ZoneInfo("Europe/Berlin")
FETCHED = datetime(2025, 12, 3, 18, 0, tzinfo=BERLIN)  # a Wednesday


def local(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("text", "at", "precision"),
    [
        ("heute 16:36 Uhr", local(2025, 12, 3, 16, 36), "minute"),
        ("heute 16:36 Uhr | 12 mal gelesen", local(2025, 12, 3, 16, 36), "minute"),
        ("heute, 20:15", local(2025, 12, 3, 20, 15), "minute"),
        ("gestern, 09:12", local(2025, 12, 2, 9, 12), "minute"),
        ("vorgestern", local(2025, 12, 1), "day"),
        ("vor 3 Stunden", local(2025, 12, 3, 15, 0), "minute"),
        ("vor einer Stunde", local(2025, 12, 3, 17, 0), "minute"),
        ("vor 5 Minuten", local(2025, 12, 3, 17, 55), "minute"),
        ("vor 2 Tagen", local(2025, 12, 1), "day"),
        ("Mittwoch, 3. Dezember 2025, 16:36 Uhr", local(2025, 12, 3, 16, 36), "minute"),
        ("03.12.2025 - 16:30:43", local(2025, 12, 3, 16, 30, 43), "second"),
        ("03. Dezember, 2025", local(2025, 12, 3), "day"),
        ("3.12.25", local(2025, 12, 3), "day"),
        ("3. 12. 2025", local(2025, 12, 3), "day"),
        ("28. Jänner 2025", local(2025, 1, 28), "day"),
        ("28. Feber 2025", local(2025, 2, 28), "day"),
        ("3. Dez. 2025, 16.36 Uhr", local(2025, 12, 3, 16, 36), "minute"),
        ("3. Dezember 2025 um 16 Uhr", local(2025, 12, 3, 16, 0), "minute"),
        ("Stand: 03.12.2025, 16:36 Uhr", local(2025, 12, 3, 16, 36), "minute"),
        ("Veröffentlicht am 2. Dezember 2025 um 7:05 Uhr", local(2025, 12, 2, 7, 5), "minute"),
        ("Aktualisiert: 1.12.2025", local(2025, 12, 1), "day"),
        ("Publiziert: 01.12.2025, 09.30 Uhr", local(2025, 12, 1, 9, 30), "minute"),
        ("16:36 Uhr, 3. Dezember 2025", local(2025, 12, 3, 16, 36), "minute"),
        ("Freitag, 16:36 Uhr", local(2025, 11, 28, 16, 36), "minute"),
        ("Mittwoch, 23:10 Uhr", local(2025, 11, 26, 23, 10), "minute"),
        ("24.11.2025, 24:00 Uhr", local(2025, 11, 25, 0, 0), "minute"),
        ("26 | 01 | 2022", local(2022, 1, 26), "day"),
        ("December 3rd, 2025 at 4:36 pm", local(2025, 12, 3, 16, 36), "minute"),
        ("3 December 2025", local(2025, 12, 3), "day"),
        ("yesterday, 12:01 am", local(2025, 12, 2, 0, 1), "minute"),
        ("2 hours ago", local(2025, 12, 3, 16, 0), "minute"),
        ("Publié le 1er décembre 2025 à 16h36", local(2025, 12, 1, 16, 36), "minute"),
        ("il y a 3 heures", local(2025, 12, 3, 15, 0), "minute"),
        ("3. Dezember", local(2025, 12, 3), "day"),
        ("3. APRİL 2025", local(2025, 4, 3), "day"),  # a Turkish keyboard's I
        ("DİENSTAG, 16.36 Uhr", local(2025, 12, 2, 16, 36), "minute"),
        ("vor 3 MİNUTEN", local(2025, 12, 3, 17, 57), "minute"),
        ("12. Auguſt 2025, 11:05 Uhr MEſZ", local(2025, 8, 12, 11, 5), "minute"),
    ],
)
def test_a_stated_time_is_read(text: str, at: datetime, precision: str):
    stated = parse(text, FETCHED, BERLIN)
    assert stated is not None
    assert (stated.at, stated.precision) == (at, Precision(precision))
    assert stated.at.tzinfo is not None


@pytest.mark.parametrize(
    "text",
    [
        "", "2026", "2025", "Dezember 2025", "12.2025", "um 16:36 Uhr", "16:36", "30. Februar 2025", "32.12.2025",
        "00.00.0000", "0000-00-00",
        "99999-01-01", "10. Oktober 1950", "31.12.1989", "03.12.2026", "5. Januar 2026", "vor 2 Monaten",
        "vor Jahren", "Telefon 030 12345-67",
        "IPv4 10.0.0.1", "Version 2.10.3.4", "1.234.567 Aufrufe", "Hier in Berlin", "Seite 1 / 3",
        "Gültig bis 31.01.2026", "12 mal gelesen",
    ],
)  # fmt: skip
def test_a_date_that_is_not_stated_is_none(text: str):
    assert parse(text, FETCHED, BERLIN) is None


def test_in_english_a_day_that_is_its_month_is_read_and_others_are_anybodys_guess():
    read = {text: parse(text, FETCHED, BERLIN, language="en") for text in ("05/05/2025", "11/11/2025", "03/04/2025")}
    assert [one and one.at for one in read.values()] == [local(2025, 5, 5), local(2025, 11, 11), None]
    assert parse("04/13/2025", FETCHED, BERLIN, language="en").at == local(2025, 4, 13)
    assert parse("03/04/2025", FETCHED, BERLIN, language="de").at == local(2025, 4, 3)


def test_a_day_without_a_year_needs_its_weekday_or_to_be_recent():
    assert parse("Mittwoch, 25. Juni, 8:00 Uhr", FETCHED, BERLIN).at == local(2025, 6, 25, 8, 0)
    assert parse("Dienstag, 25. Juni, 8:00 Uhr", FETCHED, BERLIN) is None
    assert parse("7. März", FETCHED, BERLIN) is None
    assert parse("27. Dezember", datetime(2026, 1, 2, tzinfo=BERLIN), BERLIN).at == local(2025, 12, 27)


def test_relative_days_are_the_source_s_days_not_the_server_s():
    late = datetime(2025, 12, 3, 23, 30, tzinfo=UTC)  # already the fourth in Berlin
    assert parse("heute 00:10 Uhr", late, BERLIN).at == local(2025, 12, 4, 0, 10)
    assert parse("gestern", late, ZoneInfo("America/New_York")).at.date().isoformat() == "2025-12-02"


def test_days_on_which_the_clocks_change():
    summer_ends = datetime(2025, 10, 26, 12, 0, tzinfo=BERLIN)
    assert parse("heute 04:00 Uhr", summer_ends, BERLIN).at.astimezone(UTC) == datetime(2025, 10, 26, 3, 0, tzinfo=UTC)
    assert parse("26.10.2025, 01:30 Uhr", summer_ends, BERLIN).at.astimezone(UTC) == datetime(
        2025, 10, 25, 23, 30, tzinfo=UTC
    )
    assert parse("vor 10 Stunden", summer_ends, BERLIN).at.astimezone(UTC) == datetime(2025, 10, 26, 1, 0, tzinfo=UTC)
    assert parse("26.10.2025, 02:30 Uhr MEZ", summer_ends, BERLIN).at.astimezone(UTC) == datetime(
        2025, 10, 26, 1, 30, tzinfo=UTC
    )
    assert parse("26.10.2025, 02:30 Uhr MESZ", summer_ends, BERLIN).at.astimezone(UTC) == datetime(
        2025, 10, 26, 0, 30, tzinfo=UTC
    )
    assert parse("30.03.2025 10:00", summer_ends, BERLIN).at.astimezone(UTC) == datetime(2025, 3, 30, 8, 0, tzinfo=UTC)


def test_slashes_mean_day_first_except_where_english_leaves_it_open():
    assert parse("3/12/2025", FETCHED, BERLIN, "fr").at == local(2025, 12, 3)
    assert parse("11/25/2025", FETCHED, BERLIN, "en").at == local(2025, 11, 25)
    assert parse("3/4/2025", FETCHED, BERLIN, "en") is None
    assert parse("hier, 10:00", FETCHED, BERLIN, "fr").at == local(2025, 12, 2, 10, 0)


def test_of_several_dates_the_published_one_counts():
    assert parse("Aktualisiert am 3.12.2025 - Veröffentlicht am 1.12.2025", FETCHED, BERLIN).at == local(2025, 12, 1)
    assert parse("Erstellt: 01.12.2025, zuletzt geändert: 02.12.2025", FETCHED, BERLIN).at == local(2025, 12, 1)


def test_a_foreign_zone_is_counted_or_leaves_the_day_alone():
    assert parse("December 2, 2025 4:30 PM EST", FETCHED, BERLIN, "en").at == local(2025, 12, 2, 22, 30)
    assert parse("Published 4:30 p.m. ET, Tue July 1, 2025", FETCHED, BERLIN, "en").at == local(2025, 7, 1, 22, 30)
    assert parse("Wed 2 Jul 2025 16.36 BST", FETCHED, BERLIN, "en").at == local(2025, 7, 2, 17, 36)
    assert parse("2 December 2025 10:15 UTC+3", FETCHED, BERLIN, "en").at == local(2025, 12, 2, 8, 15)
    stated = parse("December 2, 2025 4:30 PM IST", FETCHED, BERLIN, "en")
    assert (stated.at, stated.precision) == (local(2025, 12, 2), Precision.DAY)


@pytest.mark.parametrize(
    "text",
    [
        "le 12 mars 2025 à 10h15", "Publié le 12/03/2025 à 10:15", "Publié le mercredi 12 mars 2025 à 10 h 15",
        "12 MARS 2025 - 10H15", "Posté le 12.03.2025, 10:15",
        "Publié le 12 mars 2025 à 10h15, mis à jour le 13 mars 2025 à 9h",
    ],
)  # fmt: skip
def test_french_dates_are_read(text: str):
    assert parse(text, FETCHED, BERLIN, "fr").at == local(2025, 3, 12, 10, 15)


@pytest.mark.parametrize(
    "text",
    [
        "28. Jänner 2025, 14.05 Uhr", "28. Jän. 2025 14:05", "28. Januar 2025, 14h05", "28.1.2025, 14.05h",
        "28.01.2025 um 14.05", "28.01.2025, 14.05", "Di 28.01.2025 - 14:05", "28.1.2025 (14:05)",
        "28. Januar 2025 14 h 05",
    ],
)  # fmt: skip
def test_austrian_and_swiss_dates_are_read(text: str):
    assert parse(text, FETCHED, BERLIN).at == local(2025, 1, 28, 14, 5)


@pytest.mark.parametrize(
    "text",
    ["14. - 20. November 2025", "14.11.2025 – 20.11.2025", "Fr. 14.11.2025 bis So. 16.11.2025", "14. bis 20. November"],
)
def test_the_days_of_an_event_are_no_publication(text: str):
    assert parse(text, FETCHED, BERLIN) is None


def test_a_price_behind_a_date_is_no_time():
    assert parse("3. Dezember 2025, 12.50 Euro", FETCHED, BERLIN).precision is Precision.DAY


def test_find_tells_places_and_labels():
    found = find("Stand: 2.12.2025 | Foto vom 1.12.2025 | 3. Dezember 2025, 9:00 Uhr", FETCHED, BERLIN)
    assert [one.stated.at.day for one in found] == [2, 1, 3]
    assert found[0].label is Label.AS_OF
    assert found[2].end == len("Stand: 2.12.2025 | Foto vom 1.12.2025 | 3. Dezember 2025, 9:00 Uhr")
    assert find("vor 3 Stunden", FETCHED, BERLIN)[0].rough


@pytest.mark.parametrize(
    ("value", "at", "precision"),
    [
        ("2025-12-03T16:36:00+01:00", local(2025, 12, 3, 16, 36), "second"),
        ("2025-12-03T16:36+0100", local(2025, 12, 3, 16, 36), "minute"),
        ("2025-12-03T15:36:07.123456Z", local(2025, 12, 3, 16, 36, 7), "second"),
        ("2025-12-03 16:36:07", local(2025, 12, 3, 16, 36, 7), "second"),
        ("2025-12-03", local(2025, 12, 3), "day"),
        ("2025-12-03T00:00:00", local(2025, 12, 3), "day"),
        ("2025-07-03T22:00:00Z", local(2025, 7, 4), "day"),
        ("2025-12-03T99:99:99", local(2025, 12, 3), "day"),
        ("20251203", local(2025, 12, 3), "day"),
        ("20251203T163600", local(2025, 12, 3, 16, 36), "second"),
        ("Wed, 03 Dec 2025 15:30:43 GMT", local(2025, 12, 3, 16, 30, 43), "second"),
        ("1764772243", local(2025, 12, 3, 15, 30, 43), "second"),
        (1764772243000, local(2025, 12, 3, 15, 30, 43), "second"),
        ("03.12.2025 16:36", local(2025, 12, 3, 16, 36), "minute"),
    ],
)
def test_machine_times_are_read_in_their_spellings(value: object, at: datetime, precision: str):
    stated = machine(value, FETCHED, BERLIN)
    assert stated is not None
    assert (stated.at, stated.precision) == (at, Precision(precision))


@pytest.mark.parametrize(
    "value",
    [
        None, "", True, [], {}, "now", "0000-00-00", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z", "99999-01-01",
        "2025-13-45", "2026-12-03T10:00:00Z", "{{date}}", "x" * 100_000, float("1e300"), float("inf"), float("nan"),
        -5, "1" * 78,
    ],
)  # fmt: skip
def test_machine_nonsense_is_none(value: object):
    assert machine(value, FETCHED, BERLIN) is None


def test_a_language_beyond_the_grammar_is_read_when_complete():
    assert parse("3 grudnia 2025", FETCHED, BERLIN, "pl").at == local(2025, 12, 3)
    assert parse("grudzień 2025", FETCHED, BERLIN, "pl") is None


@pytest.mark.parametrize(
    "written",
    ["Mon, 01 Jan 0001 00:00:00 +0000", "Thu, 1 Jan 0001 00:00:00 GMT", "01 Jan 0001 00:00:00", "0001-01-01T00:00:00Z",
     "Mon, 30 Nov -0001 00:00:00 +0000", "-0001-11-30T00:00:00+00:00", "0000-00-00 00:00:00", "01 January 0001 10:00",
     "Sat, 22 Nov 125 09:30:00 +0100", "Thu, 01 Jan 1970 00:00:00 GMT", "01.01.0001 00:00:00"],
)  # fmt: skip
def test_a_year_that_systems_write_when_they_know_none_is_none(written):
    assert machine(written, datetime(2026, 1, 22, 12, tzinfo=UTC), ZoneInfo("Europe/Berlin"), "de") is None


@pytest.mark.parametrize(
    ("offset", "hours"),
    [("+1", 8.5), ("+01", 8.5), ("+01:00", 8.5), ("+1:00", 8.5), ("+100", 8.5), ("GMT+1", 8.5), ("UTC+0100", 8.5),
     ("MEZ", 8.5), ("-5", 14.5), ("+0530", 4), ("+530", 4), ("+10", -0.5), ("+0100 (CET)", 8.5), ("GMT", 9.5)],
)  # fmt: skip
@pytest.mark.parametrize("form", ["Sat, 22 Nov 2025 09:30:00 {}", "22 Nov 2025 09:30:00 {}"])
def test_an_offset_is_hours_however_it_is_written(form, offset, hours):
    stated = machine(form.format(offset), datetime(2026, 1, 22, 12, tzinfo=UTC), ZoneInfo("Asia/Tokyo"), "de")
    assert stated.at == datetime(2025, 11, 22, tzinfo=UTC) + timedelta(hours=hours)


@pytest.mark.parametrize("offset", ["+1", "+01", "+0100", "+01:00", " +1", "+100"])
def test_an_offset_behind_an_iso_time_is_hours(offset):
    stated = machine(f"2025-11-22T09:30:00{offset}", datetime(2026, 1, 22, tzinfo=UTC), ZoneInfo("Asia/Tokyo"))
    assert stated.at == datetime(2025, 11, 22, 8, 30, tzinfo=UTC)
