"""JSONPaths into the request that guards judge."""

from __future__ import annotations

from typing import Final

from naftiko_runtime.plan.jsonpath import JsonPathSyntaxError, compile_jsonpath, parse_strict
from naftiko_runtime.plan.jsonpath.ast import Name, Segment

MEMBERS: Final = ("method", "path", "query", "headers", "body", "arguments")
"""What the document of a request holds."""


def fault_of_path(text: str) -> tuple[str, str] | None:
    """Why a path finds nothing in any request, and what to do; None where it may find something.

    Other spellings than RFC 9535's are refused: a guard must not depend on what they may mean.
    """
    try:
        query = parse_strict(text)
        compile_jsonpath(text)
    except JsonPathSyntaxError as error:
        remedy = "write a JSONPath (RFC 9535) such as $.body.orders[*].quantity"
        return f"the path {_quoted(text)} cannot be read: {error}", error.remedy or remedy
    names = [_only_name(segment) for segment in query.segments[:2]]
    if not names:
        return f"the path {_quoted(text)} means the whole request", f"add one of {_shown()}"
    first, second = names[0], names[1] if names[1:] else None
    if first is not None and first not in MEMBERS:
        message = f'the path {_quoted(text)} finds nothing: a request has no "{first}"'
        return message, f'what is in the body begins with "$.body"; there are {_shown()}'
    if first == "headers" and second is not None and second != second.lower():
        message = f'the path {_quoted(text)} finds nothing: no header is called "{second}"'
        return message, f'write "{second.lower()}", as the names of headers are in lower case'
    return None


def _only_name(segment: Segment) -> str | None:
    """The name that a segment selects, None for one that may select others."""
    if segment.descendant or len(segment.selectors) != 1:
        return None
    selector = segment.selectors[0]
    return selector.name if isinstance(selector, Name) else None


def _shown() -> str:
    return ", ".join(f"$.{name}" for name in MEMBERS)


def _quoted(text: str) -> str:
    return f'"{text if len(text) <= 60 else text[:57] + "..."}"'
