"""Agency credits and datelines."""

from __future__ import annotations

import pytest

from pipelines.reading.fields.agency import agency_in, agency_named, dateline


@pytest.mark.parametrize(
    ("line", "agency"),
    [
        ("Der Hafen bleibt zu. (dpa)", "dpa"),
        ("Der Hafen bleibt zu. (dpa/lno)", "dpa"),
        ("Ende der Meldung. (red/dpa)", "dpa"),
        ("dpa/lno", "dpa"),
        ("– mit dpa", "dpa"),
        ("@ dts-nachrichtenagentur.de", "dts"),
        ("Quelle: APA", "APA"),
        ("Quelle: dts Nachrichtenagentur", "dts"),
        ("Mit Material der dpa", "dpa"),
        ("© dpa-infocom, dpa:251203-99-123456/2", "dpa"),
        ("(SDA/jos)", "sda"),
        ("Berlin (Reuters) - Die Lage bleibt ruhig.", "Reuters"),
        ("WASHINGTON (AFP) – Der Präsident sprach am Abend.", "AFP"),
        ("(© AFP)", "AFP"),
        ("Source: Keystone-SDA", "sda"),
        ("Frankfurt (dpa-AFX) - Der Dax hat nachgegeben.", "dpa-AFX"),
        ("BERLİN (SİD) - DER MEİSTER HAT GEWONNEN.", "sid"),
        ("Quelle: ſda", "sda"),
    ],
)
def test_a_credit_names_its_agency(line: str, agency: str):
    assert agency_in([line]) == agency


@pytest.mark.parametrize(
    "line",
    [
        "Das sagte er der Nachrichtenagentur Reuters am Montag in Berlin.",
        "Die Associated Press (AP) berichtete, dass die Stadt eingenommen sei, ohne das zu belegen.",
        "Die Austria Presse Agentur (APA)",
        "Foto: Anna Muster/dpa",
        "Bild: picture alliance/dpa",
        "Der Hafen am Morgen. (Foto: dpa)",
        "Ein APA-Hotel in Tokio hat 2.000 Zimmer.",
        "Die Tasse fiel vom Tisch.",
        "",
    ],
)
def test_a_mention_or_a_picture_is_no_credit(line: str):
    assert agency_in([line]) is None


def test_names_from_bylines():
    assert agency_named("dpa") == "dpa"
    assert agency_named("DPA/lno") == "dpa"
    assert agency_named("sda.") == "sda"
    assert agency_named("Anna Muster") is None
    assert agency_named("Apa Sherpa") is None


@pytest.mark.parametrize(
    ("paragraph", "place", "rest"),
    [
        ("Berlin (dpa) - Der Bundestag hat entschieden.", "Berlin", "Der Bundestag hat entschieden."),
        ("Berlin/Paris (Reuters) – Die Minister reisen.", "Berlin/Paris", "Die Minister reisen."),
        ("Frankfurt am Main (dpa/lhe) - Am Flughafen stand alles.", "Frankfurt am Main", "Am Flughafen stand alles."),
        ("WIEN (APA) - Es regnet.", "WIEN", "Es regnet."),
        ("Washington, USA - Am Donnerstag reist er ab.", "Washington, USA", "Am Donnerstag reist er ab."),
        ("Kiew – Die Nacht blieb ruhig.", "Kiew", "Die Nacht blieb ruhig."),
        ("Musterau/Beispielheim - Der Zug fährt wieder.", "Musterau/Beispielheim", "Der Zug fährt wieder."),
        ("Musterau, Kreis Beispiel – Der Zug fährt wieder.", "Musterau, Kreis Beispiel", "Der Zug fährt wieder."),
        ("(dpa) - Der Bundestag hat entschieden.", None, "Der Bundestag hat entschieden."),
    ],
)
def test_a_dateline_is_taken_off(paragraph: str, place: str | None, rest: str):
    assert dateline(paragraph) == (place, rest)


@pytest.mark.parametrize(
    "paragraph",
    [
        "Nein – Der Kanzler bleibt dabei.",
        "Musterau - Der Zug fährt wieder.",  # one place that nobody knows may be anything
        "Er kam an (dpa) und ging wieder.",
        "Der Kanzler - Chef der Partei - reist ab.",
        "Die Lage in Berlin – Hauptstadt seit 1990 – ist ruhig.",
        "",
    ],
)
def test_what_is_no_dateline_stays(paragraph: str):
    assert dateline(paragraph) == (None, paragraph)


@pytest.mark.parametrize(
    ("paragraph", "place"),
    [
        ("RECKLINGHAUSEN – Die Polizei sucht Zeugen.", "RECKLINGHAUSEN"),
        ("BAD VILBEL - Der Rat hat beschlossen.", "BAD VILBEL"),
        ("SANKT AUGUSTIN – Es brannte.", "SANKT AUGUSTIN"),
        ("NATO – Das Bündnis berät.", None),
        ("EU – Der Gipfel beginnt.", None),
    ],
)
def test_a_place_in_capitals_opens_a_paragraph(paragraph: str, place: str | None):
    assert dateline(paragraph)[0] == place
