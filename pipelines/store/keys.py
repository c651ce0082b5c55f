"""Keys of addresses. Pure."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from pipelines import urls


@lru_cache(maxsize=64)  # of one page it is asked three times
def page_key(url: str) -> bytes:
    """16 bytes that identify a page's address, however it is spelt; also for what is no address of the web."""
    try:
        return urls.url_key(urls.normalise(url))
    except urls.BadUrl:
        return other_key(url)


def web_key(url: str) -> bytes:
    """``page_key`` for an address of the web, b"" for any other (a file that is replayed)."""
    return page_key(url) if url.startswith(("http:", "https:")) else b""


def other_key(url: str) -> bytes:
    return hashlib.blake2b(b"other:" + url.encode("utf-8", "replace"), digest_size=16).digest()
