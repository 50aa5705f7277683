"""Paths that only `jsonpath_ng.ext` reads, made as safe to run as our own.

jsonpath-ng counts nothing while it runs, so whatever could take more than time proportional to the
document is refused when it is read: two `..` in one path, several values below a `` `parent` ``,
the root inside a filter, and regular expressions (`=~`, `` `sub()` ``), which backtrack; match()
and search() are there for these. Arithmetic is for numbers, and `+` for two texts: a text times a
number would be a text of any size.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final

from jsonpath_ng import Child, Descendants, Fields, Index, JSONPath, Parent, Root, This, Where
from jsonpath_ng.ext.arithmetic import Operation
from jsonpath_ng.ext.filter import Filter
from jsonpath_ng.ext.iterable import Len, Path, SortedThis
from jsonpath_ng.ext.parser import parse
from jsonpath_ng.ext.string import Sub

from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.plan.jsonpath.comparison import Number, is_number, same_precision
from naftiko_runtime.plan.jsonpath.compile import all_containers
from naftiko_runtime.plan.jsonpath.errors import JsonPathBudgetExceeded, JsonPathSyntaxError
from naftiko_runtime.plan.jsonpath.evaluation import NODE_BUDGET, Evaluation
from naftiko_runtime.plan.jsonpath.path import JsonPath

_OPERATIONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_STEPS_PER_VALUE: Final = 10
_STEPS_PER_SORTED_VALUE: Final = 100


def compile_with_jsonpath_ng(text: str) -> JsonPath | None:
    """None if jsonpath-ng does not read it. Raises JsonPathSyntaxError if it is not safe to run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            expression = parse(text)
        except Exception:  # the lexer, the parser and each function raise their own
            return None
    parts = list(_parts(expression))
    _check_safety(text, parts)
    for part in parts:
        if isinstance(part, Operation):
            part.op = _arithmetic(part.op_symbol)
    definite = _finds_one(expression)
    find = _compile_find(expression, _steps_per_value(parts, definite=definite))

    def read(document: JsonValue) -> MaybeJson:
        values = find(document)
        return values[0] if values else MISSING

    return JsonPath(
        text=text,
        is_root=False,
        definite=definite,
        find=find,
        read=read if definite else find,
        strict=False,
    )


def _compile_find(
    expression: JSONPath, steps_per_value: int
) -> Callable[[JsonValue], list[JsonValue]]:
    def find(document: JsonValue) -> list[JsonValue]:
        if steps_per_value:
            evaluation = Evaluation(document)
            evaluation.spend(NODE_BUDGET - NODE_BUDGET // steps_per_value)
            all_containers([document], evaluation)
        try:
            return [match.value for match in expression.find(document)]
        except RecursionError:
            raise JsonPathBudgetExceeded(NODE_BUDGET) from None
        except Exception:  # functions applied to values of another type, division by zero
            return []

    return find


def _check_safety(text: str, parts: list[JSONPath]) -> None:
    if any(isinstance(p, Sub) or getattr(p, "op", None) == "=~" for p in parts):
        raise _refusal(
            text, "has a regular expression that may backtrack", "use match() or search()"
        )
    if sum(isinstance(part, Descendants) for part in parts) > 1:
        raise _refusal(text, 'has more than one ".."', "name the members on the way")
    for part in parts:
        if isinstance(part, (Child, Descendants)) and _fans_out_from_parent(part):
            raise _refusal(text, "finds several values below `parent`", "start from above instead")
        inner = part.right if isinstance(part, Where) else part
        if isinstance(part, (Filter, SortedThis, Where)) and _holds(inner, Root):
            raise _refusal(
                text, "has the root inside a filter or sort", "write it as RFC 9535 does"
            )


def _refusal(text: str, detail: str, remedy: str) -> JsonPathSyntaxError:
    return JsonPathSyntaxError(f'JSONPath "{text}", read by jsonpath-ng, {detail}', 0, remedy)


def _fans_out_from_parent(step: Child | Descendants) -> bool:
    return _holds(step.left, Parent) and (
        isinstance(step, Descendants) or not _finds_one(step.right)
    )


def _parts(expression: JSONPath) -> Iterator[JSONPath]:
    """The expression and all expressions inside it."""
    pending: list[object] = [expression]
    while pending:
        part = pending.pop()
        if isinstance(part, (list, tuple)):
            pending.extend(part)
        elif isinstance(part, JSONPath):
            yield part
            pending.extend(vars(part).values())


def _holds(expression: object, kind: type[JSONPath]) -> bool:
    return isinstance(expression, JSONPath) and any(
        isinstance(part, kind) for part in _parts(expression)
    )


def _finds_one(expression: object) -> bool:
    """Whether an expression finds at most one value, by its form; constants are one."""
    if isinstance(expression, (Child, Operation)):
        return _finds_one(expression.left) and _finds_one(expression.right)
    if isinstance(expression, Fields):
        return len(expression.fields) == 1 and expression.fields[0] != "*"
    if isinstance(expression, Index):
        return len(expression.indices) == 1
    return isinstance(expression, (Root, This, Parent, Len, Path)) or not isinstance(
        expression, JSONPath
    )


def _steps_per_value(parts: list[JSONPath], *, definite: bool) -> int:
    if any(isinstance(part, SortedThis) and part.expressions for part in parts):
        return _STEPS_PER_SORTED_VALUE
    return 0 if definite else _STEPS_PER_VALUE


def _arithmetic(symbol: str) -> Callable[[JsonValue, JsonValue], Number | str]:
    """Raises TypeError, which jsonpath-ng takes for "no result", for operands of other types."""
    operation = _OPERATIONS[symbol]

    def apply(left: JsonValue, right: JsonValue) -> Number | str:
        if symbol == "+" and isinstance(left, str) and isinstance(right, str):
            return left + right
        if not is_number(left) or not is_number(right):
            raise TypeError
        result: Number = operation(*same_precision(left, right))
        return result

    return apply
