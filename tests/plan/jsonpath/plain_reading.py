"""RFC 9535 word by word, one function per notion, without any thought of speed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from naftiko_runtime.plan.jsonpath import MISSING, JsonValue
from naftiko_runtime.plan.jsonpath.ast import (
    And,
    Comparison,
    Constant,
    Filter,
    Index,
    Name,
    Not,
    Or,
    Query,
    Slice,
    Wildcard,
)


def nodes_of(query: Query, root: JsonValue, current: JsonValue) -> list[JsonValue]:
    nodes = [current if query.relative else root]
    for segment in query.segments:
        starts = [
            start for node in nodes for start in (below(node) if segment.descendant else [node])
        ]
        nodes = [
            value
            for start in starts
            for selector in segment.selectors
            for value in select(selector, root, start)
        ]
    return nodes


def below(node: JsonValue) -> Iterator[JsonValue]:
    yield node
    for child in children(node):
        yield from below(child)


def children(node: JsonValue) -> list[JsonValue]:
    if isinstance(node, dict):
        return list(node.values())
    return list(node) if isinstance(node, list) else []


def select(selector: Any, root: JsonValue, node: JsonValue) -> list[JsonValue]:
    if isinstance(selector, Wildcard):
        return children(node)
    if isinstance(selector, Filter):
        return [child for child in children(node) if holds(selector.condition, root, child)]
    if isinstance(selector, Name):
        is_there = isinstance(node, dict) and selector.name in node
        return [node[selector.name]] if isinstance(node, dict) and is_there else []
    if not isinstance(node, list):
        return []
    if isinstance(selector, Index):
        index = selector.index + len(node) if selector.index < 0 else selector.index
        return [node[index]] if 0 <= index < len(node) else []
    return [node[index] for index in slice_indexes(selector, len(node))]


def slice_indexes(selector: Slice, length: int) -> Iterator[int]:
    """Section 2.3.4.2.2, as its pseudocode goes."""
    step = 1 if selector.step is None else selector.step
    start = selector.start
    end = selector.end
    if start is None:
        start = 0 if step >= 0 else length - 1
    if end is None:
        end = length if step >= 0 else -length - 1
    start = start if start >= 0 else length + start
    end = end if end >= 0 else length + end
    if step > 0:
        position, upper = min(max(start, 0), length), min(max(end, 0), length)
        while position < upper:
            yield position
            position += step
    elif step < 0:
        position, lower = min(max(start, -1), length - 1), min(max(end, -1), length - 1)
        while lower < position:
            yield position
            position += step


def holds(condition: Any, root: JsonValue, node: JsonValue) -> bool:
    if isinstance(condition, And):
        return all(holds(operand, root, node) for operand in condition.operands)
    if isinstance(condition, Or):
        return any(holds(operand, root, node) for operand in condition.operands)
    if isinstance(condition, Not):
        return not holds(condition.operand, root, node)
    if isinstance(condition, Comparison):
        left, right = value_of(condition.left, root, node), value_of(condition.right, root, node)
        return {
            "==": same(left, right),
            "!=": not same(left, right),
            "<": ordered(left, right),
            "<=": ordered(left, right) or same(left, right),
            ">": ordered(right, left),
            ">=": ordered(right, left) or same(left, right),
        }[condition.operator]
    if isinstance(condition.subject, Query):
        return bool(nodes_of(condition.subject, root, node))
    text, pattern = (value_of(each, root, node) for each in condition.subject.arguments)
    if not isinstance(text, str) or pattern == "[":
        return False
    test = re.fullmatch if condition.subject.function == "match" else re.search
    return test(str(pattern), text) is not None


def value_of(operand: Any, root: JsonValue, node: JsonValue) -> object:
    if isinstance(operand, Constant):
        return operand.value
    if isinstance(operand, Query):
        found = nodes_of(operand, root, node)
        return found[0] if found else MISSING
    if operand.function == "length":
        value = value_of(operand.arguments[0], root, node)
        return len(value) if isinstance(value, (str, list, dict)) else MISSING
    if operand.function in ("lower", "upper"):
        value = value_of(operand.arguments[0], root, node)
        if not isinstance(value, str):
            return MISSING
        return value.lower() if operand.function == "lower" else value.upper()
    found = nodes_of(operand.arguments[0], root, node)
    if operand.function == "count":
        return len(found)
    return found[0] if len(found) == 1 else MISSING


def same(left: object, right: object) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return kind(left) == kind(right) and left == right


def ordered(left: Any, right: Any) -> bool:
    return kind(left) == kind(right) and kind(left) in ("text", "number") and bool(left < right)


def kind(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return "text" if isinstance(value, str) else type(value).__name__
