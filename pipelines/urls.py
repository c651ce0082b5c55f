"""Addresses of the web: one spelling for each page, and what is no address for us at all.

Everything here is pure. Host spellings follow the URL standard that browsers use, because that is what a link's author
tested with: ``http://0x7f.1/`` is 127.0.0.1 in every browser, and must not be anything else here.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Set
from contextlib import suppress
from functools import lru_cache
from urllib.parse import unquote, urljoin, urlsplit

import idna

MAX_LENGTH = 2000  # servers and browsers agree on little beyond this; longer ones are generated, not written

DEFAULT_PORTS = {"http": 80, "https": 443}

# Parameters that say where a reader came from, never which page is meant.
_TRACKING_PREFIXES = ("utm_", "wt_", "pk_", "piwik_", "mtm_", "matomo_", "hsa_", "oly_", "ns_", "at_custom")
_TRACKING_NAMES = frozenset({
    "fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "twclid", "ttclid", "li_fat_id",
    "igshid", "igsh", "mc_cid", "mc_eid", "_ga", "_gl", "_hsenc", "_hsmi", "mkt_tok", "vero_id", "xtor", "wtmc",
    "dicbo", "at_medium", "at_campaign", "google_editors_picks", "xing_share", "cmpid", "s_kwcid",
})  # fmt: skip

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")
# what Scrapy leaves as it is when it makes a request: the address that is asked is the one that is known
_NOT_IN_PATH = re.compile(r"[^!$%&'()*+,\-./0-9:;=@A-Z_a-z~]")
_NOT_IN_QUERY = re.compile(r"[^!$%&()*+,\-./0-9:;=?@A-Z_a-z~]")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,20}:/{2,}|^//)[^/?#\s\"'<>@]{1,500}@(?:[^/?#\s\"'<>@]{1,500}@)*")
# what is in its one spelling already: no port, escape, query or dot segment, and no number for a host
_PLAIN = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\.){1,5}[a-z]{2,20}/[A-Za-z0-9_~/-]*(?:\.[A-Za-z]{1,5})?"
)
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


class BadUrl(ValueError):
    """This is no address that Nachlese asks for. The message says why and never repeats userinfo."""


@lru_cache(maxsize=1024)  # of one page it is asked a dozen times on its way
def normalise(url: str, base: str | None = None, *, max_length: int = MAX_LENGTH, keep_tracking: bool = False) -> str:
    """Return the one spelling of *url* (relative to *base*, if given) under which a page is known.

    http and https only, no userinfo, host in lower case and ASCII, numeric hosts as dotted quads, default port and
    fragment dropped, dot segments resolved, escapes in one spelling, tracking parameters dropped (not with
    *keep_tracking*: an address that a redirect names is asked for as it stands).
    Normalising twice changes nothing. Raises BadUrl.
    """
    url = url.strip(" \t\r\n\f")
    if _PLAIN.fullmatch(url) and len(url) <= max_length and "xn--" not in url:
        return url  # as most addresses are: a sitemap may have 50,000 of them
    _refuse_unreadable(url, max_length)
    try:
        parts = urlsplit(urljoin(base, url) if base else url)
        netloc, path, query = parts.netloc, parts.path, parts.query
    except ValueError as error:
        raise BadUrl(f"the address cannot be parsed: {error}") from None
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS:
        raise BadUrl(f"only http and https are asked for, not {scheme[:20] or 'an address without a scheme'}")
    if "@" in netloc:
        raise BadUrl("the address carries a user name or password")
    authority = _authority(netloc, scheme)
    try:
        path = _without_dot_segments(_escaped(path or "/", _NOT_IN_PATH))
        query = _escaped(query, _NOT_IN_QUERY)
    except UnicodeEncodeError:
        raise BadUrl("the address contains half a character (a lone surrogate)") from None
    if not keep_tracking:
        query = _without_tracking(query)
    result = f"{scheme}://{authority}{path}" + (f"?{query}" if query else "")
    if len(result) > max_length:
        raise BadUrl(f"the address has {len(result)} characters, {max_length} are allowed")
    return result


def _refuse_unreadable(url: str, max_length: int) -> None:
    if not url:
        raise BadUrl("the address is empty")
    if len(url) > 4 * max_length:
        raise BadUrl(f"the address has {len(url)} characters, {max_length} are allowed")
    if _FORBIDDEN.search(url):
        raise BadUrl("the address contains control characters")


def without_userinfo(text: str) -> str:
    """*text* with the user names and passwords of all addresses in it masked, so that it may be stored or logged."""
    return _USERINFO.sub(r"\1***@", text)


def url_key(url: str) -> bytes:
    """16 bytes that identify a normalised address. http and https name the same page."""
    return hashlib.blake2b(url.partition("://")[2].encode(), digest_size=16).digest()


def without_params(url: str, names: Set[str]) -> str:
    """A normalised address without the parameters of these *names* (lower case; ``name*``: all that begin so)."""
    before, mark, query = url.partition("?")
    if not mark or not names:
        return url
    kept = "&".join(piece for piece in query.split("&") if not _is_named(param_name(piece), names))
    return f"{before}?{kept}" if kept else before


def param_name(piece: str) -> str:
    """The name of one ``name=value`` of a query, in lower case."""
    return unquote(piece.partition("=")[0]).lower()


def _is_named(name: str, names: Set[str]) -> bool:
    return name in names or any(one.endswith("*") and name.startswith(one[:-1]) for one in names)


def noise_params(pairs: Iterable[tuple[str, str]]) -> set[str]:
    """Names of parameters that mean nothing, by (address asked for, canonical address its page states), normalised.

    A canonical address that is the one asked for without a parameter says that the parameter does not matter. Two pages
    must say so and none the contrary. Where many addresses come to few canonical ones, these are likelier to be wrong.
    """
    asked: dict[str, set[str]] = {}
    canonicals: dict[str, set[str]] = {}
    needed: set[str] = set()
    for url, canonical in pairs:
        needed |= {param_name(piece) for piece in canonical.partition("?")[2].split("&")}
        if url_key(url.partition("?")[0].rstrip("/")) != url_key(canonical.partition("?")[0].rstrip("/")):
            continue
        kept = set(canonical.partition("?")[2].split("&")) - {""}
        pieces = set(url.partition("?")[2].split("&")) - {""}
        if not kept <= pieces:
            continue
        for piece in pieces - kept:
            asked.setdefault(param_name(piece), set()).add(url)
            canonicals.setdefault(param_name(piece), set()).add(canonical)
    return {
        name
        for name, leading in canonicals.items()
        if name not in needed and len(leading) >= 2 and len(leading) * 8 >= len(asked[name])
    }


def host(url: str) -> str:
    """The host of a normalised address, with its port where that is not the scheme's own: ``example.org:8080``."""
    return url.partition("://")[2].partition("/")[0]


def origin(url: str) -> str:
    """Scheme, host and port of a normalised address: ``https://example.org``. The unit that a robots.txt speaks for."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def same_site(a: str, b: str) -> bool:
    """Whether two normalised addresses belong to one publisher's site: hosts that were registered together.

    Numeric hosts must be equal, port included.
    """
    from pipelines.sites import site_of  # a tenth of a second, for whoever only spells addresses

    return site_of(host(a)) == site_of(host(b))


def _authority(netloc: str, scheme: str) -> str:
    if "\\" in netloc or "%" in netloc:
        raise BadUrl("the host contains characters that hosts do not have")
    name, port = _split_port(netloc)
    name = _ipv6(name) if name.startswith("[") else _host_name(name)
    return name if port in (None, DEFAULT_PORTS[scheme]) else f"{name}:{port}"


def _split_port(netloc: str) -> tuple[str, int | None]:
    name, colon, port = netloc.rpartition(":")
    if not colon or netloc.endswith("]"):
        return netloc, None
    if not port:
        return name, None
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        raise BadUrl("the port is not a number from 1 to 65535")
    return name, int(port)


def _ipv6(literal: str) -> str:
    try:
        return f"[{ipaddress.IPv6Address(literal[1:-1])}]"
    except ValueError:
        raise BadUrl("the host is no valid IPv6 address") from None


def _host_name(name: str) -> str:
    if not name.isascii():
        try:
            # also folds what looks like digits and dots into digits and dots, before anything decides what they mean
            name = idna.encode(name, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise BadUrl("the host is no valid international name") from None
    name = name.lower()
    name = name[:-1] if name.endswith(".") else name
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _ipv4(labels)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) and _is_decodable(label) for label in labels):
        raise BadUrl("the host is no valid name")
    return name


def _is_decodable(label: str) -> bool:
    """An international label must stand for something, or every library on the way stumbles over it in its own way."""
    if not label.startswith("xn--"):
        return True
    with suppress(UnicodeError):
        return bool(idna.decode(label))
    with suppress(UnicodeError):
        return bool(label.encode("ascii").decode("idna"))  # the older rules, under which some names were given out
    return False


def _ipv4(labels: list[str]) -> str:
    """127.1, 0x7f.1, 0177.0.0.1 and 2130706433 all mean 127.0.0.1 to a browser, and to most resolvers."""
    if len(labels) > 4 or not all(_NUMBER.fullmatch(label) for label in labels):
        raise BadUrl("the host is no valid IPv4 address")
    try:
        numbers = [_ipv4_number(label) for label in labels]
        *first, last = numbers
        if any(number > 255 for number in first) or last >= 256 ** (5 - len(numbers)):
            raise ValueError
    except ValueError:
        raise BadUrl("the host is no valid IPv4 address") from None
    return str(ipaddress.IPv4Address(last + sum(number << (8 * (3 - place)) for place, number in enumerate(first))))


def _ipv4_number(label: str) -> int:
    if label[:2] in ("0x", "0X"):
        return int(label[2:] or "0", 16)
    return int(label, 8) if len(label) > 1 and label[0] == "0" else int(label)


def _escaped(text: str, forbidden: re.Pattern[str]) -> str:
    """One spelling of every escape: unreserved characters plain, the others as upper-case UTF-8 escapes."""
    text = _ESCAPE.sub(_one_escape, text)
    return forbidden.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), text)


def _one_escape(match: re.Match[str]) -> str:
    if match[1] is None:
        return "%25"
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _without_dot_segments(path: str) -> str:
    segments: list[str] = []
    pieces = path.split("/")[1:]
    for place, piece in enumerate(pieces):
        if piece == "..":
            segments = segments[:-1]
        elif piece != ".":
            segments.append(piece)
            continue
        if place == len(pieces) - 1:
            segments.append("")
    return "/" + "/".join(segments)


def _without_tracking(query: str) -> str:
    return "&".join(piece for piece in query.split("&") if piece and not _is_tracking(piece))


def _is_tracking(piece: str) -> bool:
    name = unquote(piece.partition("=")[0]).lower()
    return name in _TRACKING_NAMES or name.startswith(_TRACKING_PREFIXES)
