"""What is too old is deleted, and nothing that others need; article rows stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.archive import Archive
from pipelines.items import Reason
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
    nothing = {"attempts": 0, "run_pages": 0, "observations": 0, "versions": 0, "archive_files": 0}
    assert await store.prune(bookkeeping=T) == nothing
    counted = await store.prune(bookkeeping=LATER, is_dry=True)
    assert counted == {"attempts": 3, "run_pages": 2, "observations": 0, "versions": 0, "archive_files": 0}
    assert await store.prune(bookkeeping=LATER) == counted
    assert sql_rows("SELECT new, rejected, found FROM news.runs WHERE source = 'example'") == [(1, 1, 2)]
    assert sql_rows("SELECT count(*) FROM news.rejections") == [(1,)]
    assert (await store.end_run(now, "finished")).new == 1


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
    from pipelines.store import Archived

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
