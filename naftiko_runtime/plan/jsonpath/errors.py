"""The two ways in which a JSONPath fails: it cannot be read, or it visits too many values."""

from __future__ import annotations


class JsonPathSyntaxError(ValueError):
    """A text that is no JSONPath; raised at load only.

    `offset` counts characters from 0 in the text as written; `remedy` may be empty.
    """

    def __init__(self, message: str, offset: int, remedy: str = "") -> None:
        super().__init__(message, offset, remedy)
        self.message = message
        self.offset = offset
        self.remedy = remedy

    def __str__(self) -> str:
        remedy = f" - {self.remedy}" if self.remedy else ""
        return f"{self.message} at character {self.offset + 1}{remedy}"


class JsonPathBudgetExceeded(Exception):
    """An evaluation visited more nodes than one is allowed to."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the JSONPath visits more than {limit} values of this document"
            " - make it more specific, or ask the API for less"
        )
        self.limit = limit
