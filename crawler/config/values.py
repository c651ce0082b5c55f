"""How single values are written in config files: ``"10 minutes"``, ``"5 MB"``, ``"127.0.0.1/32:8080"``, selectors.

Every function takes what stood in the file and returns the value, or raises ``ValueError`` with a sentence for the
person who wrote it. The ``Annotated`` types below are what the models in ``crawler.config`` use.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator

from crawler.slots import Cron
from pipelines.selectors import as_xpath, is_xpath

DURATION_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
SIZE_UNITS = {"B": 1, "kB": 1000, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}

LONGEST_DURATION = timedelta(days=3650)
LONGEST_PATTERN = 1000
#: characters and flat groups, each of them once or repeated: what most patterns are made of, "/videos?/", "/(a|b)/"
_ATOM = r"(?:[A-Za-z0-9_/ ,:;=&%~@!#-]|\\[.dws?+*/-]|\.)[?*+]?"
_SAME_IN_ALL_ENGINES = re.compile(rf"\^?(?:{_ATOM}|\((?:{_ATOM}|\|)*\)[?*+]?|\|)+\$?")
#: an element, a class or an id, and such inside one another: "article", ".article-body", "main#content p.lead"
_STEP = r"(?:[A-Za-z][A-Za-z0-9]*|(?:[A-Za-z][A-Za-z0-9]*)?[.#][A-Za-z][A-Za-z0-9_-]*)"
_SIMPLE_SELECTOR = re.compile(rf"{_STEP}(?: {_STEP})*")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class AllowedAddress:
    """A private address range that one source may be fetched from; ``port`` None allows every port."""

    network: Network
    port: int | None = None

    def __str__(self) -> str:
        address, prefix = self.network.network_address, self.network.prefixlen
        return f"{f'[{address}]' if address.version == 6 else address}/{prefix}:{self.port or '*'}"


def duration(value: Any) -> timedelta:
    """``"90 seconds"``, ``"10 minutes"``, ``"1 day 12 hours"``."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError('expected a number with a unit in quotes, such as "30 seconds", "10 minutes" or "3 days"')
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", value)
    if not parts or re.sub(r"\d+(?:\.\d+)?\s*[A-Za-z]+|[\s,]", "", value):
        raise ValueError(f'{value!r} is no length of time; write for example "30 seconds", "10 minutes" or "3 days"')
    total = timedelta()
    for number, unit in parts:
        length = DURATION_UNITS.get(unit.lower().removesuffix("s"))
        if length is None:
            raise ValueError(f"{unit!r} is no unit of time; allowed are seconds, minutes, hours, days, weeks")
        if len(number) > 10:
            raise ValueError(f"{value!r} is too long")
        total += float(number) * length
    if total > LONGEST_DURATION:
        raise ValueError(f"{value!r} is too long; the most is ten years")
    return total


def positive_duration(value: Any) -> timedelta:
    length = duration(value)
    if length <= timedelta(0):
        raise ValueError("must be longer than 0 seconds")
    return length


def interval(value: Any) -> timedelta | str:
    """A length of time, or ``"auto"``."""
    return "auto" if value == "auto" else positive_duration(value)


def tag(value: Any) -> str:
    """A word that can stand in a list on the command line."""
    if not isinstance(value, str) or not re.fullmatch(r"\w[\w.:-]{0,49}", value):
        raise ValueError(f'{value!r} is no tag; expected one word of letters, digits and . : - _, such as "regional"')
    return value


def size(value: Any) -> int:
    """``"10 MB"``, ``"500 KiB"``: a number of bytes."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    match = re.fullmatch(r"\s*(\d{1,9}(?:\.\d+)?)\s*([A-Za-z]+)\s*", value) if isinstance(value, str) else None
    if match is None or match[2] not in SIZE_UNITS or float(match[1]) <= 0:
        raise ValueError('expected a size such as "500 kB" or "10 MB"')
    return int(float(match[1]) * SIZE_UNITS[match[2]])


def web_address(value: Any) -> str:
    """An absolute http or https address without user name and password."""
    if not isinstance(value, str):
        raise ValueError('expected an address in quotes, such as "https://www.example.de/rss"')
    text = value.strip()
    told = re.sub(r"^([^/]*//)?.*@", r"\1***@", value, flags=re.DOTALL)  # what stands before it may be a password
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        raise ValueError(f"{told!r} has white space inside")
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{told!r} is not a valid URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(f"{told!r} is not a valid URL; it must begin with http:// or https:// and name a host")
    if "@" in parts.netloc:
        raise ValueError("user name and password do not belong into an address here")
    if len(text) > 2000:
        raise ValueError("the address is longer than 2,000 characters")
    return text


def host_name(value: Any) -> str:
    """A host, lower case, without port: ``www.example.de``."""
    if not isinstance(value, str) or not re.fullmatch(r"(?i)[\w.-]+|\[[0-9a-f:.]+\]", value.strip(), re.UNICODE):
        raise ValueError(f'{value!r} is no host name; write for example "www.example.de", without http:// and path')
    return value.strip().lower()


def param_name(value: Any) -> str:
    """The name of a parameter of addresses, in lower case; ``*`` at the end: all that begin so."""
    if not isinstance(value, str) or not re.fullmatch(r"[^\s=&?#*]{1,100}\*?", value.strip()):
        raise ValueError(f'{value!r} is no name of a parameter; write for example "sid", without ? and =')
    return value.strip().lower()


def pattern(value: Any) -> str:
    """A regular expression that Python can compile, and an engine that cannot run away as well."""
    if not isinstance(value, str) or not value:
        raise ValueError("expected a regular expression in quotes")
    if len(value) > LONGEST_PATTERN:
        raise ValueError(f"the regular expression is longer than {LONGEST_PATTERN} characters")
    try:
        _compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from None
    return value


def _compile(value: str) -> None:
    """Raise ``re.error`` where *value* is no pattern for one of the engines; those are loaded where they may differ."""
    if _SAME_IN_ALL_ENGINES.fullmatch(value):
        re.compile(value)
    else:
        from pipelines.patterns import Pattern as SafePattern

        SafePattern(value)


def selector(value: Any) -> str:
    """CSS (with ``::text`` and ``::attr(name)``), or XPath."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected a CSS selector or an XPath in quotes")
    text = value.strip()
    if _SIMPLE_SELECTOR.fullmatch(text):
        return text
    import cssselect
    from lxml import etree

    try:
        etree.XPath(as_xpath(text))
    except (etree.XPathError, cssselect.SelectorError, ValueError, RecursionError) as error:
        kind = "XPath" if is_xpath(text) else "CSS selector"
        raise ValueError(f"{value!r} is no {kind}: {error}") from None
    return text


def time_zone(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError('expected a time zone in quotes, such as "Europe/Berlin"')
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'{value!r} is no time zone; write it as "Europe/Berlin", "Europe/Zurich" or "UTC"') from None
    return value


def cron(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError('expected five fields in quotes, such as "*/15 6-22 * * *"')
    Cron.parse(value)
    return value


def literal_address(url: str) -> tuple[AllowedAddress, ...]:
    """The private address that *url* itself is, with its port; () for a name and for a public address."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if parts.hostname == "localhost":
        return tuple(AllowedAddress(ipaddress.ip_network(one), port) for one in ("127.0.0.1", "::1"))
    try:
        given = ipaddress.ip_address(parts.hostname or "")
    except ValueError:
        return ()
    return () if given.is_global else (AllowedAddress(ipaddress.ip_network(given), port),)


def allowed_address(value: Any) -> AllowedAddress:
    """``"127.0.0.1/32:8080"``, ``"[::1]/128:8080"``; ``*`` or no port allows every port of the range."""
    if isinstance(value, AllowedAddress):
        return value
    shape = r"\s*(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(/\d{1,3})?(?::(\d{1,5}|\*))?\s*"
    match = re.fullmatch(shape, value) if isinstance(value, str) else None
    try:
        if match is None:
            raise ValueError
        network = ipaddress.ip_network((match[1] or match[2]) + (match[3] or ""))
        port = int(match[4]) if match[4] and match[4] != "*" else None
        if port is not None and not 0 < port < 65536:
            raise ValueError
    except ValueError as error:
        why = f" ({error})" if str(error) else ""
        raise ValueError(f'{value!r} is no range; write "127.0.0.1/32:8080" or "[::1]/128:8080"{why}') from None
    return AllowedAddress(network, port)


def header_name(value: object) -> str:
    """A name of a header or cookie: a token of RFC 9110."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", value):
        raise ValueError(f"{value!r} is no name of a header or cookie; letters, digits and hyphens are allowed")
    return value


def header_value(value: object) -> str:
    """One line of ASCII; ``${NAME}`` in it stands for a variable of the environment."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or len(value) > 2000:
        raise ValueError("a header's or cookie's value is one line of ASCII; write a secret as \"${NAME}\"")
    return value


def proxy_address(value: object) -> str:
    """``"http://proxy.example:8080"``, also with user and password, best as ``"${PROXY}"``."""
    if not isinstance(value, str):
        raise ValueError('expected an address such as "http://proxy.example:8080"')
    if not re.fullmatch(r"\$\{\w+\}|https?://[^\s/]+/?", value):
        raise ValueError(f'{value!r} is no proxy; write "http://proxy.example:8080" or "${{NAME}}"')
    return value


def slug_code(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z]{2}", value.strip()):
        raise ValueError(f"{value!r} is no code of two letters")
    return value.strip()


def search_words(value: object) -> str:
    """Words to search for: one line, at least a letter or digit, no sign that a search takes for an order."""
    if not isinstance(value, str):
        raise ValueError(f'expected words in quotation marks, such as "Stadtrat", found {value!r}')
    words = " ".join(value.split())
    if not any(c.isalnum() for c in words) or len(words) > 200 or not words.isprintable():
        raise ValueError(f"expected words of up to 200 letters, found {value[:80]!r}")
    if '"' in words or any(word.startswith("-") for word in words.split()):
        raise ValueError("quotation marks and a minus before a word mean nothing here; use phrases and without")
    return words


Duration = Annotated[timedelta, BeforeValidator(duration)]
PositiveDuration = Annotated[timedelta, BeforeValidator(positive_duration)]
Interval = Annotated[timedelta | Literal["auto"], BeforeValidator(interval)]
Size = Annotated[int, BeforeValidator(size)]
WebAddress = Annotated[str, BeforeValidator(web_address)]
HostName = Annotated[str, BeforeValidator(host_name)]
ParamName = Annotated[str, BeforeValidator(param_name)]
Pattern = Annotated[str, BeforeValidator(pattern)]
Selector = Annotated[str, BeforeValidator(selector)]
TimeZone = Annotated[str, BeforeValidator(time_zone)]
CronText = Annotated[str, BeforeValidator(cron)]
Allowed = Annotated[AllowedAddress, BeforeValidator(allowed_address)]
SearchWords = Annotated[str, BeforeValidator(search_words)]
Language = Annotated[str, BeforeValidator(lambda value: slug_code(value).lower())]
Country = Annotated[str, BeforeValidator(lambda value: slug_code(value).upper())]
Tag = Annotated[str, BeforeValidator(tag)]
HeaderName = Annotated[str, BeforeValidator(header_name)]
HeaderValue = Annotated[str, BeforeValidator(header_value)]
ProxyAddress = Annotated[str, BeforeValidator(proxy_address)]
