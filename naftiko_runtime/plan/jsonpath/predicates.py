"""Compiles the conditions of filters to closures: from a node to whether it is selected."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.plan.jsonpath.ast import (
    And,
    Argument,
    Call,
    Comparable,
    Comparison,
    Condition,
    Constant,
    Not,
    Or,
    Query,
)
from naftiko_runtime.plan.jsonpath.automaton import Matcher
from naftiko_runtime.plan.jsonpath.comparison import equal, less
from naftiko_runtime.plan.jsonpath.errors import JsonPathBudgetExceeded
from naftiko_runtime.plan.jsonpath.evaluation import NODE_BUDGET, Evaluation
from naftiko_runtime.plan.jsonpath.functions import OF_ONE_VALUE, only_value
from naftiko_runtime.plan.jsonpath.iregexp import IRegexpTooLarge, NotIRegexp, parse_iregexp
from naftiko_runtime.plan.jsonpath.lookups import compile_reader

Nodes: TypeAlias = list[JsonValue]
NodesCompiler: TypeAlias = Callable[[Query], Callable[[JsonValue, Evaluation], Nodes]]
"""Given by the compiler of queries, as queries hold filters and filters hold queries."""
Predicate: TypeAlias = Callable[[JsonValue, Evaluation], bool]
Getter: TypeAlias = Callable[[JsonValue, Evaluation], MaybeJson]


def compile_predicate(condition: Condition, nodes: NodesCompiler) -> Predicate:
    """Whether the condition holds for a child, in the course of an evaluation."""
    if isinstance(condition, Comparison):
        return _compile_comparison(condition, nodes)
    if isinstance(condition, Not):
        operand = compile_predicate(condition.operand, nodes)
        return lambda node, evaluation: not operand(node, evaluation)
    if isinstance(condition, And):
        return _all_hold(tuple(compile_predicate(each, nodes) for each in condition.operands))
    if isinstance(condition, Or):
        return _any_holds(tuple(compile_predicate(each, nodes) for each in condition.operands))
    if isinstance(condition.subject, Call):
        return _compile_match(condition.subject, nodes)
    return _compile_existence(condition.subject, nodes)


def _all_hold(operands: tuple[Predicate, ...]) -> Predicate:
    def holds(node: JsonValue, evaluation: Evaluation) -> bool:
        for operand in operands:  # noqa: SIM110 - a generator would cost more than the operands
            if not operand(node, evaluation):
                return False
        return True

    return holds


def _any_holds(operands: tuple[Predicate, ...]) -> Predicate:
    def holds(node: JsonValue, evaluation: Evaluation) -> bool:
        for operand in operands:  # noqa: SIM110 - a generator would cost more than the operands
            if operand(node, evaluation):
                return True
        return False

    return holds


def _compile_existence(query: Query, nodes: NodesCompiler) -> Predicate:
    if query.singular_keys() is not None:
        get = _compile_query_value(query)
        return lambda node, evaluation: get(node, evaluation) is not MISSING
    find = _compile_query_nodes(query, nodes)
    return lambda node, evaluation: bool(find(node, evaluation))


def _compile_comparison(comparison: Comparison, nodes: NodesCompiler) -> Predicate:
    left, right = (_compile_value(side, nodes) for side in (comparison.left, comparison.right))
    operator = comparison.operator
    if operator in (">", ">="):
        left, right = right, left
    if operator == "==":
        return _compile_equality(comparison, left, right)
    if operator == "!=":
        same = _compile_equality(comparison, left, right)
        return lambda node, evaluation: not same(node, evaluation)
    if operator in ("<", ">"):
        return lambda node, evaluation: less(left(node, evaluation), right(node, evaluation))

    def holds(node: JsonValue, evaluation: Evaluation) -> bool:
        one, other = left(node, evaluation), right(node, evaluation)
        return less(one, other) or equal(one, other, evaluation)

    return holds


def _compile_equality(comparison: Comparison, left: Getter, right: Getter) -> Predicate:
    constant = comparison.right
    if isinstance(constant, Constant) and isinstance(constant.value, str):
        text = constant.value
        return lambda node, evaluation: left(node, evaluation) == text
    if isinstance(constant, Constant) and type(constant.value) is int:
        number = constant.value

        def equals_number(node: JsonValue, evaluation: Evaluation) -> bool:
            value = left(node, evaluation)
            return value == number and not isinstance(value, bool)

        return equals_number
    return lambda node, evaluation: equal(
        left(node, evaluation), right(node, evaluation), evaluation
    )


def _compile_value(operand: Comparable, nodes: NodesCompiler) -> Getter:
    if isinstance(operand, Constant):
        value = operand.value
        return lambda node, evaluation: value
    if isinstance(operand, Query):
        return _compile_query_value(operand)
    argument = operand.arguments[0]
    compute = OF_ONE_VALUE.get(operand.function)
    if compute is not None:
        get = _compile_value(argument, nodes)
        return lambda node, evaluation: compute(get(node, evaluation))
    find = _compile_query_nodes(argument, nodes)
    if operand.function == "count":
        return lambda node, evaluation: len(find(node, evaluation))
    return lambda node, evaluation: only_value(find(node, evaluation))


def _compile_query_value(query: Query) -> Getter:
    read = compile_reader(query.singular_keys() or ())
    if query.relative:
        return lambda node, evaluation: read(node)
    return lambda node, evaluation: read(evaluation.root)


def _compile_query_nodes(argument: Argument, nodes: NodesCompiler) -> Callable[..., Nodes]:
    assert isinstance(argument, Query), "the parser checks that count() and value() get a path"
    find = nodes(argument)
    if argument.relative:
        return find
    return lambda node, evaluation: find(evaluation.root, evaluation)


def _compile_match(call: Call, nodes: NodesCompiler) -> Predicate:
    """`match()` and `search()`, sections 2.4.6 and 2.4.7: false where one is not text."""
    anywhere = call.function == "search"
    text, pattern = (_compile_value(argument, nodes) for argument in call.arguments)
    constant = call.arguments[1]
    if not isinstance(constant, Constant):
        return _match_computed(text, pattern, anywhere=anywhere)
    matches = _matcher(constant.value, anywhere=anywhere)
    if matches is None:
        return lambda node, evaluation: False

    def holds(node: JsonValue, evaluation: Evaluation) -> bool:
        subject = text(node, evaluation)
        return isinstance(subject, str) and matches(subject, evaluation)

    return holds


def _match_computed(text: Getter, pattern: Getter, *, anywhere: bool) -> Predicate:
    """With a pattern from the document; the latest one is kept, as most often it is the same."""
    latest: MaybeJson = MISSING
    matches: Matcher | None = None

    def holds(node: JsonValue, evaluation: Evaluation) -> bool:
        nonlocal latest, matches
        subject, wanted = text(node, evaluation), pattern(node, evaluation)
        if not isinstance(subject, str) or not isinstance(wanted, str):
            return False
        if wanted != latest:
            evaluation.spend(len(wanted))
            try:
                matches = _matcher(wanted, anywhere=anywhere)
            except IRegexpTooLarge:
                raise JsonPathBudgetExceeded(NODE_BUDGET) from None
            latest = wanted
            evaluation.spend(matches.size if matches else 0)
        return matches is not None and matches(subject, evaluation)

    return holds


def _matcher(pattern: MaybeJson, *, anywhere: bool) -> Matcher | None:
    """None for what is no I-Regexp. Raises IRegexpTooLarge."""
    if not isinstance(pattern, str):
        return None
    try:
        return Matcher(parse_iregexp(pattern), anywhere=anywhere)
    except NotIRegexp:
        return None
