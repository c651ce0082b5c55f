"""``[alerts]`` of settings.toml: who is told when a source is not well."""

from __future__ import annotations

import os
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from crawler.config.table import Table
from crawler.config.values import Allowed

_SECRET = re.compile(r"\$\{(\w+)\}")


def alert_address(value: Any) -> str:
    """An address as apprise writes it: ``"ntfys://ntfy.example/topic"``; ``${NAME}`` is a secret of the environment."""
    if not isinstance(value, str) or not value.isprintable() or len(value) > 2000:
        raise ValueError('expected an address in quotes, such as "mailtos://${MAIL}" or "ntfys://ntfy.example/news"')
    if not re.match(r"\s*(?:\$\{\w+\}|[a-z][a-z0-9+.-]*://\S)", value, re.I):
        raise ValueError('is no address; write "mailtos://…", "slack://…", "ntfys://…" or "${NAME}"')
    return value.strip()


def digest_time(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"(?:[01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError(f'{value!r} is no time of day; write it as "08:00"')
    return value


def with_secrets(text: str) -> str:
    """*text* with ``${NAME}`` from the environment. Raises ValueError that names what is missing, and no secret."""
    missing = [name for name in _SECRET.findall(text) if not os.environ.get(name)]
    if missing:
        raise ValueError(f"the environment has no {', '.join(missing)}")
    return _SECRET.sub(lambda match: os.environ[match[1]], text)


class Alerts(Table):
    """``[alerts]``: addresses need ``pip install 'nachlese[alerts]'``; heartbeat and metrics do not."""

    addresses: list[Annotated[str, BeforeValidator(alert_address)]] = Field(
        default_factory=list, max_length=20,
        description='Who is told, as apprise writes addresses: "mailtos://…", "ntfys://…"; "${NAME}" is a secret.',
    )  # fmt: skip
    digest: Annotated[str, BeforeValidator(digest_time)] | None = Field(
        None, description='Once a day at this time, such as "08:00", what is open; unset: only when something changes.'
    )
    heartbeat_url: Annotated[str, BeforeValidator(alert_address)] | None = Field(
        None, description='Asked after every round, so that somebody notices when no round ends; "${NAME}" is a secret.'
    )
    metrics_file: str | None = Field(
        None, max_length=500, description="Where metrics for Prometheus's textfile collector are written (NAME.prom)."
    )
    allow_addresses: list[Allowed] = Field(
        default_factory=list, max_length=50,
        description='Private address ranges that heartbeat_url may be in, such as "10.1.2.3/32:8080".',
    )  # fmt: skip
