"""What every statement is given: values that Postgres can store, and keys of addresses. Pure."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Any

from pipelines import urls

# Postgres stores no NUL, UTF-8 has no lone surrogates; the other control characters only ever come from broken pages
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def clean(value: Any) -> Any:
    """*value* with every string in it made storable; lists, tuples and dicts are gone through."""
    if isinstance(value, str):
        return _CONTROL.sub("", value)
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value


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
