"""``nachlese db dump``, ``restore`` and ``move``: the whole memory as a folder, and back, here or on another server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli.common import Exit, count, err, fail, reachable, told
from crawler.cli.read import print_line

if TYPE_CHECKING:
    from pipelines.archive_remote import RemoteArchive
    from pipelines.backup import Restored

ArchiveOption = Annotated[bool, typer.Option("--archive/--no-archive", help="With the files of the archive.")]


@told()
def dump(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new or empty folder.")],
    archive: ArchiveOption = True,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Copy the files at the archive's address too; otherwise they are listed.")
    ] = False,
) -> None:
    """Write the database and the archive into a folder, with counts and hashes to check them by. Crawls may go on.

    Of files that lie at an address (archive.folder = "s3://..."), names and sizes are written down.
    """
    from pipelines import backup

    with backup_errors():
        kept, remote = places() if archive else (None, None)
        manifest = backup.dump(reachable(), kept, folder, remote, fetch)
    print_line(f"{count(manifest.rows.get('articles', 0), 'article')} and {archive_files(manifest.files)}: {folder}")
    if manifest.remote:
        print_line(
            f"{archive_files(manifest.remote, 1)} at {manifest.address} listed, not copied (--fetch copies them)"
        )


@told()
def restore(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `nachlese db dump` wrote.")],
    archive: ArchiveOption = True,
) -> None:
    """Bring a dump into an empty database and its files into the archive; everything is checked by count and hash.

    Roles are made again where the dump had them, with passwords as `nachlese db roles` takes them. Exit code 1 where
    files of the archive are missing: the command names them.
    """
    from pipelines import backup

    with backup_errors():
        kept, remote = places() if archive else (None, None)
        restored = backup.restore(folder, reachable(), kept, remote, passwords())
    manifest = restored.manifest
    copied = archive_files(manifest.files) if archive else "no archive files"
    print_line(f"{count(manifest.rows.get('articles', 0), 'article')} and {copied} restored")
    say_notes(restored)
    if restored.missing:
        for name, why in restored.missing.items():
            err().print(f"{name}: {why}", soft_wrap=True)
        fail(
            f"pages in {count(len(restored.missing), 'file')} of the archive cannot be read until they are there; "
            "nachlese db check-archive --hours 0 says what only they held",
            Exit.NOT_ALL,
        )


@told()
def move(address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Of an empty database.")]) -> None:
    """Copy everything into another database, such as from the embedded server to one of your own.

    Nothing may crawl meanwhile. The old database stays as it is; the archive stays where it is.
    """
    import tempfile

    from pipelines import backup, database

    with backup_errors(), tempfile.TemporaryDirectory(prefix="nachlese-move-") as folder:
        database.wait_for(address, backup.PATIENCE)
        backup.dump(reachable(), None, Path(folder) / "dump")
        restored = backup.restore(Path(folder) / "dump", address, None, passwords=passwords())
    print_line(f"{count(restored.manifest.rows.get('articles', 0), 'article')} in {database.shown(address)} now")
    print_line("from now on: NACHLESE_DATABASE_URL names it")
    say_notes(restored)


def places() -> tuple[Path, RemoteArchive | None]:
    """Where files of the archive are written, and where they are moved to."""
    from crawler.cli.common import configuration
    from pipelines.archive_remote import NoSuchStore, archive_places

    try:
        return archive_places(configuration(is_reading=False).settings.archive.folder)
    except NoSuchStore as error:
        fail(str(error), Exit.USAGE)


def passwords() -> dict[str, str]:
    """Those of the roles, as the environment states them."""
    from pipelines import database

    return {role: os.environ.get(f"{role.upper()}_PASSWORD", "") for role in database.ROLES}


def archive_files(files: dict[str, str] | dict[str, int], more: int = 0) -> str:
    """How many of the archive, in words; one of the dump's files is the database."""
    return count(len(files) - 1 + more, "archive file")


def say_notes(restored: Restored) -> None:
    for note in restored.notes:
        err().print(note, soft_wrap=True)


@contextmanager
def backup_errors() -> Iterator[None]:
    """A file that cannot be read or written ends the command with its name."""
    from pipelines.archive_remote import StoreError

    try:
        yield
    except StoreError:
        raise  # it has no file's name
    except OSError as error:
        fail(f"{error.filename or 'a file'}: {error.strerror or error}", Exit.NOT_ALL)
