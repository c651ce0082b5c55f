"""news.search finds what people mean: inflected forms, both spellings of umlauts, compounds, the best first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.items import Article, Page
from pipelines.store import Store

T = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


async def keep(store: Store, name: str, title: str, text: str, language: str | None = "de", **more) -> int:
    run = await store.begin_run(None, "replay", "host:1")
    at = more.pop("at", T)
    url = f"https://{more.pop('source', 'a')}.example/{name}"
    page = Page(url=url, source=url[8:].split(".")[0], body=f"{title}{text}{more}".encode(), fetched_at=at)
    read = Article(
        url=url, canonical_url=url, source=page.source, title=title, text=text, fetched_at=at, language=language,
        published_at=at, **more,
    )  # fmt: skip
    outcome = await store.save_article(run, page, read)
    await store.end_run(run, "finished")
    return outcome.article_id


def found(sql_rows, query: str, more: str = "") -> list[str]:
    return [row[0] for row in sql_rows(f"SELECT title FROM news.search(%s{more})", query)]


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Der Bürgermeister grüßt", "buergermeister"),
        ("Der Buergermeister gruesst", "Bürgermeister"),
        ("Die Straße ist gesperrt", "strasse"),
        ("Die Strasse ist gesperrt", "Straße"),
        ("Herr Mueller spricht", "Müller"),
        ("Neue Häuser am Markt", "haus"),
        ("Die Haushaltsentwürfe liegen vor", "haushalt"),
        ("Streit um den Stadthaushalt", "haushalt"),
        ("Streit um des Stadthaushalts willen", "haushalte"),
        ("Der Bundesverfassungsgerichtspräsident spricht", "bundesverfassungsgericht"),
        ("Wärmepumpenförderung endet", "waermepumpe"),
        ("Das Stadtgrün wächst", "stadtgruen"),
        ("Die „Sonntagszeitung“, sagt er", "zeitung"),
        ("Die Straßensperrungen\nenden", "Sperrung"),
        ("Streit um Pressefreiheit", "freiheit"),
        ("Patienten der Universitätskliniken.", "klinik"),
        ("Ein Feierabend am Fluss", "abend"),
        ("Der Schützenkönig (und Gildenkönig) tritt ab", "könig"),
        ("José besucht Orbán", "jose orban"),
        ("Die Bu\u0308rger stimmen ab", "bürger"),
    ],
)
async def test_a_word_is_found_however_it_is_spelt_inflected_or_built_in(store, sql_rows, written: str, asked: str):
    await keep(store, "1", written, "Mehr dazu am Abend.")
    await keep(store, "2", "Wetter", "Es regnet.")
    assert found(sql_rows, asked) == [written]


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Der Apparat der Demokraten", "rat"),
        ("Der Stadthaushalt steht", '"haushalt steht"'),
        ("Das Rathaus steht", "hausrat"),
        ("Neue Bauern", "neubauten"),
        ("Die Arbeitszeiten steigen", "zeitung"),
        ("Eine Nachrichtensendung", "richtung"),
    ],
)
async def test_what_only_looks_alike_is_not_found(store, sql_rows, written: str, asked: str):
    await keep(store, "1", written, "Mehr dazu am Abend.")
    assert found(sql_rows, asked) == []


async def test_all_words_are_wanted_none_behind_a_minus_and_the_language_is_the_articles_own(store, sql_rows):
    await keep(store, "1", "Rutte in Kiew", "Die Ukraine dankt ihm.")
    await keep(store, "2", "Rutte und Habeck", "Sie sprachen über die Ukraine.")
    await keep(store, "3", "Rutte on tour", "He meets allies and talks about the Ukraine.", "en")
    await keep(store, "4", "Rutte tafelt", "Es gab Suppe.")
    assert found(sql_rows, "rutte ukraine -habeck", ", lang => 'de'") == ["Rutte in Kiew"]
    assert set(found(sql_rows, "rutte ukraine -habeck")) == {"Rutte in Kiew", "Rutte on tour"}
    assert found(sql_rows, "talking ally") == ["Rutte on tour"]
    assert set(found(sql_rows, "suppe or dankte")) == {"Rutte tafelt", "Rutte in Kiew"}
    assert found(sql_rows, '"über die Ukraine"') == ["Rutte und Habeck"]


async def test_the_title_counts_before_the_teaser_before_the_text_and_the_word_before_its_compounds(store, sql_rows):
    filler = "Am Abend wurde lange beraten, und am Ende gab es ein Ergebnis."
    await keep(store, "1", "Text", f"{filler} Der Haushalt steht.")
    await keep(store, "2", "Lead", f"{filler} Man ist müde geworden.", teaser="Der Haushalt steht.")
    await keep(store, "3", "Haushalt", f"{filler} Man ist froh.")
    await keep(store, "4", "Stadthaushalt", f"{filler} Man ist froh darum.")
    assert found(sql_rows, "haushalt")[:2] == ["Haushalt", "Lead"]
    assert set(found(sql_rows, "haushalt")[2:]) == {"Text", "Stadthaushalt"}


async def test_time_and_source_bound_a_search_and_the_snippet_shows_the_place(store, sql_rows):
    await keep(store, "1", "Alt", "Der Haushalt war knapp.", at=T - timedelta(days=30))
    await keep(store, "2", "Neu", "Vorweg viel anderes. Dann kam Frau Müller auf den Haushalt zu sprechen.", source="b")
    assert found(sql_rows, "haushalt", ", since => '2026-02-25'") == ["Neu"]
    assert found(sql_rows, "haushalt", ", until => '2026-02-25'") == ["Alt"]
    assert found(sql_rows, "haushalt", ", source => 'b'") == ["Neu"]
    assert found(sql_rows, "haushalt", ", max_rows => 1") != []
    ((snippet,),) = sql_rows("SELECT snippet FROM news.search('mueller haushalt')")
    assert "«Müller»" in snippet and "«Haushalt»" in snippet


@pytest.mark.parametrize(
    ("asked", "marked"),
    [("sperrung", "«Straßensperrung»"), ("haushalt", "«Stadthaushalt»"), ("beirat haushalt", "«Stadthaushalt»")],
)
async def test_the_snippet_shows_a_compound_that_ends_with_the_word(store, sql_rows, asked: str, marked: str):
    filler = "Am Abend wurde lange beraten, und am Ende gab es ein Ergebnis. " * 12
    await keep(store, "1", "Rat", f"{filler}Wegen der Straßensperrung wächst der Stadthaushalt, klagt der Ortsbeirat.")
    ((snippet,),) = sql_rows("SELECT snippet FROM news.search(%s)", asked)
    assert marked in snippet


async def test_a_changed_article_is_found_by_its_new_words_only(store, sql_rows):
    await keep(store, "1", "Rat", "Der Haushalt steht fest.")
    await keep(store, "1", "Rat", "Die Gebühren steigen.", at=T + timedelta(hours=1))
    assert (found(sql_rows, "haushalt"), found(sql_rows, "gebuehren")) == ([], ["Rat"])


@pytest.mark.parametrize(
    "query", ["", "   ", "der die das", "'", "a:* & !", "\\", '"', "-", "🙂", "x" * 10_000, "(a | b)", "~'"]
)
async def test_no_query_is_an_error(store, query: str):
    await keep(store, "1", "Rat", "Der Haushalt steht fest.")
    assert await store.search(query) == []


LETTERS = "abcdefghijklmnopqrstuvwxyz"
LONG = [
    " ".join(f"zahn{a}{b}{c}{d}leitung" for a in LETTERS for b in LETTERS for c in LETTERS for d in "abcd"),
    f"zahnaaaaleitung {'lang' * 1000}ung",
    "zahnaaaaleitung "
    + " ".join(
        "bababa" + "".join(6 * chr(0x0430 + n // by % 32) for by in (1, 32, 1024)) + "ung" for n in range(13_000)
    ),
]


@pytest.mark.parametrize("text", LONG, ids=["many", "endless", "of other letters"])
async def test_a_text_of_nothing_but_long_words_is_stored_and_found(store, sql_rows, text: str):
    await keep(store, "1", "Leitungen", text)
    assert found(sql_rows, "zahnaaaaleitungen") == found(sql_rows, "leitung") == ["Leitungen"]


async def test_articles_without_a_known_language_and_monstrous_ones_are_found(store, sql_rows):
    await keep(store, "1", "Zahlen", "x " + " ".join(f"wort{number}" for number in range(120_000)), None)
    assert found(sql_rows, "wort77") == ["Zahlen"]


def test_the_index_takes_new_rows_without_a_flush_in_the_middle_of_a_write(sql_rows):
    options = sql_rows("SELECT reloptions FROM pg_class WHERE oid = 'ingest.search_words'::regclass")
    assert options == [(["gin_pending_list_limit=65536"],)]


async def test_the_store_flushes_the_index_beside_its_writing(store, sql_rows, monkeypatch):
    monkeypatch.setattr("pipelines.store.batches.TIDY_AFTER", 1)
    await keep(store, "1", "Rat", "Der Haushalt steht fest.")
    await store.close()
    # nothing is left to flush
    assert sql_rows("SELECT gin_clean_pending_list('ingest.search_words')") == [(0,)]


def test_letters_are_folded_in_a_text_as_they_are_alone(sql_rows):
    every = "".join(map(chr, range(0x21, 0x300)))
    asked = "SELECT ingest.folded(%s), string_agg(ingest.folded(letter), '' ORDER BY place)"
    rows = sql_rows(f"{asked} FROM unnest(%s::text[]) WITH ORDINALITY AS each (letter, place)", every, list(every))
    assert rows == [(rows[0][1],) * 2]
    assert sql_rows("SELECT ingest.folded(%s)", "Šefčovič aß Crème brûlée: Œuvre") == [
        ("sefcovic ass creme brulee: oeuvre",)
    ]
