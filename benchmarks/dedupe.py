"""How well and how fast near copies are found, through the database: prints tables.

    python -m benchmarks.dedupe [--corpus DIR] [--sizes 10000,100000,500000] [--data DIR] [--json]

Recall: articles of real text (a corpus beside the checkout; generated text without one) are stored, then an edited copy
of each under another address. It counts as found when the copy points to its original. False pairs: unrelated texts of
the corpus are stored in one database; every link between two of them is listed. Cost: the milliseconds per article that
finding copies takes (bands, claims, lookup, comparison, and the claims that settle meanwhile), with that many articles
stored (``benchmarks/filled.py``). With --data the server's folder stays, and the next run begins at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time
from collections import defaultdict
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks import filled
from benchmarks.articles import Generator, page_and_article, real_texts
from benchmarks.filled import backend_seconds
from benchmarks.reading import BESIDE
from pipelines import dedupe
from pipelines.reading import fingerprint
from pipelines.store import Store, near_duplicates

ROUNDS = 3
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
            originals.append(await store.save_article(run, page, article))
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
                ending = await store.save_article(run, page, article)
                number += 1
                alike = dedupe.similarity(fingerprint.shingles(text), fingerprint.shingles(edited)).same
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

SETTLE_AFTER = 400  # articles, as in the store


async def cost(dsn: str, texts: list[str], batch: int = 50) -> dict[str, float]:
    """Milliseconds per article for everything that finding copies takes, settling included: by the processors, and by
    the clock in the batches (the median). Nothing of it stays."""
    times: list[float] = []
    connection = await psycopg.AsyncConnection.connect(dsn)
    async with connection:
        client, server = time.process_time(), backend_seconds(connection)
        number = -1_000_000_000
        for start in range(0, len(texts), batch):
            part = texts[start : start + batch]
            begin = time.perf_counter()
            bands = [fingerprint.bands(text) or [] for text in part]
            await near_duplicates.claim(connection, [(number - place, of) for place, of in enumerate(bands)])
            new = {number - place for place in range(len(part))}
            known = await near_duplicates.known(connection, [band for of in bands for band in of], new)
            for place, (text, of) in enumerate(zip(part, bands, strict=True)):
                known.duplicate_of(number - place, text, of)
                known.add(number - place, 1, text, of)
            await connection.commit()
            times.append((time.perf_counter() - begin) * 1000 / len(part))
            number -= len(part)
            if (start + batch) % SETTLE_AFTER == 0:
                await near_duplicates.compact(connection)
                await connection.commit()
        used = time.process_time() - client + backend_seconds(connection) - server
        for table in ("claims", "bands"):
            await connection.execute(f"DELETE FROM ingest.{table} WHERE article_id < 0")
        await connection.commit()
    return {"used": used * 1000 / len(texts), "clock": statistics.median(times)}


# ---------------------------------------------------------------------------------------------------------------------
# tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--corpus", type=Path, default=BESIDE)
    parser.add_argument("--sizes", default="10000,100000", help="stored articles at which the cost is measured")
    parser.add_argument("--data", type=Path, help="folder of the server's data; stays for the next time")
    parser.add_argument("--edits", type=int, default=4, help="edited copies of each text")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    texts = real_texts(options.corpus)
    kind = "real" if texts else "generated"
    generator = Generator(options.seed)
    texts = texts or [generator.text() for _ in range(460)]
    costs = {}
    with filled.server(options.data) as server:
        with filled.fresh_database(server, "benchmark_quality") as dsn:
            quality = asyncio.run(recall(dsn, texts, options.edits, options.seed))
        databases = {size: filled.filled_database(server, size) for size in filled.sizes(options.sizes)}
        rounds: dict[int, list[dict[str, float]]] = {size: [] for size in databases}
        for _ in range(ROUNDS):  # in turn, so that what else the machine does meets all of them
            fresh = [generator.text() for _ in range(1200)]
            for size, dsn in databases.items():
                rounds[size].append(asyncio.run(cost(dsn, fresh)))
        for size, found in rounds.items():
            costs[size] = {name: statistics.median(one[name] for one in found) for name in ("used", "clock")}
    if options.json:
        shown = {
            what: {name: [sum(found), len(found)] for name, found in quality[what].items()}
            for what in ("class", "edit")
        }
        print(json.dumps(shown | {"false": quality["false"], "cost_ms": costs}, ensure_ascii=False))
        return
    show(quality, costs, len(texts), kind)


def show(quality: dict, costs: dict[int, dict[str, float]], texts: int, kind: str) -> None:
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
    for column in ("articles stored", "ms of processor time", "against the least", "ms by the clock"):
        table.add_column(column, justify="right")
    least = min((ms["used"] for ms in costs.values()), default=0.0)
    for size, ms in costs.items():
        table.add_row(f"{size:,}", f"{ms['used']:.2f}", f"{ms['used'] / least:.2f}", f"{ms['clock']:.2f}")
    console.print("", table)


if __name__ == "__main__":
    main()
