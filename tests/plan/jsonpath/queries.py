"""Hypothesis strategies for documents and for queries, as syntax trees together with their text."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import strategies as st

from naftiko_runtime.plan.jsonpath.ast import (
    And,
    Call,
    Comparison,
    Constant,
    Filter,
    Holds,
    Index,
    Name,
    Not,
    Or,
    Query,
    Segment,
    Slice,
    Wildcard,
)

NAMES = ["a", "b", "c", "long name", "", "é", "it's", '"', "\\", "\n"]
PATTERNS = ["a", "[ab]+", ".*b.*", "a?(b|c)", "["]

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.5, 1.0, -0.0])
    | st.sampled_from(["", "a", "b", "ab", "é", "A"])
)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=25,
)

keys = st.sampled_from(NAMES).map(Name) | st.integers(-3, 3).map(Index)
bounds = st.none() | st.integers(-4, 4)
slices = st.builds(Slice, bounds, bounds, bounds)
single_segments = keys.map(lambda key: Segment((key,)))


def queries(selectors: st.SearchStrategy[Any], relative: bool) -> st.SearchStrategy[Query]:
    segments = st.builds(
        Segment, st.lists(selectors, min_size=1, max_size=3).map(tuple), st.booleans()
    )
    return st.lists(segments, max_size=3).map(lambda row: Query(tuple(row), relative))


def singular(relative: bool) -> st.SearchStrategy[Query]:
    return st.lists(single_segments, max_size=2).map(lambda row: Query(tuple(row), relative))


def constant(value: Any) -> Constant:
    return Constant(value)


def conditions(selectors: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    query = queries(selectors, True) | queries(selectors, False)
    one = singular(True) | singular(False)
    values = (
        scalars.filter(lambda value: not isinstance(value, float)).map(constant)
        | one
        | st.builds(lambda q: Call("count", (q,)), query)
        | st.builds(lambda q: Call("value", (q,)), query)
        | st.builds(lambda q: Call("length", (q,)), one)
        | st.builds(lambda name, q: Call(name, (q,)), st.sampled_from(["lower", "upper"]), one)
    )
    basic = (
        st.builds(Comparison, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), values, values)
        | st.builds(Holds, query)
        | st.builds(
            lambda name, text, pattern: Holds(Call(name, (text, Constant(pattern)))),
            st.sampled_from(["match", "search"]),
            one,
            st.sampled_from(PATTERNS),
        )
    )
    whole = st.recursive(
        basic,
        lambda inner: (
            st.builds(Not, inner)
            | st.lists(inner, min_size=2, max_size=3).map(lambda each: And(tuple(each)))
            | st.lists(inner, min_size=2, max_size=3).map(lambda each: Or(tuple(each)))
        ),
        max_leaves=4,
    )

    @st.composite
    def condition(draw: st.DrawFn) -> Any:
        return draw(whole)

    return condition()  # its repr is short, while that of the whole doubles at each level


plain_selectors = keys | slices | st.just(Wildcard())
selectors = st.recursive(
    plain_selectors,
    lambda inner: plain_selectors | conditions(inner).map(Filter),
    max_leaves=3,
)
blanks = st.sampled_from(["", "", "", " ", "\n", "\t\r "])


class Writer:
    """Writes syntax trees as text, with blanks wherever the grammar has them."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def blank(self) -> str:
        return self.draw(blanks)

    def query(self, query: Query) -> str:
        text = "@" if query.relative else "$"
        return text + "".join(self.segment(segment) for segment in query.segments)

    def segment(self, segment: Segment) -> str:
        dots = ".." if segment.descendant else ""
        first = segment.selectors[0]
        if len(segment.selectors) == 1 and self.draw(st.booleans()):
            if isinstance(first, Wildcard):
                return f"{self.blank()}{dots or '.'}*"
            if isinstance(first, Name) and re.fullmatch("[a-zé]+", first.name):
                return f"{self.blank()}{dots or '.'}{first.name}"
        inside = ",".join(
            self.blank() + self.selector(selector) + self.blank() for selector in segment.selectors
        )
        return f"{self.blank()}{dots}[{inside}]"

    def selector(self, selector: Any) -> str:
        if isinstance(selector, Wildcard):
            return "*"
        if isinstance(selector, Name):
            return self.string(selector.name)
        if isinstance(selector, Index):
            return str(selector.index)
        if isinstance(selector, Filter):
            return f"?{self.blank()}{self.condition(selector.condition)}"
        start, end, step = (
            "" if part is None else self.blank() + str(part)
            for part in (selector.start, selector.end, selector.step)
        )
        tail = f":{step}" if step or self.draw(st.booleans()) else ""
        return f"{start.strip()}{self.blank() if start else ''}:{end}{self.blank()}{tail}"

    def string(self, value: str) -> str:
        if self.draw(st.booleans()):
            return json.dumps(value, ensure_ascii=self.draw(st.booleans()))
        inside = json.dumps(value)[1:-1].replace('\\"', '"').replace("'", "\\'")
        return f"'{inside}'"

    def condition(self, condition: Any, nested: bool = False) -> str:
        if isinstance(condition, Holds):
            text = self.operand(condition.subject)
        elif isinstance(condition, Comparison):
            text = (
                self.operand(condition.left)
                + self.blank()
                + condition.operator
                + self.blank()
                + self.operand(condition.right)
            )
        elif isinstance(condition, Not):
            inner = condition.operand
            if isinstance(inner, Holds) and self.draw(st.booleans()):
                return f"!{self.blank()}{self.operand(inner.subject)}"
            return f"!{self.blank()}({self.blank()}{self.condition(inner)}{self.blank()})"
        else:
            sign = "&&" if isinstance(condition, And) else "||"
            text = sign.join(
                self.blank() + self.condition(operand, nested=True) + self.blank()
                for operand in condition.operands
            ).strip(" \n\t\r")
            return f"({text})" if nested else text
        return f"({text})" if self.draw(st.booleans()) else text

    def operand(self, operand: Any) -> str:
        if isinstance(operand, Query):
            return self.query(operand)
        if isinstance(operand, Call):
            inside = ",".join(
                self.blank() + self.operand(argument) + self.blank()
                for argument in operand.arguments
            )
            return f"{operand.function}({inside})"
        if isinstance(operand.value, str):
            return self.string(operand.value)
        return json.dumps(operand.value)


@st.composite
def written_queries(draw: st.DrawFn) -> tuple[Query, str]:
    query = draw(queries(selectors, relative=False))
    return query, Writer(draw).query(query)
