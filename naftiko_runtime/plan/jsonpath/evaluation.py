"""What one evaluation of a path carries along: the root of the document and what it may spend."""

from __future__ import annotations

from typing import Final

from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.jsonpath.errors import JsonPathBudgetExceeded

NODE_BUDGET: Final = 1_000_000
"""Values that one evaluation may visit. A path with one `..` visits each value of a document
once; two of them multiply, which is how a small document can ask for hours of work."""


class Evaluation:
    """Owned by one call of a compiled path, and dropped with it."""

    __slots__ = ("remaining", "root")

    def __init__(self, root: JsonValue) -> None:
        self.root = root
        self.remaining = NODE_BUDGET

    def spend(self, steps: int) -> None:
        """Raises JsonPathBudgetExceeded when more is spent than there is."""
        self.remaining -= steps
        if self.remaining < 0:
            raise JsonPathBudgetExceeded(NODE_BUDGET)
