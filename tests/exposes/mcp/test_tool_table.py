"""What tools are listed as, and what keeps one bad tool from breaking the list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types.methods import serialize_server_result
from pydantic import ValidationError

from naftiko_runtime.document.model import Hints
from naftiko_runtime.exposes.mcp.table import build_mcp_table
from naftiko_runtime.exposes.mcp.tools import build_tool_table
from naftiko_runtime.json_codec import JsonError, encode_json
from naftiko_runtime.problems import Consequence, Place, Severity
from tests.exposes.mcp.plans import a_table, a_tool, an_adapter, an_input, listed


def names(*adapters: Any) -> list[str]:
    return [tool.name for tool in build_tool_table(adapters)[0].tools]


def test_a_tool_carries_title_description_hints_and_argument_schemas() -> None:
    tool = listed(
        a_tool(
            "get-orders",
            an_input("accountId", required=True, description="The account.", pattern="^U"),
            an_input("limit", "integer", default=10),
            label="List orders",
            description="Lists live orders.",
            hints=Hints(read_only=True, destructive=False, open_world=True),
        )
    )
    assert tool.entry == {
        "name": "get-orders",
        "title": "List orders",
        "description": "Lists live orders.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "accountId": {"type": "string", "pattern": "^U", "description": "The account."},
                "limit": {"type": "integer", "default": 10},
            },
            "required": ["accountId"],
            "additionalProperties": False,
        },
        "annotations": {
            "title": "List orders",
            "readOnlyHint": True,
            "destructiveHint": False,
            "openWorldHint": True,
        },
    }


def test_a_tool_of_which_the_file_says_little_is_listed_without_inventions() -> None:
    assert listed(a_tool("tickle")).entry == {
        "name": "tickle",
        "inputSchema": {"type": "object", "properties": {}, "additionalProperties": False},
    }


def test_an_operation_that_passes_a_body_on_takes_a_body_argument() -> None:
    schema = listed(a_tool("place", accepts_body=True, body_required=True)).entry["inputSchema"]
    assert isinstance(schema, dict)
    assert schema["properties"] == {
        "body": {"description": "The JSON body of the request.", "type": "object"}
    }
    assert schema["required"] == ["body"]


def test_the_body_argument_has_the_schema_that_the_file_gives() -> None:
    described = {"type": "array", "items": {"type": "string"}, "description": "The orders."}
    tool = listed(a_tool("place", accepts_body=True, body_schema=described))
    assert dict(tool.arguments[-1].schema) == described


def test_an_input_that_is_the_whole_body_takes_the_place_of_the_body_argument() -> None:
    order = an_input("order", "object", whole_body=True)
    tool = listed(a_tool("place", order, accepts_body=True))
    assert [argument.name for argument in tool.arguments] == ["order"]


def test_the_body_argument_gives_way_to_an_input_called_body() -> None:
    tool = listed(a_tool("place", an_input("body"), accepts_body=True))
    assert [argument.name for argument in tool.arguments] == ["body", "body_2"]


def test_argument_names_that_clients_refuse_get_aliases_and_stay_apart() -> None:
    tool = listed(a_tool("t", an_input("$id"), an_input("@id"), an_input("page[limit]")))
    assert [argument.name for argument in tool.arguments] == ["_id", "_id_2", "page_limit_"]


def test_an_alias_never_takes_the_name_of_another_argument() -> None:
    tool = listed(a_tool("t", an_input("$id"), an_input("_id")))
    assert [argument.name for argument in tool.arguments] == ["_id_2", "_id"]
    assert tool.by_name["_id"].plan is tool.plan.operation.inputs[1]
    assert tool.by_name["$id"].plan is tool.plan.operation.inputs[0]


def test_a_tool_name_that_clients_refuse_gets_an_alias_and_both_names_call_it() -> None:
    table = a_table(a_tool("get orders (live)")).tools
    assert [tool.name for tool in table.tools] == ["get_orders__live_"]
    assert table.find("get orders (live)") is table.find("get_orders__live_") is table.tools[0]
    assert table.find("Get_Orders__live_") is None


def test_the_second_tool_of_a_name_is_listed_with_its_namespace_and_a_warning_names_both() -> None:
    table, problems = build_tool_table(
        [
            an_adapter(a_tool("list", file="a.yaml", line=3), namespace="first"),
            an_adapter(a_tool("list", file="b.yaml", line=7), namespace="second one"),
        ]
    )
    assert [tool.name for tool in table.tools] == ["list", "second_one_list"]
    (problem,) = problems
    assert problem.rule == "tool-renamed"
    assert problem.place == Place("b.yaml", 7)
    assert (problem.severity, problem.consequence) == (Severity.WARNING, Consequence.NOTHING)
    assert "a.yaml:3:1" in str(problem)
    assert '"second_one_list"' in problem.message
    assert table.find("list") is table.tools[0]


def test_renamed_tools_never_take_a_name_that_a_later_tool_has() -> None:
    adapters = [
        an_adapter(a_tool("list"), namespace="a"),
        an_adapter(a_tool("list"), namespace="b"),
        an_adapter(a_tool("b_list"), a_tool("list"), namespace="b"),
    ]
    assert names(*adapters) == ["list", "b_list_2", "b_list", "b_list_3"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "a_b", "b" * 64]),
            st.lists(
                st.sampled_from(["x", "x!", "b_x", "a_x", "y" * 64, "y" * 65, "b_x_2"]), max_size=5
            ),
        ),
        max_size=5,
    )
)
def test_no_tool_disappears_however_names_clash(files: list[tuple[str, list[str]]]) -> None:
    adapters = [an_adapter(*map(a_tool, tools), namespace=name) for name, tools in files]
    table, problems = build_tool_table(adapters)
    originals = [name for _, tools in files for name in tools]
    assert [tool.plan.name for tool in table.tools] == originals
    assert len({tool.name for tool in table.tools}) == len(originals)
    assert all(table.find(tool.name) is tool for tool in table.tools)
    assert all(table.find(name) is not None for name in originals)
    renamed = sum(problem.rule == "tool-renamed" for problem in problems)
    assert renamed == len(problems)
    plain = {tool.name for tool in table.tools}
    assert plain >= {"x"} or "x" not in originals


@pytest.mark.parametrize(
    "tool",
    [
        a_tool("bad", an_input("x", enum=[float("nan")])),
        a_tool("bad", description="half a pair: \ud800"),
        a_tool("bad", output={"type": "object", "properties": ["price"]}),
        a_tool("bad", output={"type": "object", "required": "price"}),
        a_tool("bad", output={"type": "object", "$schema": 7}),
        a_tool("bad", an_input("x", examples=[{1, 2}])),  # type: ignore[list-item]
    ],
)
def test_a_tool_that_clients_could_not_read_is_left_out_with_a_problem(tool: Any) -> None:
    table, problems = build_tool_table([an_adapter(a_tool("good"), tool, a_tool("fine"))])
    assert [tool.name for tool in table.tools] == ["good", "fine"]
    (problem,) = problems
    assert problem.rule == "tool-unlistable"
    assert problem.place == tool.place
    assert (problem.severity, problem.consequence) == (Severity.ERROR, Consequence.PART)


def test_schemas_nested_too_deep_for_the_writers_are_left_out() -> None:
    deep: Any = {}
    for _ in range(300):
        deep = {"items": deep}
    table, problems = build_tool_table([an_adapter(a_tool("bad", an_input("x", **deep)))])
    assert table.tools == ()
    assert [problem.rule for problem in problems] == ["tool-unlistable"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
schemas = st.dictionaries(
    st.sampled_from(["type", "properties", "required", "$schema", "items", "title"]),
    json_values | st.sampled_from(["object", "array", {"a": {"type": "object"}}, ["a"]]),
    max_size=4,
)


@given(st.none() | schemas, st.text(max_size=5))
def test_a_tool_is_listed_just_when_the_sdk_could_write_it(
    output: dict[str, Any] | None, description: str
) -> None:
    table, _ = build_tool_table([an_adapter(a_tool("t", description=description, output=output))])
    if table.tools:
        tool = table.tools[0]
        write(tool.entry, "2026-07-28")
        for version in ("2024-11-05", "2025-06-18", "2025-11-25"):
            write(tool.handshake_entry, version)
        return
    shown: dict[str, Any] = {
        "name": "t",
        "description": description,
        "inputSchema": {"type": "object"},
        "outputSchema": output,
    }
    # Only objects are shown as they are to clients of the versions with a handshake.
    version = "2025-11-25" if (output or {}).get("type") == "object" else "2026-07-28"
    with pytest.raises((ValidationError, JsonError)):
        write(shown, version)


def write(entry: Any, version: str) -> None:
    encode_json(dict(entry))
    result = {
        "tools": [dict(entry)],
        "ttlMs": 0,
        "cacheScope": "private",
        "resultType": "complete",
    }
    serialize_server_result("tools/list", version, result)


def test_results_that_are_no_objects_are_wrapped_for_the_handshake_versions_alone() -> None:
    prices = {"type": "array", "items": {"type": "number"}}
    tool = listed(a_tool("prices", output=prices))
    assert tool.entry["outputSchema"] == prices
    assert tool.handshake_entry["outputSchema"] == {
        "type": "object",
        "properties": {"items": prices},
        "required": ["items"],
    }
    count = listed(a_tool("count", output={"type": "integer"}))
    schema = count.handshake_entry["outputSchema"]
    assert isinstance(schema, dict)
    assert schema["required"] == ["value"]


def test_a_table_says_what_it_is_about() -> None:
    table, _ = build_mcp_table(
        [
            an_adapter(a_tool("a"), namespace="orders", description="Places orders."),
            an_adapter(a_tool("b"), namespace="portfolio", description="Shows positions."),
            an_adapter(a_tool("c"), namespace="orders"),
        ]
    )
    assert table.title == "orders, portfolio"
    assert table.instructions == "orders: Places orders.\n\nportfolio: Shows positions."


def test_tables_are_alike_when_clients_would_see_no_difference() -> None:
    one = a_table(a_tool("a"), file="x.yaml").tools
    assert one.lists_as(a_table(a_tool("a"), file="y.yaml").tools)
    assert not one.lists_as(a_table(a_tool("a", description="Now described.")).tools)
    assert not one.lists_as(a_table(a_tool("a"), a_tool("b")).tools)


def test_tools_are_taken_over_as_long_as_their_names_stay() -> None:
    first, second = an_adapter(a_tool("get", label="a")), an_adapter(a_tool("put"))
    before, _ = build_tool_table([first, second])
    same, _ = build_tool_table([second, first], before)
    assert [id(tool) for tool in same.tools] == [id(tool) for tool in reversed(before.tools)]
    newcomer = an_adapter(a_tool("get", label="b"))
    after, problems = build_tool_table([newcomer, first, second], before)
    afresh, _ = build_tool_table([newcomer, first, second])
    assert [tool.name for tool in after.tools] == [tool.name for tool in afresh.tools]
    assert after.tools[1] is not before.tools[0]
    assert after.tools[2] is before.tools[1]
    assert len(problems) == 1
