"""An archive of the web as one asks it: under the guard, with our name, one request at a time and at its pace."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from crawler.downloader.client import HttpRequest, HttpResponse
from crawler.downloader.download import REDIRECTS, download, moved_to, url_as_is
from crawler.downloader.errors import FetchError
from crawler.downloader.patience import BUSY, BUSY_OR_REFUSING, Patience
from crawler.downloader.policy import FetchPolicy, Kind
from crawler.services import Services, user_agent

#: a folder of downloads is held by its process with a lock on this file
_LOCK = ".lock"
_PREFIX = "backfill-"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came from the archive: the address behind its redirects, the content type and the body."""

    url: str
    content_type: str
    body: bytes


class ArchiveSite:
    """Requests to one archive. *base*: redirects that leave it are not followed; None: files lie anywhere."""

    def __init__(self, services: Services, base: str | None = None, refuses_the_fast: bool = False):
        settings = services.configuration.settings
        self.base = base.rstrip("/") + "/" if base else ""
        self._http, self._agent = services.http, user_agent(settings)
        limits, own = settings.limits, settings.backfill
        self._policy = FetchPolicy(
            "", tuple(own.allow_addresses), timeout=limits.timeout.total_seconds(), page=limits.page,
            headers=limits.headers, document=limits.document,
        )  # fmt: skip
        self._patience = Patience(
            delay=own.delay if base else Patience().delay,
            first=own.patience,
            busy=BUSY_OR_REFUSING if refuses_the_fast else BUSY,
        )

    async def download(self, url: str, file: Path) -> int:
        """Fetch a file of any length; its size. Raises OSError."""
        try:
            return await download(self._http, url, file, self._policy, self._agent, self._patience)
        except FetchError as failed:
            raise OSError(failed.detail) from None

    async def get(self, url: str, kind: Kind = "other", seconds: float | None = None) -> Answer:
        """What lies at *url*, as a value. Raises FetchError, StatusError (an OSError)."""
        return await self._patience.ask(lambda: self._followed(url, kind, seconds or self._policy.timeout), url)

    async def _followed(self, url: str, kind: Kind, seconds: float) -> Answer:
        for hops in range(REDIRECTS + 1):
            request = HttpRequest(
                url=url_as_is(url),
                policy=self._policy,
                kind=kind,
                headers=(("User-Agent", self._agent), ("Accept-Encoding", "gzip, deflate, br")),
                seconds=seconds,
                hops=hops,
            )
            answer = await self._http.exchange(request)
            if answer.status == 200:
                return Answer(url, answer.header(b"content-type"), answer.body)
            url = self._redirected(url, answer)
        raise OSError(f"more than {REDIRECTS} redirects")

    def _redirected(self, url: str, answer: HttpResponse) -> str:
        following = moved_to(url, answer)
        if self.base and not following.startswith(self.base):
            raise OSError("a redirect leads away from the archive")
        return following


@contextmanager
def own_folder(downloads: Path) -> Iterator[Path]:
    """A folder for files that are copied here, deleted at the end. What killed processes have left goes first."""
    downloads.mkdir(parents=True, exist_ok=True)
    remove_abandoned(downloads)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=downloads) as own, (Path(own) / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel lets it go, however the process ends
        yield Path(own)


def remove_abandoned(downloads: Path) -> None:
    """Delete the folders of processes that are gone. One without a lock has only begun, or is nobody knows whose."""
    for folder in downloads.glob(f"{_PREFIX}*"):
        with suppress(FileNotFoundError, BlockingIOError), (folder / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
