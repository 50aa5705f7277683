"""What a schema cannot say: names that exist, variables that are bound, and hints for the rest."""

from __future__ import annotations

import pytest

from naftiko_runtime.document.capability_reader import CapabilityReading
from naftiko_runtime.document.model import McpAdapter, RestAdapter
from naftiko_runtime.problems import Consequence, Severity, format_path
from tests.document.reading import only, read

FILE = """
naftiko: 1.0.0-alpha2
{root}
capability:
  consumes:
    - type: http
      namespace: web-orders
      baseUri: https://api.example.com
      resources:
        - name: orders
          path: /orders/{{account}}
          operations:
            - name: getliveorders
              method: GET
              inputParameters: [{{name: filters, in: query, type: string}}]
            - name: cancelorder
              method: DELETE
              inputParameters: {parameters}
  exposes:
    - type: rest
      namespace: orders-rest
      port: 8080
      resources:
        - path: {route}
          operations:
            - {{method: GET, name: list, call: web-orders.getliveorders}}
            - {operation}
    - type: mcp
      namespace: orders-mcp
      port: 9090
      tools:
        - {{name: list, description: Lists., call: web-orders.getliveorders}}
        - {tool}
{more}
"""


def reading(
    operation: str = "{method: DELETE, name: cancel, call: web-orders.cancelorder}",
    tool: str = "{name: cancel, description: Cancels., call: web-orders.cancelorder}",
    parameters: str = "[{name: account, in: path, type: string}]",
    route: str = "/orders/{account}",
    root: str = "",
    more: str = "",
) -> CapabilityReading:
    return read(
        FILE.format(
            operation=operation, tool=tool, parameters=parameters, route=route, root=root, more=more
        )
    )


def served(found: CapabilityReading) -> tuple[list[str], list[str]]:
    """The names of the operations and of the tools that are left."""
    assert found.capability is not None
    rest, mcp, *_ = found.capability.adapters
    assert isinstance(rest, RestAdapter)
    assert isinstance(mcp, McpAdapter)
    return [operation.name for operation in rest.operations], [tool.name for tool in mcp.tools]


def test_a_sound_file_has_no_problems() -> None:
    found = reading()
    assert [str(problem) for problem in found.problems] == []
    assert served(found) == (["list", "cancel"], ["list", "cancel"])


@pytest.mark.parametrize(
    ("call", "remedy"),
    [
        ("web-orders.getorders", 'did you mean "web-orders.getliveorders"?'),
        ("web-order.cancelorder", 'did you mean "web-orders.cancelorder"?'),
        ("elsewhere.zzz", "known: web-orders.cancelorder, web-orders.getliveorders"),
    ],
)
def test_a_call_of_an_operation_that_does_not_exist_takes_its_tool_out_only(
    call: str, remedy: str
) -> None:
    found = reading(tool=f"{{name: cancel, description: Cancels., call: {call}}}")
    problem = only(found, "unknown-reference")
    assert problem.message == f'"{call}" names no operation'
    assert problem.remedy == remedy
    assert problem.consequence is Consequence.PART
    assert format_path(problem.path) == "$.capability.exposes[1].tools[1].call"
    assert served(found) == (["list", "cancel"], ["list"])


@pytest.mark.parametrize(
    ("method", "safe", "refused"),
    [
        ("POST", True, False),
        ("POST", False, False),
        ("GET", True, False),
        ("GET", False, True),
        ("PUT", True, True),
        ("PATCH", True, True),
        ("DELETE", True, True),
        ("DELETE", False, False),
    ],
)
def test_semantics_cannot_deny_what_a_method_means(method: str, safe: bool, refused: bool) -> None:
    """The operation of the file that is called with DELETE, with another method and `semantics`."""
    text = FILE.format(
        operation="{method: DELETE, name: cancel, call: web-orders.cancelorder}",
        tool="{name: cancel, description: Cancels., call: web-orders.cancelorder}",
        parameters="[{name: account, in: path, type: string}]",
        route="/orders/{account}",
        root="",
        more="",
    )
    declared = f"method: {method}\n              semantics: {{safe: {str(safe).lower()}}}\n"
    found = read(text.replace("method: DELETE\n", declared, 1))
    problems = [problem for problem in found.problems if problem.rule == "method-semantics"]
    assert len(problems) == refused
    names = ["list"] if refused else ["list", "cancel"]
    assert served(found) == (names, names)


def test_the_place_of_a_wrong_call_is_its_own() -> None:
    found = reading(operation="{method: DELETE, name: cancel, call: web-orders.nope}")
    problem = only(found, "unknown-reference")
    text = FILE.format(
        operation="{method: DELETE, name: cancel, call: web-orders.nope}",
        tool="",
        parameters="",
        route="",
        root="",
        more="",
    )
    line = text.splitlines()[problem.place.line - 1]
    assert line[problem.place.column - 1 :].startswith("web-orders.nope")


def test_an_argument_that_the_operation_does_not_read_is_named_and_passed_over() -> None:
    found = reading(
        tool="{name: cancel, description: C., call: web-orders.getliveorders, "
        "with: {filter: tools.f, account: tools.a}}"
    )
    problem = only(found, "unknown-argument")
    assert problem.message == '"web-orders.getliveorders" reads no "filter"'
    assert problem.remedy.startswith('did you mean "filters"?')
    assert problem.consequence is Consequence.NOTHING
    assert served(found) == (["list", "cancel"], ["list", "cancel"])


@pytest.mark.parametrize("name", ["account", "ACCOUNT", "acc-ount", "filters", "Filters"])
def test_an_argument_may_be_spelt_otherwise(name: str) -> None:
    found = reading(
        tool=f"{{name: cancel, description: C., call: web-orders.getliveorders, "
        f"with: {{{name}: tools.x}}}}"
    )
    assert found.problems == ()


def test_the_body_of_an_operation_that_leaves_it_open_is_an_argument() -> None:
    found = reading(
        tool="{name: cancel, description: C., call: web-orders.cancelorder, "
        "with: {body: tools.body}}"
    )
    assert found.problems == ()


def test_a_path_parameter_without_a_place_in_the_path_is_a_warning() -> None:
    found = reading(parameters="[{name: order, in: path, type: string}]")
    problem = only(found, "path-variable")
    assert problem.severity is Severity.WARNING
    assert '"/orders/{account}" has no place for "order"' in problem.message
    assert served(found) == (["list", "cancel"], ["list", "cancel"])


def test_a_declared_path_input_without_a_variable_in_the_route_is_a_warning() -> None:
    found = reading(
        operation="{method: DELETE, name: cancel, call: web-orders.cancelorder, inputParameters: "
        "[{name: order, in: path, type: string, description: The order.}]}"
    )
    problem = only(found, "path-variable")
    assert problem.severity is Severity.WARNING
    assert '"/orders/{account}" has no variable "order"' in problem.message


def test_a_variable_that_is_twice_in_a_route_takes_its_operations_out() -> None:
    found = reading(route="/{account}/orders/{account}")
    rules = {problem.rule for problem in found.problems}
    assert rules == {"duplicate-variable"}
    assert served(found) == ([], ["list", "cancel"])


def test_variables_of_a_route_that_are_only_alike_are_two() -> None:
    assert reading(route="/{account}/orders/{Account}").problems == ()


def test_an_operation_of_a_name_that_is_taken_is_an_error_and_the_first_is_kept() -> None:
    found = read(
        FILE.format(
            operation="{method: DELETE, name: cancel, call: web-orders.cancelorder}",
            tool="{name: cancel, description: C., call: web-orders.cancelorder}",
            parameters="[]",
            route="/orders/{account}",
            root="",
            more="",
        ).replace("name: cancelorder", "name: getliveorders")
    )
    problem = only(found, "duplicate-operation")
    assert problem.severity is Severity.ERROR
    assert '"getliveorders" names a second operation of "web-orders"' in problem.message


def test_two_adapters_of_one_namespace_are_an_error_and_both_are_served() -> None:
    more = """
    - type: mcp
      namespace: orders-mcp
      port: 9191
      tools: [{name: list, description: Lists., call: web-orders.getliveorders}]
"""
    found = reading(more=more)
    problem = only(found, "duplicate-namespace")
    assert '"orders-mcp" is also the namespace of the adapter at line' in problem.message
    assert found.capability is not None
    assert len(found.capability.adapters) == 3


@pytest.mark.parametrize(
    ("steps", "rule", "said"),
    [
        (
            "[{type: call, name: a, call: web-orders.nope}]",
            "unknown-reference",
            '"web-orders.nope" names no operation',
        ),
        (
            "[{type: lookup, name: a, index: b, match: k, lookupValue: x, outputParameters: [k]}]",
            "unknown-reference",
            '"b" names no earlier step',
        ),
        (
            "[{type: call, name: a, call: web-orders.getliveorders}, "
            "{type: call, name: a, call: web-orders.getliveorders}]",
            "duplicate-step",
            '"a" is also the step at line',
        ),
        (
            "[{type: lookup, name: a, index: b, match: k, lookupValue: x, outputParameters: [k]}, "
            "{type: call, name: b, call: web-orders.getliveorders}]",
            "unknown-reference",
            '"b" names no earlier step',
        ),
    ],
)
def test_a_wrong_step_takes_its_tool_out(steps: str, rule: str, said: str) -> None:
    found = reading(tool=f"{{name: cancel, description: C., steps: {steps}}}")
    assert said in only(found, rule).message
    assert served(found) == (["list", "cancel"], ["list"])


def test_a_reference_to_a_function_that_does_not_exist_takes_its_tool_out() -> None:
    found = reading(tool="{name: cancel, ref: shared.cancel}")
    assert only(found, "unknown-reference").message == '"shared.cancel" names no function'
    assert only(found, "unknown-reference").remedy == "the file has no function at all"
    assert served(found) == (["list", "cancel"], ["list"])


def test_a_forward_to_an_unknown_upstream_is_an_error() -> None:
    more = """
    - type: rest
      namespace: forward-rest
      port: 8181
      resources:
        - {path: "/all/{path}", forward: {targetNamespace: web-order, trustedHeaders: [X-A]}}
"""
    problem = only(reading(more=more), "unknown-reference")
    assert problem.message == '"web-order" names no namespace'
    assert problem.remedy == 'did you mean "web-orders"?'


def test_all_problems_of_a_file_are_reported_at_once() -> None:
    found = reading(
        operation="{method: DELETE, name: cancel, call: web-orders.nope}",
        tool="{name: cancel, description: C., call: nowhere.nope, with: {x: '{{#y}}'}}",
        parameters="[{name: order, in: path, type: string}]",
    )
    rules = sorted(problem.rule for problem in found.problems)
    assert rules == ["path-variable", "template-syntax", "unknown-reference", "unknown-reference"]
