"""What one site is: hosts that were registered together, by the Public Suffix List that tldextract ships.

The list is read from the package and never fetched. It takes a tenth of a second to load, so it is read when the first
host is asked for: a command that only looks asks for none, and what forks readers asks before it does. The only module
that imports tldextract.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tldextract import TLDExtract


@cache
def _extract() -> TLDExtract:
    import tldextract

    # private suffixes count: two blogs of one hoster are two sites
    return tldextract.TLDExtract(cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True)


@lru_cache(maxsize=4096)
def site_of(host: str) -> str:
    """The registered part of a host name: ``kurier.co.at`` of ``www.kurier.co.at:8443``.

    Numbers stay as they are, with their port. Under a suffix that nobody knows the last two labels are the site.
    """
    name = host.rpartition("@")[2].lower()
    bare = name.partition(":")[0].rstrip(".")
    if name.startswith("[") or bare.rpartition(".")[2].isdigit():
        return name
    found = _extract()(bare)
    if found.suffix:
        return f"{found.domain}.{found.suffix}" if found.domain else bare
    return ".".join(bare.split(".")[-2:])
