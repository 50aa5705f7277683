"""One call of the gateway's API, freed from HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.json_values import JsonValue
from examples.paper_gateway.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Call:
    """`path` holds the path's variables; `body` is None when nothing was sent."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: JsonValue = None

    def required(self, name: str) -> str:
        """A query parameter that must be there; raises Refusal."""
        value = self.query.get(name, "")
        if not value:
            raise Refusal(400, f"Bad Request: {name} is missing")
        return value

    def field(self, name: str) -> JsonValue:
        """A field of the JSON body, or else the query parameter of that name, or None."""
        if isinstance(self.body, Mapping) and name in self.body:
            return self.body[name]
        return self.query.get(name)


Handler: TypeAlias = Callable[[PaperGateway, Call], JsonValue]


@dataclass(frozen=True, slots=True)
class CallRoute:
    """Which calls a function answers; `path` is relative to `/v1/api`."""

    methods: tuple[str, ...]
    path: str
    handler: Handler


def whole_number(text: JsonValue, name: str) -> int:
    """A contract or order id, written as a number or as text; raises Refusal."""
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    if isinstance(text, str) and text.strip().isascii():
        digits = text.strip().removeprefix("-")
        if digits.isdigit() and len(digits) < 16:
            return int(text)
    raise Refusal(400, f"Bad Request: {name} is not a number")


def id_list(text: str, name: str, most: int) -> list[int]:
    """Contract ids separated by commas; raises Refusal."""
    ids = [whole_number(part, name) for part in text.split(",") if part.strip()]
    if not 1 <= len(ids) <= most:
        raise Refusal(400, f"Bad Request: {name} must hold 1 to {most} ids")
    return ids
