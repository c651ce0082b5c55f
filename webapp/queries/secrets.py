"""Addresses of feeds as they may be shown: paid ones carry a key, which is the operator's and not the reader's."""

from __future__ import annotations

from webapp.reader import Found

SECRET_NAMES = ("token", "key", "secret", "auth", "pass", "pwd", "sig", "session", "user", "credential")
HIDDEN = "***"


def shown(url: str | None) -> str | None:
    """*url* without user name, password and the values of parameters whose name says that they are secret."""
    if not url:
        return url
    address, sign, query = url.partition("?")
    scheme, slashes, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    if "@" in host:
        address = f"{scheme}{slashes}{HIDDEN}@{host.rpartition('@')[2]}{slash}{path}"
    return f"{address}{sign}{'&'.join(map(_parameter, query.split('&')))}"


def _parameter(text: str) -> str:
    name, sign, _ = text.partition("=")
    is_secret = sign and any(part in name.lower() for part in SECRET_NAMES)
    return f"{name}={HIDDEN}" if is_secret else text


def without_secrets(rows: Found, column: str) -> Found:
    """The rows with the addresses in *column* as they may be shown."""
    return Found(({**row, column: shown(row[column])} for row in rows), rows.names)
