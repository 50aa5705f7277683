"""Conditions by themselves: the logical expression of a filter (RFC 9535, section 2.3.5.1) that is
asked about one object.

`@` and `$` are both that object; in filters inside of it `@` is the node that is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.jsonpath.ast import (
    And,
    Argument,
    Call,
    Comparison,
    Condition,
    Filter,
    Name,
    Not,
    Or,
    Query,
)
from naftiko_runtime.plan.jsonpath.compile import compile_nodes
from naftiko_runtime.plan.jsonpath.conditions import parse_condition
from naftiko_runtime.plan.jsonpath.errors import JsonPathSyntaxError
from naftiko_runtime.plan.jsonpath.evaluation import Evaluation
from naftiko_runtime.plan.jsonpath.parser import parse_segments, parse_strict, parse_tolerant
from naftiko_runtime.plan.jsonpath.predicates import compile_predicate
from naftiko_runtime.plan.jsonpath.scanner import Scanner


@dataclass(frozen=True, slots=True)
class JsonExpression:
    """A compiled condition. `holds` raises JsonPathBudgetExceeded and nothing else; `names` are the
    members of the object that it reads, None where it may read any."""

    text: str
    names: frozenset[str] | None
    holds: Callable[[JsonValue], bool]


def compile_expression(text: str) -> JsonExpression:
    """Reads and compiles a condition, once, at load. Raises JsonPathSyntaxError."""
    scanner = Scanner(text)
    scanner.skip_blank()
    condition = parse_condition(scanner, parse_segments)
    scanner.skip_blank()
    if not scanner.at_end():
        raise scanner.expected("&&, || or the end")
    holds = compile_predicate(condition, compile_nodes)
    return JsonExpression(
        text,
        _joined(_of_condition(condition, inside=False)),
        lambda document: holds(document, Evaluation(document)),
    )


def names_of_path(text: str) -> frozenset[str] | None:
    """The members of the document that a path reads, its filters included; None where it may read
    any."""
    for parse in (parse_strict, parse_tolerant):
        try:
            return _joined(_of_query(parse(text), inside=False))
        except JsonPathSyntaxError:
            continue
    return None


def _joined(found: Iterable[str | None]) -> frozenset[str] | None:
    names = frozenset(found)
    return None if None in names else frozenset(name for name in names if name is not None)


def _of_condition(condition: Condition, *, inside: bool) -> Iterator[str | None]:
    """The names at which the queries of a condition start; None for one that starts anywhere.
    `inside` a filter `@` is no longer the document."""
    if isinstance(condition, And | Or):
        for operand in condition.operands:
            yield from _of_condition(operand, inside=inside)
    elif isinstance(condition, Not):
        yield from _of_condition(condition.operand, inside=inside)
    elif isinstance(condition, Comparison):
        yield from _of_argument(condition.left, inside=inside)
        yield from _of_argument(condition.right, inside=inside)
    else:
        yield from _of_argument(condition.subject, inside=inside)


def _of_argument(argument: Argument, *, inside: bool) -> Iterator[str | None]:
    if isinstance(argument, Query):
        yield from _of_query(argument, inside=inside)
    elif isinstance(argument, Call):
        for each in argument.arguments:
            yield from _of_argument(each, inside=inside)


def _of_query(query: Query, *, inside: bool) -> Iterator[str | None]:
    if not (query.relative and inside):
        first = query.segments[0] if query.segments else None
        if first is None or first.descendant:
            yield None
        else:
            for selector in first.selectors:
                yield selector.name if isinstance(selector, Name) else None
    for segment in query.segments:
        for selector in segment.selectors:
            if isinstance(selector, Filter):
                yield from _of_condition(selector.condition, inside=True)
