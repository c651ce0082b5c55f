"""Debian's PostgreSQL 15, where it is installed: what people run who bring their own server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

BIN = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="session")
def postgres15() -> Iterator[str]:
    """The DSN of its superuser; the server lives in a folder of its own and listens on a socket there only."""
    if not (BIN / "initdb").exists():
        pytest.skip("Debian's postgresql-15 is not installed")
    folder = Path(tempfile.mkdtemp(prefix="nachlese-postgres15-"))
    owner = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    if owner:
        shutil.chown(folder, "postgres", "postgres")

    def run(program: str, *arguments: str) -> None:
        command = [BIN / program, "-D", folder / "data", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **owner)  # type: ignore[call-overload]

    run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", f"-F -c listen_addresses= -k {folder}", "start")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
