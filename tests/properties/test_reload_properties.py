"""Tables that a reload makes out of the ones before, against tables that are built anew."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.exposes.mcp.tools import ToolTable, build_tool_table
from naftiko_runtime.exposes.rest.table import RestTable, build_rest_table
from tests.exposes.mcp.plans import a_tool, an_adapter
from tests.exposes.rest.plans import adapter, served

A = TypeVar("A")

SEGMENTS = ("a", "b", "docs", "{x}", "{y}", "v{x}", "{x}.json")
ROUTES = [f"/{a}" for a in SEGMENTS] + [f"/{a}/{b}" for a, b in product(SEGMENTS, SEGMENTS)]
PATHS = [f"/{a}{b}".encode() for a in ("a", "docs", "va", "a.json") for b in ("", "/b", "/", "/vb")]
OPERATIONS = st.builds(
    lambda method, route: (method, route),
    st.sampled_from(["GET", "POST"]),
    st.sampled_from([*ROUTES, "/{"]),
)
FILES = st.lists(st.lists(OPERATIONS, max_size=3), min_size=1, max_size=5)
TOOLS = st.sampled_from(["list", "create", "create_2", "orders_list", "a b", "a_b", "x" * 70])
VERSIONS = st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=2, max_size=4)
"""Which of the files are there, from version to version."""


def found(table: RestTable) -> list[object]:
    """All that callers get to see."""
    answers: list[object] = [each.plan for each in table.operations]
    for path in PATHS:
        answers.append(table.routes.methods(path))
        for method, target in sorted(table.targets(path).items()):
            match = table.routes.find(method, path)
            variables = None if match is None else match[1]
            answers.append((method, getattr(target, "plan", target), variables))
    return answers


@given(FILES, VERSIONS)
def test_routes_after_reloads_are_those_of_a_new_start(
    files: list[list[tuple[str, str]]], versions: list[list[bool]]
) -> None:
    adapters = [adapter(*(served(*operation) for operation in file)) for file in files]
    before: RestTable | None = None
    for version in versions:
        now = _there(adapters, version)
        before, problems = build_rest_table(now, before)
        anew, expected = build_rest_table(now)
        assert found(before) == found(anew)
        assert problems == expected


@given(st.lists(st.lists(TOOLS, max_size=3, unique=True), min_size=1, max_size=5), VERSIONS)
def test_tools_after_reloads_are_those_of_a_new_start(
    files: list[list[str]], versions: list[list[bool]]
) -> None:
    adapters = [
        an_adapter(*(a_tool(name) for name in file), namespace=f"ns{number}")[1]
        for number, file in enumerate(files)
    ]
    before: ToolTable | None = None
    for version in versions:
        now = _there(adapters, version)
        before, problems = build_tool_table(now, before)
        anew, expected = build_tool_table(now)
        assert [(tool.name, tool.plan) for tool in before.tools] == [
            (tool.name, tool.plan) for tool in anew.tools
        ]
        assert {name: tool.plan for name, tool in before.by_name.items()} == {
            name: tool.plan for name, tool in anew.by_name.items()
        }
        assert problems == expected


def _there(adapters: Sequence[A], version: list[bool]) -> list[tuple[str, A]]:
    return [
        (f"file {number}", each)
        for number, (each, is_there) in enumerate(zip(adapters, version, strict=False))
        if is_there
    ]
