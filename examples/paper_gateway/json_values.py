"""JSON in and out. Fractions are read as `Decimal`, since most of them are prices."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

JsonValue: TypeAlias = (
    "bool | int | float | Decimal | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
)
JsonObject: TypeAlias = "Mapping[str, JsonValue]"


def decode_json(data: bytes) -> JsonValue:
    """The value of a JSON text; raises ValueError when it is none (NaN and Infinity included)."""
    value: JsonValue = json.loads(data, parse_float=Decimal, parse_constant=_refuse_constant)
    return value


def encode_json(value: JsonValue) -> bytes:
    return json.dumps(value, default=_plain_number, separators=(",", ":")).encode()


def _refuse_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not JSON")


def _plain_number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
