"""Everything that Nachlese remembers, in Postgres. ``Store`` (store.py) is one process's way to it."""

from pipelines.store.models import (
    Archived,
    Document,
    DocumentState,
    FrontierEntry,
    HostBackoff,
    HostState,
    Offered,
    PageOutcome,
    Row,
    Run,
    RunCounts,
    RunKind,
    RunOutcome,
    SourceRow,
    Validators,
    WatchRow,
)
from pipelines.store.store import Store

__all__ = [
    "Archived",
    "Document",
    "DocumentState",
    "FrontierEntry",
    "HostBackoff",
    "HostState",
    "Offered",
    "PageOutcome",
    "Row",
    "Run",
    "RunCounts",
    "RunKind",
    "RunOutcome",
    "SourceRow",
    "Store",
    "Validators",
    "WatchRow",
]
