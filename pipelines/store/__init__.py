"""Everything that Nachlese remembers, in Postgres. ``Store`` (store.py) is one process's way to it.

``Store`` and the value types are loaded when somebody first asks for them: a command that only looks opens a part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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


def __getattr__(name: str) -> Any:
    """PEP 562: called for a name that the package does not have yet."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "Store":
        from pipelines.store import store as module
    else:
        from pipelines.store import models as module  # type: ignore[no-redef]
    return globals().setdefault(name, getattr(module, name))
