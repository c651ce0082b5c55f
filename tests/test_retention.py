"""What is too old is deleted, and nothing that others need; article rows stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipelines.archive import Archive
from pipelines.items import Reason
from pipelines.store import Archived, SourceRow, retention
from tests.test_copies import report
from tests.test_store import T, article, begin, page

LATER = datetime.now(UTC) + timedelta(days=1)


def files(folder: Path) -> int:
    return len(list(folder.iterdir()))


async def keep(store, run, address: str, words: list[str], minutes: int = 0, archived=None):
    fetched = page(f"https://{address}", at=T + timedelta(minutes=minutes))
    return await store.save_article(run, fetched, article(fetched, text=" ".join(words)), archived)


async def test_bookkeeping_of_ended_runs_goes_and_their_counts_stay(store, sql_rows):
    old, now = await begin(store), await begin(store, "other")
    await keep(store, old, "a.example/1", report(1))
    await store.reject(old, "https://a.example/2", Reason.SOFT_404)
    await keep(store, now, "b.example/1", report(2))
    await store.end_run(old, "finished")
    nothing = {"attempts": 0, "run_pages": 0, "runs": 0, "observations": 0, "versions": 0, "archive_files": 0}
    assert await store.prune(bookkeeping=T) == nothing
    counted = await store.prune(bookkeeping=LATER, is_dry=True)
    assert counted == {"attempts": 3, "run_pages": 2, "runs": 0, "observations": 0, "versions": 0, "archive_files": 0}
    assert await store.prune(bookkeeping=LATER) == counted
    assert sql_rows("SELECT new, rejected, found FROM news.runs WHERE source = 'example'") == [(1, 1, 2)]
    assert sql_rows("SELECT count(*) FROM news.rejections") == [(1,)]
    assert (await store.end_run(now, "finished")).new == 1


SUMS = """
    SELECT sum(runs), sum(took), sum(new), sum(unchanged), sum(rejected) FROM news.run_days
    UNION ALL SELECT sum(runs), sum(took), sum(new), sum(unchanged), sum(rejected) FROM news.run_totals
"""
OLD_RUNS = """
    INSERT INTO ingest.runs (
        token, source, kind, slot, holder, started_at, lease_until, ended_at, outcome, new, rejected)
    SELECT gen_random_uuid(), %s, %s, slot, 'host:1', slot, slot, slot + interval '1.5 seconds', %s, 1, 2
    FROM generate_series(now() - interval '200 days', now() - %s::interval, interval '1 day') AS slot
    ORDER BY slot
    RETURNING id
"""


async def test_old_runs_go_but_the_latest_and_their_sums_stay(store, sql_rows, monkeypatch):
    """In portions of a few rows, of which some have to stay: a run under way, a replay and a backfill among them."""
    monkeypatch.setattr(retention, "AT_A_TIME", 7)
    for source in ("example", "other", "silent"):
        await store.save_sources([SourceRow(source, source)])
    sql_rows(OLD_RUNS, "silent", "crawl", "finished", "160 days")
    sql_rows(OLD_RUNS, None, "replay", "finished", "199 days")
    sql_rows(OLD_RUNS, "other", "backfill", "stopped", "199 days")
    under_way = await begin(store, "other")
    sql_rows(OLD_RUNS, "example", "crawl", "finished", "1 day")
    before, last_run = sql_rows(SUMS), sql_rows("SELECT last_run FROM news.sources ORDER BY name")
    ago = datetime.now(UTC) - timedelta(days=100)
    assert (await store.prune(bookkeeping=None, runs=ago))["runs"] == 0  # not before the requests
    assert (await store.prune(bookkeeping=ago - timedelta(days=200), runs=ago))["runs"] == 0
    counted = (await store.prune(bookkeeping=ago, runs=ago, is_dry=True))["runs"]
    assert (await store.prune(bookkeeping=ago, runs=ago))["runs"] == counted == 100
    assert (await store.prune(bookkeeping=ago, runs=ago))["runs"] == 0
    kept = dict(sql_rows("SELECT coalesce(source, ''), count(*) FROM news.runs GROUP BY 1"))
    assert kept == {"example": 100, "silent": 41, "other": 3, "": 2}
    assert sql_rows(SUMS) == before
    assert sql_rows("SELECT last_run FROM news.sources ORDER BY name") == last_run
    assert sql_rows("SELECT count(*), sum(runs) FROM ingest.run_days WHERE source = 'example'") == [(100, 100)]
    # all that is old: the latest 50 of each source stay, and what has not ended
    assert (await store.prune(bookkeeping=LATER, runs=LATER))["runs"] == 50
    kept = dict(sql_rows("SELECT coalesce(source, ''), count(*) FROM news.runs GROUP BY 1"))
    assert kept == {"example": 50, "silent": 41, "other": 3, "": 2}
    assert sql_rows(SUMS) == before
    assert (await store.end_run(under_way, "finished")).new == 0
    # another name, which has sums of its own
    await store.save_sources([SourceRow("neu", "Neu")])
    sql_rows(
        "INSERT INTO ingest.run_days SELECT 'neu', day, kind, outcome, 1, '5 s', 0, 0, 0, 0, 0 FROM ingest.run_days "
        "RETURNING 1"
    )
    await store.save_sources([SourceRow("neu", "Neu", formerly=["example"])])
    assert sql_rows("SELECT source, count(*), sum(runs), sum(new) FROM ingest.run_days GROUP BY 1") == [
        ("neu", 150, 300, 150)
    ]


async def test_the_run_with_which_a_silence_began_stays_and_what_names_a_run_that_is_gone_is_null(store, sql_rows):
    run = await begin(store)
    await keep(store, run, "a.example/1", report(1), archived=Archived("a.warc.gz", 0, 10))
    await store.end_run(run, "finished")
    await store.check_health("example", run.id, ZoneInfo("Europe/Berlin"))
    assert sql_rows("SELECT count(*) FROM ingest.observations") == [(1,)]
    sql_rows("UPDATE ingest.observations SET at = now() - interval '150.5 days' RETURNING 1")
    sql_rows("UPDATE ingest.runs SET started_at = '2020-01-01', ended_at = '2020-01-01' RETURNING 1")
    assert sql_rows("SELECT run FROM news.archive_records") == [(run.id,)]
    sql_rows(OLD_RUNS, "example", "crawl", "finished", "1 day")
    ago = datetime.now(UTC) - timedelta(days=10)
    looking = "SELECT min(started_at) FROM news.runs WHERE started_at > now() - interval '150.5 days'"
    since = sql_rows(looking)
    # 201 runs of which the latest 50 and one stay
    assert (await store.prune(bookkeeping=ago, runs=ago))["runs"] == 150
    assert sql_rows(looking) == since
    assert sql_rows("SELECT count(*) FROM news.runs WHERE started_at < now() - interval '60 days'") == [(1,)]
    assert sql_rows("SELECT run FROM news.archive_records") == [(None,)]
    assert sql_rows("SELECT count(*) FROM news.articles") == [(1,)]
    assert sql_rows("SELECT count(*) FROM news.runs, news.page_runs, news.attempts") == [(0,)]


async def test_old_wordings_go_but_the_current_ones_and_the_originals_of_copies_stay(store, sql_rows):
    run = await begin(store)
    first = await keep(store, run, "a.example/1", report(1))
    await keep(store, run, "a.example/1", report(2), 10)
    await keep(store, run, "b.example/1", report(1)[10:])
    changed = await keep(store, run, "c.example/1", report(3))
    await keep(store, run, "c.example/1", report(4), 10)
    assert (await store.prune(versions=T))["versions"] == 0
    assert (await store.prune(versions=LATER, is_dry=True))["versions"] == 1
    assert (await store.prune(versions=LATER))["versions"] == 1
    assert sql_rows("SELECT article_id, version FROM news.versions WHERE NOT is_current") == [(first.article_id, 1)]
    assert sql_rows("SELECT count(*), max(version) FROM news.articles") == [(3, 2)]
    # who comes with the deleted text is the first now, and the next version has a number of its own
    assert (await keep(store, run, "d.example/1", report(3))).kind == "new"
    again = await keep(store, run, "c.example/1", report(5), 20)
    assert (again.article_id, again.version) == (changed.article_id, 3)


async def test_archive_files_go_when_all_their_pages_are_old(store, sql_rows, tmp_path: Path):
    run = await begin(store)
    with Archive(tmp_path) as archive:
        for number, days in ((1, 0), (2, 0), (3, 40)):
            fetched = page(f"https://a.example/{number}", at=T + timedelta(days=days))
            archived = archive.save(fetched)
            await store.save_article(run, fetched, article(fetched, text=" ".join(report(number))), archived)
    assert files(tmp_path) == 2
    before = T + timedelta(days=30)
    assert (await store.prune(archive=before, folder=tmp_path, is_dry=True))["archive_files"] == 1
    assert (await store.prune(archive=before, folder=tmp_path))["archive_files"] == 1
    assert files(tmp_path) == 1
    assert sql_rows("SELECT count(*) FROM ingest.archive_records") == [(1,)]
    assert sql_rows("SELECT count(*), count(archive_record_id) FROM ingest.versions") == [(3, 1)]
    assert (await store.prune(archive=before, folder=tmp_path))["archive_files"] == 0


@pytest.mark.parametrize("file", ["../outside.warc.gz", "/etc/hostname"])
async def test_only_files_of_the_archive_are_deleted(store, sql_rows, tmp_path: Path, file: str):
    inside = tmp_path / "archive"
    inside.mkdir()
    (tmp_path / "outside.warc.gz").write_bytes(b"mine")
    run = await begin(store)
    await keep(store, run, "a.example/1", report(1), archived=Archived(file, 0, 10))
    assert (await store.prune(archive=LATER, folder=inside))["archive_files"] == 0
    assert (tmp_path / "outside.warc.gz").exists()


async def test_sizes_name_every_table_the_largest_first(store, sql_rows):
    sizes = await store.size()
    tables = {row["name"] for row in sizes["tables"]}
    assert {"articles", "versions", "bands", "pages", "attempts"} <= tables
    totals = [row["bytes"] + row["index_bytes"] for row in sizes["tables"]]
    assert totals == sorted(totals, reverse=True)
    assert sizes["bytes"] > sum(totals)
