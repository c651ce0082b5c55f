"""Values that Postgres can store. Pure."""

from __future__ import annotations

import re
from typing import Any

# Postgres stores no NUL, UTF-8 has no lone surrogates; the other control characters only ever come from broken pages
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def clean(value: Any) -> Any:
    """*value* with every string in it made storable; lists, tuples and dicts are gone through."""
    kind = type(value)  # a row has hundreds of values, most of them of these kinds exactly
    if value is None or kind is int or kind is bool:
        return value
    if kind is str or isinstance(value, str):
        return _CONTROL.sub("", value)
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(item) for item in value]
    return value
