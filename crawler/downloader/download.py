"""A large file at an address that the operator named, into a file here: under the guard, piece by piece."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin

from crawler.downloader.client import HttpClient, HttpRequest, HttpResponse
from crawler.downloader.errors import FetchError
from crawler.downloader.patience import Patience, StatusError
from crawler.downloader.policy import FetchPolicy
from pipelines.urls import BadUrl, normalise

log = logging.getLogger(__name__)

#: seconds in which a server must say something
PATIENCE = 60.0
#: times that a connection may break before the file is given up
BREAKS = 3
REDIRECTS = 5
MOVED = (301, 302, 303, 307, 308)
_FROM = re.compile(r"bytes (\d+)-")


class _SinkError(Exception):
    """What came cannot go into the file."""

    def __init__(self, error: OSError):
        super().__init__(str(error))
        self.error = error


class Download:
    """One file on its way into *out*. A connection that breaks is gone on with where the server can do that."""

    def __init__(self, client: HttpClient, out: BinaryIO, policy: FetchPolicy, agent: str):
        self._client, self._out, self._policy, self._agent = client, out, policy, agent
        self._size, self._etag = 0, ""

    async def get(self, url: str) -> int:
        """Fetch the file; its size in bytes. Raises OSError: of the disk, or with what the server did."""
        for left in range(BREAKS, -1, -1):
            try:
                await self._redirected(url)
            except _SinkError as failed:
                raise failed.error from None
            except FetchError as failed:
                if not (failed.transient and left):
                    raise OSError(failed.detail) from None
                log.info("%s: %s; it is asked for again from byte %d on", url, failed.detail, self._size)
            else:
                return self._size
        raise AssertionError  # the last try has ended either way

    async def _redirected(self, url: str) -> None:
        for hops in range(REDIRECTS + 1):
            headers = {"User-Agent": self._agent, "Accept-Encoding": "identity"}
            if self._size and self._etag:
                headers |= {"Range": f"bytes={self._size}-", "If-Range": self._etag}
            request = HttpRequest(
                url=url_as_is(url),
                policy=self._policy,
                headers=tuple(headers.items()),
                seconds=PATIENCE,
                hops=hops,
                wants_body=lambda status: status in (200, 206),
                sink=self._take,
            )
            answer = await self._client.exchange(request)
            if answer.status in (200, 206):
                return
            url = moved_to(url, answer)
        raise OSError(f"more than {REDIRECTS} redirects")

    def _take(self, status: int, headers: Mapping[str, str], piece: bytes) -> None:
        try:
            if not piece:
                self._begin(status, headers)
            self._size += self._out.write(piece)
        except OSError as error:
            raise _SinkError(error) from None

    def _begin(self, status: int, headers: Mapping[str, str]) -> None:
        """From the first byte, or from where it broke off."""
        found = _FROM.match(headers.get("Content-Range", ""))
        if status == 200:
            self._size = 0
        elif not found or int(found[1]) != self._size:
            raise OSError("the server sent another part of the file than it was asked for")
        etag = headers.get("ETag", "")
        self._etag = "" if etag.startswith("W/") else etag
        self._out.seek(self._size)
        self._out.truncate()


def moved_to(url: str, answer: HttpResponse) -> str:
    """Where a redirect from *url* leads. Raises StatusError where the answer is none."""
    place = answer.header(b"location")
    if answer.status not in MOVED or not place:
        raise StatusError(answer.status, answer.header(b"retry-after"))
    return urljoin(url, place)


def url_as_is(url: str) -> str:
    """*url* in the one spelling under which it is asked for. Raises OSError."""
    try:
        return normalise(url, keep_tracking=True)
    except BadUrl:
        raise OSError("this is not a valid URL") from None


async def download(
    client: HttpClient, url: str, file: Path, policy: FetchPolicy, agent: str, patience: Patience | None = None
) -> int:
    """Fetch *url* into *file*, from the first byte; its size. A server that is busy is asked again with *patience*.

    Raises OSError.
    """
    with file.open("wb") as out:
        one = Download(client, out, policy, agent)
        return await (patience.ask(lambda: one.get(url), url) if patience else one.get(url))
