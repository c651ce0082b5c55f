"""What one site is: hosts that were registered together, by the Public Suffix List that tldextract ships.

The list is read from the package and never fetched. It is read when this module is imported, so that reader processes,
which are forked, have it already. The only module that imports tldextract.
"""

from __future__ import annotations

from functools import lru_cache

import tldextract

# private suffixes count: two blogs of one hoster are two sites
_EXTRACT = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True)
_EXTRACT("www.example.org")


@lru_cache(maxsize=4096)
def site_of(host: str) -> str:
    """The registered part of a host name: ``kurier.co.at`` of ``www.kurier.co.at:8443``.

    Numbers stay as they are, with their port. Under a suffix that nobody knows the last two labels are the site.
    """
    name = host.rpartition("@")[2].lower()
    bare = name.partition(":")[0].rstrip(".")
    if name.startswith("[") or bare.rpartition(".")[2].isdigit():
        return name
    found = _EXTRACT(bare)
    if found.suffix:
        return f"{found.domain}.{found.suffix}" if found.domain else bare
    return ".".join(bare.split(".")[-2:])
