"""The compiled path that the rest of the runtime holds."""

from __future__ import annotations

from collections.abc import Callable

from naftiko_runtime.json_values import JsonValue, MaybeJson
from naftiko_runtime.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A path, ready to be applied to documents.

    `find` and `read` raise JsonPathBudgetExceeded when they visit too much of a document, and
    nothing else. They never change the document, but what they return are parts of it.
    """

    text: str
    """As written."""
    is_root: bool
    """Selects the document itself."""
    definite: bool
    """Finds at most one value, by its form."""
    find: Callable[[JsonValue], list[JsonValue]]
    """All nodes' values, in order."""
    read: Callable[[JsonValue], MaybeJson]
    """The value or MISSING if `definite`, else the list that `find` gives."""
    strict: bool
    """RFC 9535 reads it by itself; False when one of the readings of `compatibility` was needed."""
    member: str | None = None
    """The name of the document's member that it selects, where that is all it does."""
