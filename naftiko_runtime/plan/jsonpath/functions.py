"""The function extensions of section 2.4: what they take, what they give, what they compute.

`lower` and `upper` are this runtime's own, as section 2.4 lets an implementation have them: filters
cannot compare without regard to case otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.lazy_dataclasses import dataclass


class Kind(Enum):
    """The type system of section 2.4.1."""

    VALUE = "a value, a path that finds at most one, or a function that gives one"
    NODES = "a path"
    LOGICAL = "a condition"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function declares."""

    parameters: tuple[Kind, ...]
    result: Kind


SIGNATURES: Final = {
    "length": Signature((Kind.VALUE,), Kind.VALUE),
    "count": Signature((Kind.NODES,), Kind.VALUE),
    "value": Signature((Kind.NODES,), Kind.VALUE),
    "lower": Signature((Kind.VALUE,), Kind.VALUE),
    "upper": Signature((Kind.VALUE,), Kind.VALUE),
    "match": Signature((Kind.VALUE, Kind.VALUE), Kind.LOGICAL),
    "search": Signature((Kind.VALUE, Kind.VALUE), Kind.LOGICAL),
}


def length(value: MaybeJson) -> MaybeJson:
    """Section 2.4.4: characters of a string, elements of an array, members of an object."""
    return len(value) if isinstance(value, (str, list, dict)) else MISSING


def lower(value: MaybeJson) -> MaybeJson:
    """A text in small letters; nothing for what is no text."""
    return value.lower() if isinstance(value, str) else MISSING


def upper(value: MaybeJson) -> MaybeJson:
    """A text in capitals; nothing for what is no text."""
    return value.upper() if isinstance(value, str) else MISSING


OF_ONE_VALUE: Final[Mapping[str, Callable[[MaybeJson], MaybeJson]]] = {
    "length": length,
    "lower": lower,
    "upper": upper,
}


def only_value(nodes: list[JsonValue]) -> MaybeJson:
    """Section 2.4.8: the value of the one node, and nothing for none or several."""
    return nodes[0] if len(nodes) == 1 else MISSING
