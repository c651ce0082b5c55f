"""Reading: a fetched page in, a clean article out. Pure: no clock, no database, no network. The story: ``reader.py``.

The reader itself is loaded when somebody first asks for it: value types and fingerprints, which every command needs,
lie in modules of this package too, and the reader takes longer to load than such a command to run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.reading.body.paging import next_page
    from pipelines.reading.reader import READER_VERSION, read, shipped_rules
    from pipelines.reading.rules import Rules

__all__ = ["READER_VERSION", "Rules", "next_page", "read", "shipped_rules"]


def __getattr__(name: str) -> Any:
    """PEP 562: called for a name that the module does not have yet."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pipelines.reading import reader

    return globals().setdefault(name, getattr(reader, name))
