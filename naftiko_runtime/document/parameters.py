"""What callers give, what upstream requests carry, and what answers are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from naftiko_runtime.document.node import Node
from naftiko_runtime.document.values import Value
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.lazy_dataclasses import dataclass


class ParameterType(StrEnum):
    STRING = "string"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    ARRAY = "array"
    OBJECT = "object"


class ParameterPlace(StrEnum):
    """The `in` of a parameter."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"
    BODY = "body"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class ConsumedParameter(Node):
    """ConsumedInputParameter: something that an upstream request carries.

    `type` and `required` are None where the file does not say.
    """

    name: str
    location: ParameterPlace
    type: ParameterType | None = None
    description: str = ""
    required: bool | None = None
    value: Value | None = None
    schema: Mapping[str, JsonValue] = field(default_factory=dict)
    """Further JSON Schema keywords that the file gives (enum, default, items, pattern, ...)."""


@dataclass(frozen=True, slots=True)
class InputParameter(Node):
    """ExposedInputParameter and McpToolInputParameter: something that a caller may give."""

    name: str
    type: ParameterType
    description: str = ""
    location: ParameterPlace | None = None
    required: bool | None = None
    value: str | None = None
    """A constant, or a JSONPath into the request body when it starts with `$` (REST only)."""
    target: str | None = None
    """The published key `mapping`: the name of the consumed parameter or body field it feeds."""
    schema: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutputParameter(Node):
    """Mapped, mock, orchestrated and consumed output parameters alike.

    `mapping` is a JSONPath text (`$` for the whole document), `value` a constant or template.
    `others` are paths to try where `mapping` finds nothing. `replacements` are made in a text in
    their order; then `cases` gives for a value what it stands for, `otherwise` for any other one
    and for none. What is `optional` is left out of its object where there is nothing.
    """

    name: str | None
    type: str
    mapping: str | None = None
    value: Value | None = None
    const: MaybeJson = MISSING
    properties: tuple[tuple[str, OutputParameter], ...] | None = None
    items: OutputParameter | None = None
    values: OutputParameter | None = None
    max_length: int | None = None
    description: str = ""
    others: tuple[str, ...] = ()
    replacements: tuple[tuple[str, str], ...] = ()
    cases: Mapping[str, JsonValue] | None = None
    otherwise: MaybeJson = MISSING
    optional: bool = False
