"""Compiles queries to closures: a segment becomes a function from a list of values to the next.

Applying one segment to all values before the next segment gives nodes in the order of section 2.1.2
and leaves a list comprehension as the inner loop. What can grow beyond the list it was given is
paid for with `Evaluation.spend`, before or while it grows.
"""

from __future__ import annotations

from collections.abc import Callable, Reversible
from typing import TypeAlias

from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.plan.jsonpath.ast import (
    Filter,
    Index,
    Name,
    Query,
    Segment,
    Selector,
    Slice,
    Wildcard,
)
from naftiko_runtime.plan.jsonpath.errors import JsonPathBudgetExceeded
from naftiko_runtime.plan.jsonpath.evaluation import NODE_BUDGET, Evaluation
from naftiko_runtime.plan.jsonpath.lookups import compile_reader, compile_rows
from naftiko_runtime.plan.jsonpath.predicates import compile_predicate

Nodes: TypeAlias = list[JsonValue]
Step: TypeAlias = Callable[[Nodes, Evaluation], Nodes]
Select: TypeAlias = Callable[[JsonValue, Evaluation], Nodes]
Find: TypeAlias = Callable[[JsonValue], Nodes]
Read: TypeAlias = Callable[[JsonValue], MaybeJson]


def compile_query(query: Query) -> tuple[Find, Read]:
    """Two functions of a document: all nodes' values, and what an output shows of them.

    The latter is the one value or MISSING for a query that finds at most one, else the list.
    """
    keys = query.singular_keys()
    if keys is not None:
        return _compile_definite(keys)
    find = _compile_rows(query) or _compile_nodes(query)
    return find, find


def compile_nodes(query: Query) -> Select:
    """All nodes of a query from a given start, within an evaluation that has begun."""
    singular, rest = _split(query)
    read = compile_reader(singular)
    steps = tuple(_compile_step(segment) for segment in rest)

    def select(start: JsonValue, evaluation: Evaluation) -> Nodes:
        value = read(start)
        if value is MISSING:
            return []
        nodes = [value]
        for step in steps:
            nodes = step(nodes, evaluation)
        return nodes

    return select


def _compile_definite(keys: tuple[str | int, ...]) -> tuple[Find, Read]:
    read = compile_reader(keys)

    def find(document: JsonValue) -> Nodes:
        value = read(document)
        return [] if value is MISSING else [value]

    return find, read


def _compile_nodes(query: Query) -> Find:
    select = compile_nodes(query)
    return lambda document: select(document, Evaluation(document))


def _compile_rows(query: Query) -> Find | None:
    """The short cut for `$.a.b[*].c`; None for paths of another form."""
    prefix, rest = _split(query)
    if rest[0] != Segment((Wildcard(),)):
        return None
    suffix = Query(rest[1:]).singular_keys()
    if suffix is None or len(suffix) > 2:
        return None
    names = tuple(name for name in suffix if isinstance(name, str))
    return compile_rows(prefix, names) if len(names) == len(suffix) else None


def _split(query: Query) -> tuple[tuple[str | int, ...], tuple[Segment, ...]]:
    """The keys of the segments that find at most one node, and the segments from there on."""
    keys: tuple[str | int, ...] = ()
    for position, segment in enumerate(query.segments):
        key = Query((segment,)).singular_keys()
        if key is None:
            return keys, query.segments[position:]
        keys += key
    return keys, ()


def _compile_step(segment: Segment) -> Step:
    step = _compile_children(segment.selectors)
    if not segment.descendant:
        return step
    return lambda nodes, evaluation: step(all_containers(nodes, evaluation), evaluation)


def _compile_children(selectors: tuple[Selector, ...]) -> Step:
    if len(selectors) == 1 and isinstance(selectors[0], Name):
        return _name_step(selectors[0].name)
    if len(selectors) == 1:
        return _each(_compile_selector(selectors[0]))
    selects = tuple(_compile_selector(selector) for selector in selectors)

    def select_all(node: JsonValue, evaluation: Evaluation) -> Nodes:
        found: Nodes = []
        for select in selects:
            found += select(node, evaluation)
        return found

    return _each(select_all)


def _name_step(name: str) -> Step:
    def step(nodes: Nodes, evaluation: Evaluation) -> Nodes:
        return [node[name] for node in nodes if isinstance(node, dict) and name in node]

    return step


def _each(select: Select) -> Step:
    def step(nodes: Nodes, evaluation: Evaluation) -> Nodes:
        found: Nodes = []
        for node in nodes:
            found += select(node, evaluation)
        return found

    return step


def _compile_selector(selector: Selector) -> Select:
    if isinstance(selector, Name):
        return _select_key(compile_reader((selector.name,)))
    if isinstance(selector, Index):
        return _select_key(compile_reader((selector.index,)))
    if isinstance(selector, Slice):
        return _select_slice(selector)
    if isinstance(selector, Filter):
        return _select_filtered(selector)
    return _select_children


def _select_key(read: Callable[[JsonValue], MaybeJson]) -> Select:
    def select(node: JsonValue, evaluation: Evaluation) -> Nodes:
        evaluation.spend(1)
        value = read(node)
        return [] if value is MISSING else [value]

    return select


def _select_slice(selector: Slice) -> Select:
    if selector.step == 0:
        return lambda node, evaluation: []
    part = slice(selector.start, selector.end, selector.step)

    def select(node: JsonValue, evaluation: Evaluation) -> Nodes:
        if not isinstance(node, list):
            return []
        found = node[part]
        evaluation.spend(len(found))
        return found

    return select


def _select_filtered(selector: Filter) -> Select:
    holds = compile_predicate(selector.condition, compile_nodes)

    def select(node: JsonValue, evaluation: Evaluation) -> Nodes:
        children = _select_children(node, evaluation)
        return [child for child in children if holds(child, evaluation)]

    return select


def _select_children(node: JsonValue, evaluation: Evaluation) -> Nodes:
    if isinstance(node, list):
        evaluation.spend(len(node))
        return node
    if isinstance(node, dict):
        evaluation.spend(len(node))
        return list(node.values())
    return []


def all_containers(nodes: Nodes, evaluation: Evaluation) -> Nodes:
    """Each node and all below it, parents first, without the scalars: nothing is below those."""
    found: Nodes = []
    remaining = evaluation.remaining
    for node in nodes:
        pending = [node]
        while pending:
            value = pending.pop()
            children: Reversible[JsonValue]
            if isinstance(value, list):
                children = value
            elif isinstance(value, dict):
                children = value.values()
            else:
                continue
            found.append(value)
            remaining -= 1 + len(value)
            if remaining < 0:
                raise JsonPathBudgetExceeded(NODE_BUDGET)
            pending += [c for c in reversed(children) if isinstance(c, (list, dict))]
    evaluation.remaining = remaining
    return found
