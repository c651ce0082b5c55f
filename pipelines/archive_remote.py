"""Sealed files of the archive at an address (S3 and the like), which every machine can read. The door to fsspec.

A file is written here and moved there when it is full, of another day, or old enough. So a machine that dies takes at
most what it had not moved.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pipelines import database

log = logging.getLogger(__name__)

#: protocols of stores of objects, which obstore speaks; the others are fsspec's own
OBJECTS = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss")
#: protocols of a connection that is kept
SSH = ("sftp", "ssh")
#: seconds after which a server that says nothing is given up, and between two signs of life
SILENT_FOR, KEEP_ALIVE = 60.0, 30
#: where the address of a server that speaks as one of the stores does may stand in the environment
ENDPOINTS = (
    *("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    *("AZURE_ENDPOINT", "AZURE_STORAGE_ENDPOINT", "GOOGLE_BASE_URL"),
)
#: bytes asked for at a time where single records are read
BLOCK = 1 << 20
#: files that cannot be moved in one look, after which the others wait, too: each may take its time to fail
MOST_FAILURES = 3
_PATTERN = "nachlese-*.warc.gz"


class NoSuchStore(ValueError):
    """The address of the archive cannot be used. The message is for a person."""


class StoreError(OSError):
    """The store at the archive's address cannot be reached or refuses. The message is for a person."""


def is_address(folder: str | None) -> bool:
    return "://" in (folder or "")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file there, read in blocks: for who wants a record of it."""

    place: Place
    path: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def open(self, mode: Literal["rb"]) -> Any:
        with self.place as fs:
            return fs.open(self.path, mode, block_size=BLOCK)


class RemoteArchive:
    """The files at *address*. Methods wait for the network: call them in a thread. They raise OSError."""

    def __init__(self, address: str):
        self.address = without_password(address)
        self._place = Place(address)
        self._root = self._place.root
        self._failures: Counter[str] = Counter()  # by name of a file that could not be moved

    def names(self) -> list[str]:
        return sorted(self._listed())

    def file(self, name: str) -> RemoteFile:
        return RemoteFile(self._place, f"{self._root}/{name}")

    def has(self, name: str) -> bool:
        with self._place as fs:
            return bool(fs.exists(f"{self._root}/{name}"))

    def sizes(self) -> list[int]:
        return list(self.files().values())

    def files(self) -> dict[str, int]:
        """Bytes of each file by its name."""
        return {name: int(entry["size"]) for name, entry in sorted(self._listed().items())}

    def fetch(self, name: str, target: Path) -> str:
        """Copy a file to *target* here; its SHA-256."""
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_name(f"{target.name}.half")
        with self._place as fs:
            fs.get_file(f"{self._root}/{name}", str(half))
        with half.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        half.replace(target)
        return digest

    def recent(self, since: datetime) -> dict[str, int]:
        """Bytes of each file that may have pages fetched since then: it is called by the latest day of its pages."""
        day = f"{since.astimezone(UTC):%Y%m%d}"
        return {name: int(entry["size"]) for name, entry in self._listed().items() if name.split("-")[1] >= day}

    def remove(self, name: str) -> None:
        with self._place as fs, suppress(FileNotFoundError):
            fs.rm_file(f"{self._root}/{name}")

    def fetched(self) -> Iterator[Path]:
        """Each file as one of this machine, deleted when the next one is asked for."""
        with tempfile.TemporaryDirectory(prefix="nachlese-archive-") as folder:
            for name in self.names():
                file = Path(folder) / name
                with self._place as fs:
                    fs.get_file(f"{self._root}/{name}", str(file))
                yield file
                file.unlink()

    def seal(self, folder: Path) -> int:
        """Move what nobody writes to any more in *folder* there; how many files. One that cannot be moved holds up none
        of the others. Raises OSError at the end, with what was wrong with the first one and how many wait."""
        done, failed = 0, []
        # what failed before comes last, so that it is never in the way of the others
        for file in sorted(folder.glob(_PATTERN), key=lambda file: (self._failures[file.name], file.name)):
            with ExitStack() as held:
                try:
                    opened = held.enter_context(file.open("r+b"))  # NFS locks only what is open for writing
                    fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except (FileNotFoundError, BlockingIOError):
                    continue  # whoever writes it, or moves it just now, holds the lock; it may be gone in between
                try:
                    done += self._move(file, os.fstat(opened.fileno()).st_size)
                except OSError as error:
                    failed.append(f"{file.name}: {error}")
                    self._failures[file.name] += 1
                    if len(failed) == MOST_FAILURES:  # then it is the place, not the file
                        break
        if failed:
            raise OSError(f"{failed[0]}" + (f"; nor {len(failed) - 1} more" if len(failed) > 1 else ""))
        return done

    def _move(self, file: Path, size: int) -> int:
        if not size or not file.exists():
            return 0
        target = f"{self._root}/{file.name}"
        if self._size(file.name) not in (None, size):
            log.warning("%s stays in %s: %s has another file of this name", file.name, file.parent, self.address)
            return 0
        with self._place as fs:
            half = target if _is_atomic(fs) else f"{target}.half"
            fs.makedirs(self._root, exist_ok=True)
            fs.put_file(str(file), half)
            found = int(fs.info(half)["size"])
            if found != size:
                raise OSError(f"{found:,} of {size:,} bytes of {file.name} came to {self.address}")
            if half != target:
                fs.mv(half, target)
        file.unlink()
        return 1

    def _size(self, name: str) -> int | None:
        """Bytes of a file there; None where there is none."""
        with self._place as fs:
            try:
                return int(fs.info(f"{self._root}/{name}")["size"])
            except FileNotFoundError:
                return None

    def _listed(self) -> dict[str, dict[str, Any]]:
        with self._place as fs:
            try:
                fs.invalidate_cache()
                found = fs.ls(self._root, detail=True)
            except FileNotFoundError:
                return {}
        named = {str(entry["name"]).rpartition("/")[2]: entry for entry in found}
        return {name: entry for name, entry in named.items() if name.startswith("nachlese-") and name.endswith(".gz")}


def open_remote(folder: str | None) -> RemoteArchive | None:
    """The archive at *folder* where that is an address. Raises NoSuchStore."""
    return RemoteArchive(folder) if folder and is_address(folder) else None


def archive_places(stated: str | None) -> tuple[Path, RemoteArchive | None]:
    """Where files of the archive are written, and where they are moved to. Raises NoSuchStore."""
    is_folder = stated and not is_address(stated)
    return Path(stated or "") if is_folder else database.home() / "archive", open_remote(stated)


def without_password(address: str) -> str:
    """An address fit for a log."""
    return re.sub(r"(://[^/@:]*:)[^/@]*@", r"\1***@", address)


class Place:
    """What is behind an address: enter it for a file system, where every error is an OSError.

    A file system that keeps a connection (SFTP) is connected when it is first used, and anew after it was cut off.
    Raises NoSuchStore where the address cannot be used, before anything is connected.
    """

    def __init__(self, address: str):
        self._address, self._fs = address, None
        protocol, _, place = address.partition("://")
        try:
            if protocol in OBJECTS:
                self._fs, self.root = _objects(protocol), _bucket(place)
                return
            import fsspec  # type: ignore[import-untyped]

            self.root = fsspec.get_filesystem_class(protocol)._strip_protocol(address).rstrip("/")
        except ImportError as error:
            extra = "sftp" if protocol in SSH else "s3"
            said = f"archive.folder is an address ({protocol}://); that needs pip install 'nachlese[{extra}]'"
            raise NoSuchStore(f"{said} ({error.name or error})") from None
        except ValueError as error:
            raise NoSuchStore(f"archive.folder: {error}") from None

    def __enter__(self) -> Any:
        with as_os_error():
            if self._fs is None or not _is_connected(self._fs):
                self._fs = _connected(self._address)
            return self._fs

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        as_os_error().__exit__(kind, error, trace)


def _connected(address: str) -> Any:
    import fsspec

    if address.partition("://")[0] not in SSH:
        return fsspec.core.url_to_fs(address)[0]
    from pipelines.known_hosts import KnownHosts

    waiting = {"timeout": 10, "banner_timeout": 20, "auth_timeout": 20}
    # of those it remembers, one may be cut off
    fs, _ = fsspec.core.url_to_fs(address, host_key_policy=KnownHosts(), skip_instance_cache=True, **waiting)
    fs.ftp.get_channel().settimeout(SILENT_FOR)
    fs.client.get_transport().set_keepalive(KEEP_ALIVE)
    return fs


def _is_connected(fs: Any) -> bool:
    """False where it is known that a connection was cut off."""
    if not hasattr(fs, "client") or not hasattr(fs, "ftp"):
        return True
    transport = fs.client.get_transport()
    return transport is not None and transport.is_active() and not fs.ftp.get_channel().closed


def _objects(protocol: str) -> Any:
    from obstore.fsspec import FsspecStore

    # who states an endpoint without TLS means it
    is_plain = any(os.environ.get(name, "").startswith("http://") for name in ENDPOINTS)
    waiting = {"timeout": timedelta(seconds=60), "connect_timeout": timedelta(seconds=5), "allow_http": is_plain}
    patience = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}
    store: Any = FsspecStore
    return store(protocol, client_options=waiting, retry_config=patience)


def _bucket(place: str) -> str:
    if not place.strip("/"):
        raise ValueError("the address names no bucket")
    return place.strip("/")


def _is_atomic(fs: Any) -> bool:
    """Whether a file is there as a whole or not at all: stores of objects know no half ones."""
    return type(fs).__module__.startswith("obstore")


class as_os_error:
    """What a store's own library raises is trouble of the network, as far as anybody here is concerned."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Exception) and not isinstance(error, OSError):
            said = str(error).strip().splitlines()
            raise StoreError(f"{type(error).__name__}: {said[0][:300] if said else ''}") from None
