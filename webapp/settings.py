"""What the operator chose for the web server. Pure: values in, values or a ``SettingsError`` out."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

PASSWORD_HASH = "NACHLESE_WEB_PASSWORD_HASH"  # argon2, as `nachlese web --hash-password` prints it
TOKEN = "NACHLESE_WEB_TOKEN"
LEAST_TOKEN = 20  # characters: what is shorter can be guessed
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1", "[::1]")


class SettingsError(Exception):
    """The server must not start like this; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to listen, who may ask, and how times are shown to readers whose zone is not known.

    ``password_hash`` and ``token`` never appear in a representation or a page.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    allowed_hosts: tuple[str, ...] = ()
    is_behind_proxy: bool = False
    password_hash: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    time_zone: str = "Europe/Berlin"
    statement_timeout: float = 5.0  # seconds

    @property
    def hosts(self) -> list[str]:
        """Names in the Host header that are answered: against DNS rebinding a page of somebody else is not."""
        own = () if self.host in ("0.0.0.0", "::") else (self.host,)
        return [name.lower() for name in dict.fromkeys((*LOOPBACK_NAMES, *own, *self.allowed_hosts))]

    @property
    def needs_password(self) -> bool:
        return bool(self.password_hash or self.token)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches *host*."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def checked(settings: Settings) -> Settings:
    """*settings* as they are. Raises SettingsError where they would let strangers in."""
    if not is_loopback(settings.host) and not settings.is_behind_proxy and not settings.needs_password:
        raise SettingsError(
            f"--host {settings.host} is reached from other machines: set {PASSWORD_HASH} (nachlese web --hash-password "
            f"makes it) or {TOKEN}, or say --behind-proxy where a proxy in front of it asks for the password"
        )
    if settings.token is not None and len(settings.token) < LEAST_TOKEN:
        raise SettingsError(f"{TOKEN} is too short: {LEAST_TOKEN} characters or more, of chance")
    if settings.password_hash is not None and not settings.password_hash.startswith("$argon2"):
        raise SettingsError(f"{PASSWORD_HASH} is no hash of argon2; nachlese web --hash-password makes one")
    if any("*" in name or "/" in name for name in settings.allowed_hosts):
        raise SettingsError("--allowed-host expects the name of a host, such as news.example.org")
    return settings


def secrets_of(env: Mapping[str, str]) -> dict[str, str | None]:
    """``password_hash`` and ``token`` as the environment states them; never on a command line, which others can
    read.
    """
    return {"password_hash": env.get(PASSWORD_HASH) or None, "token": env.get(TOKEN) or None}
