"""Phrases that open or make up boilerplate, and sentences that only contain their words."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from pipelines.reading.body.boilerplate import Phrases, PhrasesError, opens_block, rule_for, site_phrases

FOLDER = Path(__file__).parents[1] / "config" / "boilerplate"
DE, EN, FR = (Phrases.load(FOLDER / f"{name}.toml") for name in ("de", "en", "fr"))


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("Das könnte dich auch interessieren", "related"), ("Das könnte Sie auch interessieren:", "related"),
        ("DAS KÖNNTE EUCH INTERESSIEREN", "related"), ("Das koennte Sie auch interessieren", "related"),
        ("Diese Artikel könnten Sie interessieren", "related"), ("Weitere Meldungen", "related"),
        ("Mehr zum Thema", "related"), ("Lesen Sie auch", "related"), ("Lies auch:", "related"),
        ("Meistgelesen", "related"),
        ("Meistgelesene Artikel", "related"), ("Am meisten gelesen", "related"), ("Auch interessant", "related"),
        ("Verwandte Artikel", "related"), ("Ähnliche Beiträge", "related"), ("Weitere Artikel", "related"),
        ("Aus dem Ressort", "related"), ("Mehr aus dem Ressort Politik", "related"), ("Top-Themen", "related"),
        ("Empfehlungen der Redaktion", "related"), ("Aktuelle Nachrichten", "related"),
        ("» Mehr zum Thema «", "related"),
        ("**Weitere Artikel**", "related"), ("Schlagwort aus diesem Artikel", "tags"), ("Schlagwörter zu diesem "
        "Artikel", "tags"),
        ("Themen in diesem Artikel", "tags"), ("Im Artikel erwähnte Unternehmen", "tags"),
        ("Kommentare (12)", "comments"),
        ("Über den Autor", "about_author"), ("Newsletter abonnieren", "newsletter"), ("Anzeige", "advertising"),
    ],
)  # fmt: skip
def test_a_heading_opens_a_block(heading, section):
    assert opens_block(heading, DE) == section


@pytest.mark.parametrize(
    ("paragraph", "section"),
    [
        ("12 mal gelesen", "counters"), ("1.204 Aufrufe", "counters"), ("Lesezeit: 3 Minuten", "counters"), ("4 "
        "Min.", "counters"),
        ("Lesedauer ca. 5 Min", "counters"), ("Besuchen Sie uns auf: nachrichten.example", "social"),
        ("Folgen Sie uns auf Facebook, Instagram und X!", "social"), ("Folge uns auf WhatsApp", "social"),
        ("Auf Facebook teilen", "social"), ("Artikel merken", "social"), ("Drucken", "social"), ("Teilen", "social"),
        ("Jetzt Newsletter abonnieren", "newsletter"), ("Abonnieren Sie unseren kostenlosen Newsletter.", "newsletter"),
        ("Melden Sie sich hier für unseren täglichen Newsletter an.", "newsletter"), ("- Anzeige -", "advertising"),
        ("ANZEIGE", "advertising"), ("Seite 1 / 3", "paging"), ("Nächste Seite", "paging"),
        ("Weiter auf Seite 2", "paging"),
        ("Artikel auf einer Seite lesen", "paging"), ("1 2 3 4 Weiter", "paging"), ("weiterlesen...", "related"),
        ("Lesen Sie auch: Mieten steigen in allen Städten", "related"), ("Mehr zum Thema: Wohnen", "related"),
        ("Titel einer anderen Meldung Der erste Satz. (Ausland, 24.01.2026 - 08:26) weiterlesen...", "related"),
        ("An dieser Stelle finden Sie einen externen Inhalt von YouTube, der den Artikel ergänzt.", "consent"),
        ("Wir benötigen Ihre Zustimmung, um den Inhalt von Instagram anzuzeigen.", "consent"),
        ("Haben Sie einen Fehler entdeckt? Schreiben Sie uns!", "feedback"), ("Wie hat Ihnen der Artikel "
        "gefallen?", "feedback"),
        ("Sie haben bereits ein Abo? Hier anmelden", "subscription"), ("Dieser Artikel ist nur für Abonnenten "
        "lesbar.", "subscription"),
        ("© 2026 Alle Rechte vorbehalten", "credits"), ("Foto: Karla Beispiel/Agentur", "credits"),
        ("Zum Kommentieren bitte anmelden", "comments"), ("Jetzt die App herunterladen", "app_prompt"),
        ("Themen: Bauen, Wohnen, Länder", "tags"), ("#bauen #wohnen", "tags"),
        ("Dir gefällt dieser Artikel? Dann teile ihn mit deinen Freunden!", "social"),
        ("Gefällt 3 Personen", "social"), ("Jetzt unseren WhatsApp-Kanal abonnieren", "social"),
        ("Sie möchten uns unterstützen? Schon mit fünf Euro im Monat helfen Sie uns.", "subscription"),
        ("Wenn Ihnen unsere Arbeit gefällt, unterstützen Sie uns mit einer Spende.", "subscription"),
        ("Jede kleine Spende hilft", "subscription"), ("Jetzt vier Wochen für 0,99 Euro testen", "subscription"),
        ("*Hinweis: Dieser Artikel enthält Affiliate-Links. Kaufen Sie darüber ein, erhalten wir eine Provision.",
         "advertising"), ("Anzeige, enthält Affiliate-Links", "advertising"),
        ("Als Amazon-Partner verdienen wir an qualifizierten Verkäufen.", "advertising"),
        ("Diese Funktion wird durch eine KI-Stimme bereitgestellt.", "legal"), ("Zuhören dauert 5 Minuten", "podcast"),
        ("Diese Folge hören Sie überall, wo es Podcasts gibt.", "podcast"), ("Bild anzeigen", "paging"),
        ("Klicken Sie auf das Bild, um es zu vergrößern.", "paging"), ("Keine Nachricht mehr verpassen", "newsletter"),
        ("Ich habe die Datenschutzerklärung gelesen und akzeptiere sie.", "newsletter"),
        ("Mit dem Laden des Videos akzeptieren Sie die Datenschutzerklärung von YouTube.", "consent"),
        ("Wie bewerten Sie diesen Artikel?", "feedback"), ("Diskutieren Sie über diesen Artikel", "comments"),
        ("Du kannst alle Antworten zu diesem Eintrag durch den RSS 2.0 Feed verfolgen.", "comments"),
        ("Der Beitrag wurde am Mittwoch, den 3. Dezember 2025 um 16:30 Uhr veröffentlicht und unter Kreis abgelegt.",
         "tags"), ("Veröffentlicht in Politik", "tags"), ("Kommentierte Artikel", "related"),
        ("Lesen Sie hier mehr zum Thema", "related"), ("Unsere Redaktion empfiehlt", "related"),
        ("Aus der Ausgabe vom 3. Dezember 2025", "credits"), ("gestern, 18:40", "dates"),
        ("Diese Website verwendet Akismet, um Spam zu reduzieren. Erfahre mehr.", "comments"),
        ("Relevante Links: Eine andere Meldung", "related"),
    ],
)  # fmt: skip
def test_a_paragraph_that_is_nothing_else_goes(paragraph, section):
    assert rule_for(paragraph, DE) == section


@pytest.mark.parametrize(
    "sentence",
    [
        "Der Newsletter der Partei ging am Montag an 30.000 Abonnenten.",
        "Auf Facebook teilen Tausende das Video der Flut, obwohl es aus einem anderen Jahr stammt.",
        "Auf Facebook hat die Stadt inzwischen 4000 Follower.",
        "Weitere Meldungen über Schäden gingen bei der Polizei nicht ein.",
        "Mehr zum Thema sagte der Minister nicht.",
        "Das könnte auch die Nachbarn interessieren, die seit Jahren auf den Umbau warten.",
        "Die Anzeige wurde zurückgezogen.",
        "Die Kommentare der Nutzer wurden gelöscht, nachdem sich der Verein beschwert hatte.",
        "Drucken lassen will die Stadt die Broschüre erst im Herbst.",
        "Seite an Seite standen die beiden Trainer nach dem Spiel im Regen.",
        "Lesen Sie auch die Packungsbeilage und fragen Sie Ihren Arzt oder Apotheker.",
        "Teilen will er die Macht nicht.",
        "Folgen hat der Vorfall bisher keine.",
        "Die Lesezeit beginnt in der Schule um acht Uhr und endet um neun.",
        "„Wir benötigen mehr Zeit“, sagte sie.",
        "Wir brauchen Ihre Stimme am Sonntag, rief er den Menschen auf dem Marktplatz zu.",
        "Das Foto zeigt den Bürgermeister mit dem Scheck vor dem neuen Rathaus.",
        "Haben Sie keine Angst, sagte der Arzt.",
        "Wie geht es weiter?",
        "Was sagt die Opposition?",
        "Nein.",
        "Mehr als 300 Menschen kamen.",
        "Hintergrund des Streits ist ein Gutachten.",
        "Was bedeutet das für Mieter?",
        "Militärhilfe für die Ukraine",
        "Kritik aus der Opposition",
        "Der Autor lebt in Berlin und schreibt an seinem dritten Roman über die Nachkriegszeit in der Lausitz.",
        "Im Abo kostet die Karte 49 Euro, teilte der Verkehrsverbund am Freitag mit.",
        "Die App der Bahn war am Morgen nicht zu erreichen.",
        "Jetzt testen die Behörden das System in drei Landkreisen.",
        "Alle Rechte an dem Lied liegen beim Verlag.",
        "Jetzt will der Verein sechs Monate lang ein neues System für seine Nachwuchsspieler testen.",
        "Wenn Ihnen das nicht gefällt, teilen Sie es dem Bürgermeister in der Sprechstunde mit.",
        "Der Artikel wurde in einer Fachzeitschrift veröffentlicht.",
        "Sie möchten den Verein unterstützen, sagte der Bürgermeister nach der Sitzung.",
        "Jeder Euro zählt.",
        "Gefällt mir.",
        "Heute um 8.15 Uhr begann die Sitzung.",
    ],
)
def test_a_sentence_that_contains_the_words_stays(sentence):
    assert rule_for(sentence, DE) is None
    assert opens_block(sentence, DE) is None


@pytest.mark.parametrize(
    ("phrases", "paragraph", "section"),
    [
        (EN, "You may also like", "related"), (EN, "Read more", "related"),
        (EN, "Sign up for our newsletter", "newsletter"),
        (EN, "Advertisement", "advertising"), (EN, "3 min read", "counters"), (EN, "Share on Facebook", "social"),
        (FR, "À lire aussi", "related"), (FR, "Publicité", "advertising"), (FR, "Temps de lecture : 3 min", "counters"),
        (FR, "Inscrivez-vous à notre newsletter", "newsletter"),
        (FR, "Publié le 1er décembre 2025 à 10h15, mis à jour le 2 décembre 2025 à 9h00", "dates"),
        (FR, "le 1 décembre 2025 à 10h15", "dates"),
        (FR, "Lundi 1er décembre 2025", "dates"), (FR, "01.12.2025, 10:15", "dates"),
        (EN, "Mon 1 Dec 2025 16.36 GMT", "dates"),
        (EN, "December 1, 2025 at 4:36 p.m. ET", "dates"),
        (EN, "Don't miss the latest news. Get it straight to your inbox by subscribing here.", "newsletter"),
        (EN, "By signing up, you agree to our privacy policy.", "newsletter"),
        (EN, "The post Council votes to build appeared first on Highbridge Live.", "credits"),
        (EN, "Click to share on Twitter (Opens in new window)", "social"), (EN, "Like this:", "social"),
        (EN, "Story continues below", "advertising"), (EN, "Posted in News", "tags"),
        (EN, "Jane Field covers local politics. Reach her at jfield@journal.example.", "about_author"),
        (EN, "Please consider making a donation.", "subscription"),
        (EN, "This site uses Akismet to reduce spam. Learn how your comment data is processed.", "comments"),
    ],
)  # fmt: skip
def test_english_and_french_are_known(phrases, paragraph, section):
    assert rule_for(paragraph, phrases) == section


@pytest.mark.parametrize(
    ("phrases", "sentence"),
    [
        (EN, "Sharing the prize money was never an option, she said on Monday."),
        (EN, "The advertisement was withdrawn after complaints from viewers."),
        (EN, "Related costs are expected to rise by a third next year."),
        (FR, "Publicité et journalisme ne font pas toujours bon ménage, a-t-elle ajouté."),
        (FR, "Le 1er décembre 2025 restera une date importante pour la commune, a dit le maire."),
        (EN, "On 1 December 2025 the bridge was closed."),
        (FR, "Partager le pouvoir n'est pas dans ses habitudes, dit un proche."),
        (EN, "The post office appeared on a list of threatened buildings."),
        (EN, "The story continues."),
        (EN, "The museum covers three centuries of pottery. Follow it up with a walk."),
        (EN, "Nobody in the village wants to miss the newsletter of the parish council."),
    ],
)
def test_english_and_french_sentences_stay(phrases, sentence):
    assert rule_for(sentence, phrases) is None


def test_long_paragraphs_are_never_taken():
    assert rule_for("Lesen Sie auch: " + "ein langer Titel " * 30, DE) is None


@pytest.mark.parametrize("text", ["", " ", "…", "***", "\n"])
def test_signs_alone_are_no_phrase(text):
    assert rule_for(text, DE) is None


def test_without_phrases_nothing_is_taken():
    assert rule_for("Anzeige", None) is None
    assert opens_block("Mehr zum Thema", None) is None
    assert rule_for("Anzeige", Phrases()) is None


def test_phrases_of_a_source_take_whole_paragraphs():
    phrases = site_phrases(("so geht es weiter mit der .{3,30}", "ein service von <?abendpost>?"))
    assert rule_for("So geht es weiter mit der Brücke", phrases) == "site"
    assert rule_for("So geht es weiter mit der Brücke, sagte die Bürgermeisterin am Montag im Rat.", phrases) is None


def load(tmp_path: Path, text: str | bytes) -> Phrases:
    path = tmp_path / "xx.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Phrases.load(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("language = 'xx'\n[related]\nopen = ['mehr']", ["[related] open: unknown key", "did you mean 'opens'?"]),
        ("languge = 'xx'\n[related]\nopens = ['mehr']", ["did you mean 'language'?", "expected a language code"]),
        ("language = 'xx'\n[related]\nopens = 'mehr'", ["[related] opens: expected a list of patterns"]),
        (
            "language = 'xx'\n[related]\nwhole = ['mehr(']",
            ["[related] whole: 'mehr('", "expected a regular expression"],
        ),
        (
            "language = 'xx'\n[related]\nwhole = ['mehr(?! als)']",
            ["[related] whole: 'mehr(?! als)'", "expected a pattern that looks neither ahead nor back"],
        ),
        ("language = 'xx'\n[related]\nwhole = ['.*']", ["takes any sentence"]),
        ("language = 'xx'\n[related]\nwhole = ['(mehr)?']", ["takes any sentence"]),
        ("language = 'xx'\n[related]\nwhole = ['(?P<a>mehr)']", ["without named groups"]),
        ("language = 'xx'\n[related]\nwhole = ['m[äe]hr']", ["umlauts outside of [...]"]),
        (
            "language = 'xx'\n[related]\nwhole = ['<yuo> mehr']\n[words]\nyou = 'sie'",
            ["<yuo> is not in [words]", "'you'"],
        ),
        (
            "language = 'xx'\n[related]\nlongest = 9000",
            ["[related] longest: expected a number of characters from 1 to 300"],
        ),
        ("language = 'xx'\n[Related]\nopens = ['mehr']", ["[Related]: expected a name of lower-case letters"]),
        ("language = 'xx'\n[related", ["expected TOML"]),
        (b"language = '\xff'", ["expected UTF-8"]),
        ("", ["language: expected a language code"]),
    ],
)
def test_a_mistake_in_a_phrase_file_is_named(tmp_path, text, told):
    with pytest.raises(PhrasesError) as caught:
        load(tmp_path, text)
    assert "xx.toml" in str(caught.value)
    assert [piece for piece in told if piece not in str(caught.value)] == []


def test_all_mistakes_are_named_at_once(tmp_path):
    with pytest.raises(PhrasesError) as caught:
        load(tmp_path, "language = 'xx'\n[a]\nopen = []\n[b]\nwhole = ['(']")
    assert len(str(caught.value).splitlines()) == 2


def test_words_stand_for_patterns(tmp_path):
    phrases = load(
        tmp_path, "language = 'xx'\n[words]\nyou = 'dich|sie'\nall = '<you>|alle'\n[related]\nopens = ['für <all>']"
    )
    assert [opens_block(f"Für {who}", phrases) for who in ("dich", "alle", "uns")] == ["related", "related", None]


@pytest.mark.parametrize("name", ["de", "en", "fr"])
def test_all_patterns_at_once_take_what_each_takes(name):
    """Python's engine, pattern by pattern, and RE2 with all of them; after a way to a reader."""
    phrases = pickle.loads(pickle.dumps(Phrases.load(FOLDER / f"{name}.toml")))
    found = 0
    for phrase_set in (phrases.opens, phrases.whole):
        for pattern in [pattern for patterns in phrase_set.sections.values() for pattern in patterns]:
            for text in re.findall(r"[a-z' -]{4,}", pattern):
                if re.fullmatch(pattern, text):
                    found += 1
                    assert phrase_set.section(text), (pattern, text)
    assert found > 50


def test_letters_beyond_ascii_are_letters_and_half_a_character_is_no_trouble(tmp_path):
    phrases = load(tmp_path, "language = 'xx'\n[social]\nwhole = ['mehr von \\w+', '[\\w-]+ folgen']")
    texts = ("Mehr von Łukasz", "Agnès-Ève folgen", "Mehr von \ud83d", "Mehr von !")
    assert [rule_for(text, phrases) for text in texts] == ["social", "social", None, None]


def test_a_notice_of_several_sentences_goes_as_a_whole():
    notice = (
        "An dieser Stelle finden Sie einen externen Inhalt von YouTube. Ich bin damit einverstanden, dass mir der "
        "externe Inhalt angezeigt wird. Damit können personenbezogene Daten an Drittplattformen übermittelt werden. Wo "
        "das steht, ist unten zu sehen."
    )
    assert rule_for(notice, DE) == "consent"
    assert rule_for("Drucken\nTeilen\nMerken", DE) == "social"


def test_a_paragraph_that_only_begins_like_a_prompt_stays():
    assert rule_for("Artikel merken. Das riet der Verlag im Mai seinen Lesern, als die Rechner ausfielen.", DE) is None


@pytest.mark.parametrize(
    "tail", ["(Ausland, 24.01.2026 - 08:26) weiterlesen...", "(24. Januar 2026) mehr", "[weiterlesen]"]
)
def test_a_teaser_goes_by_its_last_words_whatever_its_length(tail):
    assert rule_for("Mieten steigen Die Mieten in den Städten sind weiter gestiegen. " * 20 + tail, DE) == "related"


@pytest.mark.parametrize(
    "tail", ["(24. Januar 2026)", "Wer will das schon weiterlesen?", "Er wolle das Buch nicht mehr lesen."]
)
def test_a_paragraph_that_ends_in_such_words_by_itself_stays(tail):
    assert rule_for("Die Mieten in den Städten sind weiter gestiegen. " * 20 + tail, DE) is None


@pytest.mark.parametrize(
    "line", ["03.12.2025 - 16:30:43", "Stand: 3. Dezember 2025, 16:30 Uhr", "@ dts-nachrichtenagentur.de"]
)
def test_lines_of_dates_and_addresses_go(line):
    assert rule_for(line, DE) in ("dates", "credits")


def test_rules_that_arrive_pickled_share_their_compiled_patterns():
    first, second = (pickle.loads(pickle.dumps(DE)) for _ in range(2))
    assert first.whole is second.whole and first.opens is second.opens
