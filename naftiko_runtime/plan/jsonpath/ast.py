"""The abstract syntax of RFC 9535: a query is a row of segments, a segment a set of selectors."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

from naftiko_runtime.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    """`.name` or `['name']`: a member of an object."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """`[3]` or `[-1]`: an element of an array."""

    index: int


@dataclass(frozen=True, slots=True)
class Slice:
    """`[start:end:step]`, each part optional."""

    start: int | None
    end: int | None
    step: int | None


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`*`: all children."""


@dataclass(frozen=True, slots=True)
class Filter:
    """`?condition`: the children for which the condition holds."""

    condition: Condition


Selector: TypeAlias = Name | Index | Slice | Wildcard | Filter


@dataclass(frozen=True, slots=True)
class Segment:
    """The selectors are applied to each node, or to it and all below it (`descendant`, `..`)."""

    selectors: tuple[Selector, ...]
    descendant: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Starts at the root `$` or, inside filters, at the current node `@` (`relative`)."""

    segments: tuple[Segment, ...]
    relative: bool = False

    def singular_keys(self) -> tuple[str | int, ...] | None:
        """The names and indexes of a query that finds at most one node; None for any other."""
        keys: list[str | int] = []
        for segment in self.segments:
            if segment.descendant or len(segment.selectors) != 1:
                return None
            selector = segment.selectors[0]
            if isinstance(selector, Name):
                keys.append(selector.name)
            elif isinstance(selector, Index):
                keys.append(selector.index)
            else:
                return None
        return tuple(keys)


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal; numbers that are whole are ints, all others Decimal."""

    value: bool | int | Decimal | str | None


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`, well-typed by section 2.4.3."""

    function: str
    arguments: tuple[Argument, ...]


Comparable: TypeAlias = Constant | Query | Call
Argument: TypeAlias = Constant | Query | Call
Operator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Queries on either side are singular."""

    operator: Operator
    left: Comparable
    right: Comparable


@dataclass(frozen=True, slots=True)
class Holds:
    """A query that finds something, or a function that answers true."""

    subject: Query | Call


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    operand: Condition


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    operands: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them."""

    operands: tuple[Condition, ...]


Condition: TypeAlias = Comparison | Holds | Not | And | Or
