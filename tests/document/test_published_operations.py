"""Consumed operations as published files write them: a parameter without a place, and a path that
stands at the operation."""

from __future__ import annotations

import pytest

from naftiko_runtime.document.capability_reader import CapabilityReading
from naftiko_runtime.document.model import ConsumedOperation, McpAdapter, ParameterPlace
from naftiko_runtime.problems import Consequence, Severity
from tests.document.reading import only, read

FILE = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
    - type: http
      namespace: tabs
      baseUri: https://api.example.com
      resources:
        - name: tab
          {path}
          operations:
            - name: act
              method: {method}
              inputParameters: {parameters}
              {more}
  exposes:
    - type: mcp
      namespace: tabs-mcp
      port: 9090
      tools:
        - {{name: act, description: Acts., call: tabs.act}}
"""


def reading(
    path: str = "path: /tabs/{tab}", method: str = "GET", parameters: str = "[]", more: str = ""
) -> CapabilityReading:
    return read(FILE.format(path=path, method=method, parameters=parameters, more=more))


def act(found: CapabilityReading) -> ConsumedOperation:
    assert found.capability is not None
    return found.capability.consumes["tabs"].operations["act"]


def tools(found: CapabilityReading) -> list[str]:
    assert found.capability is not None
    (adapter,) = found.capability.adapters
    assert isinstance(adapter, McpAdapter)
    return [tool.name for tool in adapter.tools]


@pytest.mark.parametrize(
    ("method", "name", "place"),
    [
        ("GET", "tab", ParameterPlace.PATH),
        ("POST", "tab", ParameterPlace.PATH),
        ("POST", "Tab", ParameterPlace.PATH),
        ("GET", "depth", ParameterPlace.QUERY),
        ("delete", "depth", ParameterPlace.QUERY),
        ("POST", "depth", ParameterPlace.QUERY),
    ],
)
def test_a_parameter_without_a_place_gets_the_one_that_path_and_method_leave(
    method: str, name: str, place: ParameterPlace
) -> None:
    found = reading(method=method, parameters=f"[{{name: {name}, type: string, required: true}}]")
    (parameter,) = act(found).parameters
    assert parameter.location is place
    assert tools(found) == ["act"]


@pytest.mark.parametrize("method", ["POST", "PUT", "patch"])
@pytest.mark.parametrize(
    "parameters",
    ["[{name: side, type: string}, {name: size, type: integer}]", "[{name: order, type: object}]"],
)
def test_what_can_be_a_body_goes_into_the_body_of_a_request_that_has_one(
    method: str, parameters: str
) -> None:
    found = reading(method=method, parameters=parameters)
    assert {p.location for p in act(found).parameters} == {ParameterPlace.BODY}


@pytest.mark.parametrize("more", ["", "body: {type: json, data: {title: '{{title}}'}}"])
def test_a_parameter_without_a_place_leaves_a_body_that_is_declared_alone(more: str) -> None:
    whole = "" if more else ", {name: order, in: body, type: object}"
    found = reading(method="POST", parameters=f"[{{name: depth}}{whole}]", more=more)
    assert act(found).parameters[0].location is ParameterPlace.QUERY


def test_a_parameter_without_a_place_is_told_with_the_place_that_it_got() -> None:
    found = reading(parameters="[{name: depth}]")
    problem = only(found, "assumed-place")
    assert (problem.severity, problem.consequence) == (Severity.WARNING, Consequence.NOTHING)
    assert problem.message == 'parameter "depth" has no "in" and is read as "in: query"'
    assert problem.remedy == "write it, or another place"
    assert problem.place.line == 14


def test_a_parameter_of_a_resource_without_a_place_follows_each_operation() -> None:
    path = "path: /tabs/{tab}\n          inputParameters: [{name: tab}, {name: side}]"
    found = reading(path=path, method="POST", parameters="[{name: size}]")
    places = {parameter.name: parameter.location for parameter in act(found).parameters}
    body = ParameterPlace.BODY
    assert places == {"tab": ParameterPlace.PATH, "side": body, "size": body}


def test_a_resource_without_a_path_leaves_it_to_its_operations() -> None:
    found = reading(path="description: One tab.", more="path: /tabs/{tab}/close")
    assert act(found).url_path.source == "/tabs/{tab}/close"
    assert tools(found) == ["act"]
    assert found.problems == ()


def test_the_path_of_an_operation_yields_to_that_of_its_resource() -> None:
    found = reading(more="path: /close")
    assert act(found).url_path.source == "/tabs/{tab}"
    assert tools(found) == ["act"]
    problem = only(found, "operation-path")
    assert (problem.severity, problem.consequence) == (Severity.ERROR, Consequence.NOTHING)
    assert problem.message == (
        'the path "/close" of operation "act" is passed over: its resource has "/tabs/{tab}"'
    )
    assert "resource of its own" in problem.remedy
    assert problem.place.line == 15


def test_an_operation_path_that_repeats_that_of_its_resource_is_no_problem() -> None:
    assert reading(more="path: /tabs/{tab}").problems == ()


def test_an_operation_that_has_no_path_at_all_is_out_of_service() -> None:
    found = reading(path="description: One tab.")
    problem = only(found, "missing-key")
    assert problem.message == 'operation "act" has no "path"'
    assert problem.consequence is Consequence.PART
    assert tools(found) == []
