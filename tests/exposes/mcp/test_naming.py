"""Every name becomes one that clients accept."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.exposes.mcp.naming import argument_alias, nearest_name, tool_alias, unique_name

TOOL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
ARGUMENT = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


@given(st.text(max_size=100))
def test_any_tool_name_gets_an_alias_that_clients_accept(name: str) -> None:
    alias = tool_alias(name)
    assert TOOL.fullmatch(alias)
    if TOOL.fullmatch(name):
        assert alias == name


@given(st.text(max_size=100))
def test_any_argument_name_gets_an_alias_that_clients_accept(name: str) -> None:
    alias = argument_alias(name)
    assert ARGUMENT.fullmatch(alias)
    if ARGUMENT.fullmatch(name):
        assert alias == name


@given(st.lists(st.sampled_from(["a", "a" * 64, "a" * 63 + "b", "a_2", "b"]), max_size=30))
def test_names_are_made_unique_without_growing_too_long(names: list[str]) -> None:
    taken: list[str] = []
    for name in names:
        taken.append(unique_name(name, taken))
    assert len(set(taken)) == len(names)
    assert all(TOOL.fullmatch(name) for name in taken)


def test_each_refused_character_becomes_an_underscore() -> None:
    assert tool_alias("orders/get all.v2 é") == "orders_get_all_v2__"
    assert argument_alias("$select[id] a.b") == "_select_id__a.b"


def test_the_nearest_name_is_proposed() -> None:
    assert nearest_name("get-order", ["place-order", "get-orders"]) == "get-orders"
    assert nearest_name("something-else", ["place-order", "get-orders"]) is None


def test_T7_a_monstrous_name_is_compared_with_nothing() -> None:
    compared: list[str] = []

    def names() -> Iterator[str]:
        compared.append("asked")
        yield "get-orders"

    assert nearest_name("x" * 1_000_000, names()) is None
    assert compared == []
