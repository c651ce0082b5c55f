"""How well and how fast near copies are found, through the database: prints tables.

    python -m benchmarks.dedupe [--corpus DIR] [--sizes 10000,100000] [--json]

Recall: articles of real text (a corpus beside the checkout; generated text without one) are stored, then an edited copy
of each under another address. It counts as found when the copy points to its original. False pairs: unrelated texts of
the corpus are stored in one database; every link between two of them is listed. Cost: the milliseconds per article that
finding copies takes (bands, claims, lookup, comparison), with that many articles stored. The database is an embedded
server of its own, removed afterwards; NACHLESE_BENCHMARK_DATABASE_URL names another, empty one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import conninfo
from rich.console import Console
from rich.table import Table

from benchmarks.articles import BESIDE, Generator, page_and_article, real_texts
from pipelines import database, dedupe
from pipelines.reading import fingerprint
from pipelines.store import Store, copying

LEAD = "Es ist eine Nachricht, die am Montag viele überrascht hat und über die das Land nun streitet"
BOILERPLATE = (
    "Dieser Beitrag erschien zuerst auf unserem Partnerportal. Alle Rechte vorbehalten, Nachdruck nur mit "
    "Genehmigung.\n\n"
    "Newsletter bestellen: Jeden Morgen das Wichtigste vom Tag, kostenlos und jederzeit kündbar, in Ihrem Postfach."
)

# ---------------------------------------------------------------------------------------------------------------------
# edits, as newsrooms make them


def cut_from_the_end(text: str, dice: random.Random) -> str:
    words = text.split(" ")
    return " ".join(words[: int(len(words) * dice.uniform(0.45, 0.95))])


def new_lead(text: str, dice: random.Random) -> str:
    first, _, rest = text.partition(". ")
    return f"{LEAD}, auch {dice.choice(['in Köln', 'in Wien', 'in Bern'])} und anderswo. {rest or first}"


def inserted_paragraph(text: str, dice: random.Random) -> str:
    paragraphs = text.split("\n\n")
    own = Generator(dice.randrange(10**6), vocabulary=3000).text(dice.randint(30, 90))
    paragraphs.insert(dice.randint(0, len(paragraphs)), own)
    return "\n\n".join(paragraphs)


def boilerplate_added(text: str, dice: random.Random) -> str:
    return f"{text}\n\n{BOILERPLATE}"


def words_replaced(text: str, dice: random.Random) -> str:
    share = dice.uniform(0.01, 0.12)
    return " ".join("geändert" if dice.random() < share else word for word in text.split(" "))


def paragraphs_left_out(text: str, dice: random.Random) -> str:
    kept = [paragraph for paragraph in text.split("\n\n") if dice.random() > 0.25]
    return "\n\n".join(kept) or text


def several(text: str, dice: random.Random) -> str:
    for edit in dice.sample((cut_from_the_end, new_lead, inserted_paragraph, boilerplate_added, words_replaced), 2):
        text = edit(text, dice)
    return text


EDITS = (
    cut_from_the_end, new_lead, inserted_paragraph, boilerplate_added, words_replaced, paragraphs_left_out, several,
)  # fmt: skip
CLASSES = (
    (0.9, "0.9 - 1"),
    (0.8, "0.8 - 0.9"),
    (0.7, "0.7 - 0.8"),
    (0.5, "0.5 - 0.7"),
    (0.3, "0.3 - 0.5"),
    (0, "below"),
)


# ---------------------------------------------------------------------------------------------------------------------
# a database of our own


@contextlib.contextmanager
def own_database(name: str) -> Iterator[str]:
    """The DSN of a fresh, migrated database that is gone afterwards."""
    stated = os.environ.get("NACHLESE_BENCHMARK_DATABASE_URL")
    folder = Path(tempfile.mkdtemp(prefix="nachlese-benchmark-"))
    server = stated or database.embedded(folder / "postgres")
    try:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        dsn = conninfo.make_conninfo(server, dbname=name)
        database.migrate(dsn)
        yield dsn
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        if not stated:
            database.leave(server)
        shutil.rmtree(folder, ignore_errors=True)


# ---------------------------------------------------------------------------------------------------------------------
# quality


async def recall(dsn: str, texts: list[str], edits_each: int, seed: int) -> dict[str, dict[str, list[bool]]]:
    """Whether each edited copy was found, by class of Jaccard similarity and by edit; 'false' has the false links."""
    dice = random.Random(seed)
    of_class: dict[str, list[bool]] = defaultdict(list)
    of_edit: dict[str, list[bool]] = defaultdict(list)
    async with await Store.open(dsn) as store:
        run = await store.begin_run(None, "replay", "benchmark")
        originals = []
        for number, text in enumerate(texts):
            page, article = page_and_article(number, text, f"Meldung {number}")
            originals.append(await store.keep(run, page, article))
        links = [(number, ending.copy_of) for number, ending in enumerate(originals) if ending.kind == "copy"]
        number_of = {ending.article_id: number for number, ending in enumerate(originals)}
        family = {ending.article_id: ending.copy_of or ending.article_id for ending in originals}
        text_of = {ending.article_id: place for place, ending in enumerate(originals)}
        number = len(texts)
        wrong = 0
        for place, text in enumerate(texts):
            for edit in dice.sample(EDITS, edits_each):
                edited = edit(text, dice)
                page, article = page_and_article(number, edited, f"Andere Zeile {number}", source=f"other{number % 9}")
                ending = await store.keep(run, page, article)
                number += 1
                alike = dedupe.likeness(fingerprint.shingles(text), fingerprint.shingles(edited)).same
                name = next(name for least, name in CLASSES if alike >= least)
                found = ending.copy_of is not None and ending.copy_of == family[originals[place].article_id]
                of_class[name].append(found)
                if alike >= 0.7:
                    of_edit[edit.__name__].append(found)
                # a copy may be one of an earlier edit that was itself too far from the original
                wrong += ending.copy_of is not None and not found and text_of[ending.copy_of] != place
                text_of[ending.article_id] = place
    pairs = [(texts[number][:70], texts[number_of[other]][:70]) for number, other in links]
    return {"class": of_class, "edit": of_edit, "false": {"links": pairs, "wrong": wrong}}


# ---------------------------------------------------------------------------------------------------------------------
# cost

FILL = """
    INSERT INTO ingest.articles (url_key, url, canonical_url, source, version, first_seen_at, fetched_at, changed_at)
    SELECT decode(md5('fill ' || n), 'hex'), 'https://f.example/' || n, 'https://f.example/' || n, 'fill', 1, now(),
           now(), now()
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
    RETURNING id
"""
FILL_VERSIONS = """
    COPY ingest.versions (article_id, number, fetched_at, text_key, content_key, body_key, bands, title, text,
        text_markdown, kind, pages_read, pages_total, word_count, reader_version) FROM STDIN
"""


def fill(dsn: str, until: int, words: int = 60) -> None:
    """Store articles until there are *until*, past the writer: random bands, short texts, one source."""
    dice = random.Random(until)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("INSERT INTO ingest.sources (name, title) VALUES ('fill', 'Fill') ON CONFLICT DO NOTHING")
        have = connection.execute("SELECT count(*) FROM ingest.articles").fetchone()[0]
        for first in range(have + 1, until + 1, 20_000):
            last = min(until, first + 19_999)
            ids = [row[0] for row in connection.execute(FILL, {"first": first, "last": last}).fetchall()]
            rows = [(number, [dice.getrandbits(64) - (1 << 63) for _ in range(fingerprint.BANDS)]) for number in ids]
            with connection.cursor() as cursor:
                with cursor.copy(FILL_VERSIONS) as copy:
                    for number, bands in rows:
                        key = number.to_bytes(16, "big")
                        text = f"wort{number} " * words
                        keys = (key, key, key, bands)
                        copy.write_row(
                            (number, 1, "2026-01-01", *keys, "Titel", text, text, "article", 1, 1, words, "1")
                        )
                connection.execute("CREATE TEMP TABLE IF NOT EXISTS claims (band bigint, article_id bigint)")
                connection.execute("TRUNCATE claims")
                with cursor.copy("COPY claims FROM STDIN") as copy:
                    for number, bands in rows:
                        for band in bands:
                            copy.write_row((band, number))
                connection.execute("INSERT INTO ingest.bands SELECT * FROM claims ORDER BY band ON CONFLICT DO NOTHING")
        connection.execute("VACUUM ANALYZE ingest.bands, ingest.versions, ingest.articles")
        connection.execute("CHECKPOINT")


async def cost(dsn: str, texts: list[str], batch: int = 50) -> float:
    """Milliseconds per article for everything that finding copies takes; the median of the batches."""
    times = []
    connection = await psycopg.AsyncConnection.connect(dsn)
    async with connection:
        number = -1_000_000_000
        for start in range(0, len(texts), batch):
            part = texts[start : start + batch]
            begin = time.perf_counter()
            bands = [fingerprint.bands(text) or [] for text in part]
            await copying.claim(connection, [(number - place, of) for place, of in enumerate(bands)])
            new = {number - place for place in range(len(part))}
            known = await copying.known(connection, [band for of in bands for band in of], new)
            for place, (text, of) in enumerate(zip(part, bands, strict=True)):
                known.origin(number - place, text, of)
                known.keep(number - place, 1, text, of)
            await connection.commit()
            times.append((time.perf_counter() - begin) * 1000 / len(part))
            number -= len(part)
        await connection.execute("DELETE FROM ingest.bands WHERE article_id < 0")
        await connection.commit()
    return statistics.median(times)


# ---------------------------------------------------------------------------------------------------------------------
# tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--corpus", type=Path, default=BESIDE)
    parser.add_argument("--sizes", default="10000,100000", help="stored articles at which the cost is measured")
    parser.add_argument("--edits", type=int, default=4, help="edited copies of each text")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",") if size]

    texts = real_texts(options.corpus)
    kind = "real" if texts else "generated"
    generator = Generator(options.seed)
    texts = texts or [generator.text() for _ in range(460)]
    with own_database("benchmark_quality") as dsn:
        quality = asyncio.run(recall(dsn, texts, options.edits, options.seed))
    costs = {}
    fresh = [generator.text() for _ in range(1000)]
    with own_database("benchmark_cost") as dsn:
        for size in sizes:
            fill(dsn, size)
            costs[size] = asyncio.run(cost(dsn, fresh))
    if options.json:
        shown = {
            what: {name: [sum(found), len(found)] for name, found in quality[what].items()}
            for what in ("class", "edit")
        }
        print(json.dumps(shown | {"false": quality["false"], "cost_ms": costs}, ensure_ascii=False))
        return
    show(quality, costs, len(texts), kind)


def show(quality: dict, costs: dict[int, float], texts: int, kind: str) -> None:
    console = Console()
    for what, title in (("class", "word triples shared"), ("edit", "edit (shared 0.7 and more)")):
        table = Table(title=f"Near copies of {texts} {kind} texts", box=None)
        for column in (title, "copies", "found", "recall"):
            table.add_column(column, justify="left" if column == title else "right")
        names = [name for _, name in CLASSES] if what == "class" else sorted(quality[what])
        for name in names:
            found = quality[what].get(name, [])
            if found:
                table.add_row(name, str(len(found)), str(sum(found)), f"{sum(found) / len(found):.4f}")
        console.print(table, "")
    # texts and edited copies are stored beside each other; those of one text are related, all others are not
    each = 1 + sum(len(found) for found in quality["class"].values()) // texts
    pairs = ((texts * each) ** 2 - texts * each**2) // 2
    wrong = len(quality["false"]["links"]) + quality["false"]["wrong"]
    console.print(f"False links among {pairs:,} pairs of unrelated texts: {wrong}")
    for one, other in quality["false"]["links"]:
        console.print(f"  {other!r}\n  {one!r}", markup=False)
    table = Table(title="Cost of finding copies", box=None)
    for column in ("articles stored", "ms an article", "against the least"):
        table.add_column(column, justify="right")
    for size, ms in costs.items():
        table.add_row(f"{size:,}", f"{ms:.2f}", f"{ms / min(costs.values()):.2f}")
    console.print("", table)


if __name__ == "__main__":
    main()
