"""Processes of different containers and machines: equal numbers, equal names, and one folder or one database.

A container is a process-id namespace and a host name of its own, in each of which the first process has number 1.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.worker_ids import is_gone, new_worker_id
from pipelines import archive, database
from pipelines.archive import Archive
from pipelines.atomic import replacing
from pipelines.process_space import process_space
from tests.test_archive import other

#: a container called "same", in which what follows has number 1
CONTAINER = ("unshare", "--pid", "--uts", "--mount", "--fork", "--mount-proc", "--kill-child",
             "sh", "-c", 'hostname same; exec "$@"', "same", sys.executable, "-c")  # fmt: skip
ARCHIVE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from crawler.worker_ids import new_worker_id
from pipelines.archive import Archive
from pipelines.items import Page
kept = Archive(Path(sys.argv[1]))
page = Page("https://news.example/1", "example", b"<p>1</p>", datetime(2026, 3, 1, tzinfo=UTC))
print(new_worker_id(), kept.save(page).file, flush=True)
sys.stdin.read()
"""
JOIN = """
import sys
from pathlib import Path
from pipelines import database
try:
    database.embedded(Path(sys.argv[1]))
except database.DatabaseError as error:
    sys.exit(str(error))
"""


@pytest.fixture(scope="module")
def containers() -> None:
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("only root makes namespaces, by the program unshare")
    tried = subprocess.run([*CONTAINER, "pass"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no namespaces here: {tried.stderr.strip()[-200:]}")


def begun(code: str, *words: object) -> subprocess.Popen[str]:
    command = [*CONTAINER, code, *map(str, words)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.usefixtures("containers")
def test_two_containers_with_the_same_name_and_number_are_two(tmp_path: Path):
    """Each has a folder of its own: nothing but the name keeps their files apart in the database."""
    both = [begun(ARCHIVE, tmp_path / name) for name in ("a", "b")]
    (first, one), (second, two) = [process.stdout.readline().split() for process in both]
    assert one != two and re.fullmatch(r"nachlese-20260301-1-\w{8}-1\.warc\.gz", one)
    assert first.startswith("same/") and first.split(":")[1] == second.split(":")[1] == "1"
    assert not is_gone(first, second) and not is_gone(second, first)
    for process in both:
        process.communicate()
    assert [page.url for page in archive.pages([tmp_path / "a", tmp_path / "b"])] == ["https://news.example/1"] * 2


def test_a_process_of_another_machine_with_the_same_name_is_not_taken_for_dead():
    """Machines without containers have the same number of their namespace; what differs is the start of the kernel."""
    ours = new_worker_id()
    boot, namespace = process_space().split("-")
    theirs = ours.replace(boot, f"{int(boot, 16) ^ 1:08x}")
    assert theirs != ours and f"{namespace}:{os.getpid()}:" in theirs
    assert not is_gone(theirs, ours)
    assert not is_gone(theirs.replace(f":{os.getpid()}:", f":{2**22 + 1}:"), ours)


@pytest.mark.usefixtures("containers")
def test_an_embedded_server_is_not_started_a_second_time_by_who_cannot_see_the_first_one(server_folder: Path):
    dsn = database.embedded(server_folder / "data")
    try:
        other_one = begun(JOIN, server_folder / "data")
        _, said = other_one.communicate()
        assert other_one.returncode == 1 and "in another container or on another machine" in said
        assert "NACHLESE_DATABASE_URL" in said
    finally:
        database.leave(dsn)
    later = begun(JOIN, server_folder / "data")
    assert (later.communicate()[1], later.returncode) == ("", 0)


def test_two_that_write_one_file_leave_that_of_one_of_them(tmp_path: Path):
    """Two processes with one number are as one here: their names for what is not done yet must differ all the same."""
    file = tmp_path / "nachlese.prom"
    with replacing(file) as first, replacing(file) as second:
        first.write_text("first")
        second.write_text("second")
    assert file.read_text() == "first" and os.listdir(tmp_path) == [file.name]


def test_archives_of_one_process_name_their_files_differently_in_any_folder(tmp_path: Path):
    with Archive(tmp_path / "a") as one, Archive(tmp_path / "b") as two:
        assert one.save(other(1)).file != two.save(other(1)).file
