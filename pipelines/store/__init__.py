"""Everything that Nachlese remembers, in Postgres. ``Store`` (store.py) is one process's way to it."""

from pipelines.store.shapes import (
    Archived,
    Document,
    DocumentState,
    Ending,
    HostRest,
    HostState,
    Offered,
    Row,
    Run,
    RunCounts,
    RunKind,
    RunOutcome,
    SourceRow,
    Target,
    Validators,
    WatchRow,
)
from pipelines.store.store import Store

__all__ = [
    "Archived",
    "Document",
    "DocumentState",
    "Ending",
    "HostRest",
    "HostState",
    "Offered",
    "Row",
    "Run",
    "RunCounts",
    "RunKind",
    "RunOutcome",
    "SourceRow",
    "Store",
    "Target",
    "Validators",
    "WatchRow",
]
