"""From a file to its typed model."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.document.capability_reader import read_capability
from naftiko_runtime.document.model import (
    AuthenticationType,
    BindReference,
    BodyType,
    CallStep,
    Hints,
    InputReference,
    Literal,
    LookupStep,
    McpAdapter,
    McpTransport,
    ParameterPlace,
    ParameterType,
    RestAdapter,
    Semantics,
    Template,
    TemplatedObject,
)
from naftiko_runtime.plan.load import load_file
from naftiko_runtime.problems import Consequence
from tests.document.reading import model, only, read

FULL = """
    naftiko: 1.0.0-alpha2
    info: {label: Orders, description: Trades.}
    binds:
      - namespace: vault
        location: file:///./secrets.yaml
        keys: {TOKEN: gateway-token}
    capability:
      consumes:
        - type: http
          namespace: gateway
          baseUri: https://api.example.com/{{tenant}}
          description: The gateway.
          inputParameters:
            - {name: X-Version, in: header, value: "7"}
          authentication: {type: bearer, token: "{{TOKEN}}"}
          resources:
            - name: orders
              path: /orders/{id}
              inputParameters: [{name: x-version, in: header, value: "8"}]
              operations:
                - name: get-order
                  method: GET
                  inputParameters:
                    - {name: id, in: path, type: string, description: The order.}
                    - {name: limit, in: query, type: integer, default: 5, minimum: 1}
                  outputRawFormat: json
                - name: put-order
                  method: PUT
                  body: {type: json, data: {side: "{{side}}", fixed: 1}}
      exposes:
        - type: rest
          namespace: orders-rest
          port: 8080
          address: 0.0.0.0
          resources:
            - path: /orders/{id}
              inputParameters: [{name: id, in: path, type: string, description: The order.}]
              operations:
                - method: GET
                  name: get
                  label: Get
                  description: Gets it.
                  call: gateway.get-order
                  with: {limit: 10}
                  outputParameters: [{type: object, mapping: $.}]
        - type: mcp
          namespace: orders-mcp
          port: 9090
          description: Tools.
          tools:
            - name: put
              label: Put
              description: Puts it.
              inputParameters:
                - {name: side, type: string, description: B or S., required: false, enum: [B, S]}
              call: gateway.put-order
              with: {side: tools.side, id: "a-{{side}}"}
              hints: {readOnly: false, idempotent: true}
"""


def test_a_whole_file_becomes_a_model() -> None:
    capability = model(FULL)
    assert (capability.label, capability.description) == ("Orders", "Trades.")
    (bind,) = capability.binds
    assert (bind.namespace, bind.variable, bind.key) == ("vault", "TOKEN", "gateway-token")
    assert bind.location == "file:///./secrets.yaml"
    consumes = capability.consumes["gateway"]
    assert consumes.base_uri.parts == (
        "https://api.example.com",
        "/",
        InputReference("tenant", text="tenant"),
    )
    assert consumes.authentication is not None
    assert consumes.authentication.type is AuthenticationType.BEARER
    assert consumes.authentication.fields["token"].whole == BindReference("TOKEN", "TOKEN")
    get, put = consumes.operations["get-order"], consumes.operations["put-order"]
    assert get.reference == "gateway.get-order"
    assert get.url_path.parts == ("/orders/", InputReference("id", text="id"))
    assert [(p.name, p.location) for p in get.parameters] == [
        ("x-version", ParameterPlace.HEADER),
        ("id", ParameterPlace.PATH),
        ("limit", ParameterPlace.QUERY),
    ]
    assert get.parameters[0].value == Literal("8")
    assert get.parameters[2].type is ParameterType.INTEGER
    assert get.parameters[2].schema == {"default": 5, "minimum": 1}
    assert (get.raw_format, put.raw_format) == ("json", None)
    assert put.body is not None
    assert put.body.type is BodyType.JSON
    assert isinstance(put.body.data, TemplatedObject)


def test_adapters_hold_what_they_expose() -> None:
    rest, mcp = model(FULL).adapters
    assert isinstance(rest, RestAdapter)
    assert (rest.namespace, rest.port, rest.address) == ("orders-rest", 8080, "0.0.0.0")
    (operation,) = rest.operations
    assert (operation.method, operation.route) == ("GET", "/orders/{id}")
    assert [parameter.name for parameter in operation.parameters] == ["id"]
    assert operation.behaviour.call is not None
    assert operation.behaviour.call.arguments == (("limit", Literal(10)),)
    assert operation.behaviour.outputs[0].mapping == "$"
    assert isinstance(mcp, McpAdapter)
    assert (mcp.transport, mcp.port) == (McpTransport.HTTP, 9090)
    (tool,) = mcp.tools
    assert tool.hints == Hints(read_only=False, idempotent=True)
    assert tool.parameters[0].schema == {"enum": ["B", "S"]}
    assert tool.parameters[0].required is False
    assert tool.behaviour.call is not None
    assert tool.behaviour.call.arguments == (
        ("side", Template((InputReference("side", text="tools.side"),), "tools.side")),
        ("id", Template(("a-", InputReference("side", text="side")), "a-{{side}}")),
    )


def test_each_part_knows_its_place() -> None:
    capability = model(FULL, "orders.yaml")
    lines = dedent(FULL).splitlines()
    rest, mcp = capability.adapters
    assert isinstance(rest, RestAdapter)
    assert isinstance(mcp, McpAdapter)
    for node, starts in (
        (capability.consumes["gateway"], "- type: http"),
        (capability.consumes["gateway"].operations["put-order"], "- name: put-order"),
        (rest.operations[0], "- method: GET"),
        (mcp.tools[0], "- name: put"),
    ):
        assert node.place.file == "orders.yaml"
        assert lines[node.place.line - 1].strip() == starts
        assert node.place.column == lines[node.place.line - 1].index("- ") + 3


HEAD = """
    naftiko: 1.0.0-alpha2
    capability:
      consumes:
        - type: http
          namespace: up
          baseUri: https://api.example.com
          resources:
            - name: r
              path: /x/{id}
              operations:
                - {name: first, method: GET}
                - {name: second, method: POST}
"""


def exposing(text: str) -> str:
    indented = "\n".join(f"      {line}" for line in text.strip("\n").splitlines())
    return f"{HEAD}{indented}\n"


STEPS = exposing(
    """
  exposes:
    - type: mcp
      namespace: up-mcp
      port: 9090
      tools:
        - name: both
          description: Both.
          steps:
            - {type: call, name: one, call: up.first, with: {id: up-mcp.id}}
            - {type: lookup, name: two, index: one, match: key, lookupValue: $.one.k,
               outputParameters: [a, b]}
            - {type: lookup, name: three, index: one, match: key, lookupValue: "{{one.k}}",
               outputParameters: [a]}
          mappings: [{targetName: out.deep, value: $.two.a}]
  aggregates:
    - label: Shared
      namespace: shared
      functions:
        - name: f
          description: F.
          semantics: {safe: true}
          call: up.first
          with: {id: shared.id}
""".replace("\n  ", "\n")
)


def test_steps_mappings_and_functions_are_read() -> None:
    capability = model(STEPS)
    (mcp,) = capability.adapters
    assert isinstance(mcp, McpAdapter)
    behaviour = mcp.tools[0].behaviour
    one, two, three = behaviour.steps
    assert isinstance(one, CallStep)
    assert one.call.arguments[0][1] == Template(
        (InputReference("id", text="up-mcp.id"),), "up-mcp.id"
    )
    assert isinstance(two, LookupStep)
    assert (two.index, two.match, two.lookup_value, two.fields) == (
        "one",
        "key",
        "$.one.k",
        ("a", "b"),
    )
    assert isinstance(three, LookupStep)
    assert isinstance(three.lookup_value, Template)
    assert [(m.target, m.value) for m in behaviour.mappings] == [("out.deep", "$.two.a")]
    function = capability.aggregates["shared.f"]
    assert function.semantics == Semantics(safe=True)
    assert function.behaviour.call is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("just a text", "a single text, not a capability"),
        ("- a\n- b\n", "a list, not a capability"),
        ("a: [", "ends too early"),
        ("openapi: 3.0.0\ninfo: {}\n", "looks like an OpenAPI description"),
        ("naftiko: 9.9.9\ncapability: {}\n", '"9.9.9", which is not supported'),
    ],
)
def test_what_is_no_capability_file_has_no_model_and_says_why(text: str, said: str) -> None:
    reading = read(text)
    assert reading.capability is None
    assert any(problem.consequence is Consequence.FILE for problem in reading.problems)
    assert any(said in str(problem) for problem in reading.problems)


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    reading = read_capability(tmp_path / "none.yaml")
    assert reading.capability is None
    assert "cannot be read: No such file" in reading.problems[0].message
    assert "Is a directory" in read_capability(tmp_path).problems[0].message


def test_a_fault_of_one_tool_takes_that_one_out_only() -> None:
    reading = read(
        exposing("""
exposes:
  - type: mcp
    namespace: m
    port: 9090
    tools:
      - {name: good, description: G., call: up.first}
      - {name: bad, description: B., call: up.first, with: {id: "{{#if x}}"}}
      - {name: also-bad, description: B., call: up.nowhere}
""")
    )
    assert reading.capability is not None
    (mcp,) = reading.capability.adapters
    assert isinstance(mcp, McpAdapter)
    assert [tool.name for tool in mcp.tools] == ["good"]
    assert only(reading, "template-syntax").consequence is Consequence.PART
    assert only(reading, "unknown-reference").consequence is Consequence.PART


def test_an_operation_with_a_template_that_cannot_be_read_takes_its_callers_out() -> None:
    reading = read(
        exposing("""
exposes:
  - type: mcp
    namespace: m
    port: 9090
    tools:
      - {name: good, description: G., call: up.first}
      - {name: bad, description: B., call: up.third}
""").replace(
            "- {name: second, method: POST}",
            '- {name: third, method: POST, body: {type: json, data: {a: "{{#x}}"}}}',
        )
    )
    assert reading.capability is not None
    (mcp,) = reading.capability.adapters
    assert isinstance(mcp, McpAdapter)
    assert [tool.name for tool in mcp.tools] == ["good"]
    assert "out of service" in only(reading, "call-out-of-service").message


YAML_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.data())
def test_no_value_anywhere_in_a_file_makes_the_reader_fail(data: st.DataObject) -> None:
    """Puts any value in the place of one in a good file: problems may come, exceptions not."""
    document = yaml.safe_load(dedent(data.draw(st.sampled_from([FULL, STEPS]))))
    holder = document
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(holder[key], dict | list) and holder[key] and data.draw(st.integers(0, 5)):
            holder = holder[key]
            continue
        holder[key] = data.draw(YAML_VALUES)
        break
    loaded = load_file(Path("file.yaml"), {}, {}, yaml.safe_dump(document).encode())
    for problem in loaded.problems:
        assert problem.message
        assert problem.place.line >= 1
