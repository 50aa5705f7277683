"""Compares what came with what an example says, where `...` stands for anything."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.docs.examples import Message

ANYTHING = "..."
ABSENT = "(none)"


@dataclass(frozen=True, slots=True)
class Given:
    """What a call gave. `outcome` is a status, or `error` or nothing for an MCP call."""

    outcome: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""


def check_answer(expected: Message, given: Given) -> None:
    outcome = expected.start.split()[0] if expected.start else ""
    assert given.outcome == outcome, f"the call gave {given.outcome or 'no error'}: {given.body}"
    check_headers(expected, given.headers)
    check_body(expected.body, given.body)


def check_headers(expected: Message, given: list[tuple[str, str]]) -> None:
    """Each header that the example names is there with that value; others are not looked at."""
    for name, value in expected.headers:
        values = [text for key, text in given if key.lower() == name.lower()]
        if value == ABSENT:
            assert not values, f"{name} is sent: {values}"
        else:
            assert values, f"there is no header {name}; there are {given}"
            assert any(matches_text(value, text) for text in values), (
                f"{name} is {values}, where {value} is expected"
            )


def check_body(expected: str, given: str) -> None:
    """A body that is JSON compares as JSON, every digit of its numbers included."""
    try:
        wanted = _read(expected)
    except ValueError:
        plain = given.replace("\r\n", "\n")
        assert matches_text(expected.rstrip(), plain.rstrip()), f"the body is\n{given}"
        return
    try:
        found = _read(given)
    except ValueError:
        raise AssertionError(f"the body is no JSON:\n{given}") from None
    check_value(wanted, found)


def check_value(wanted: Any, found: Any, path: str = "$") -> None:
    if wanted == ANYTHING:
        return
    if isinstance(wanted, str) and isinstance(found, str):
        assert matches_text(wanted, found), f"{path} is {found!r}, where {wanted!r} is expected"
    elif isinstance(wanted, dict) and isinstance(found, dict):
        _check_object(wanted, found, path)
    elif isinstance(wanted, list) and isinstance(found, list):
        _check_array(wanted, found, path)
    else:
        same = type(wanted) is type(found) and str(wanted) == str(found)
        assert same, f"{path} is {found!r}, where {wanted!r} is expected"


def _check_object(wanted: dict[str, Any], found: dict[str, Any], path: str) -> None:
    missing = [name for name in wanted if name != ANYTHING and name not in found]
    assert not missing, f"{path} has no {missing}: {found}"
    more = [name for name in found if name not in wanted]
    assert ANYTHING in wanted or not more, f"{path} also has {more}: {found}"
    for name, value in wanted.items():
        if name != ANYTHING:
            check_value(value, found[name], f"{path}.{name}")


def _check_array(wanted: list[Any], found: list[Any], path: str) -> None:
    begins = wanted[-1:] == [ANYTHING]
    count = len(wanted) - begins
    assert len(found) >= count if begins else len(found) == count, f"{path} is {found}"
    for index in range(count):
        check_value(wanted[index], found[index], f"{path}[{index}]")


def matches_text(wanted: str, found: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in wanted.split(ANYTHING))
    return re.fullmatch(pattern, found, re.DOTALL) is not None


def _read(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)
