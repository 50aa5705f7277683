"""What loading says of resources and prompts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from naftiko_runtime.plan.operation import McpAdapterPlan
from naftiko_runtime.problems import Consequence, Problem, Severity
from tests.exposes.mcp.files import a_file, load, write

ORDER = {"name": "get-order", "path": "/orders/{order_id}"}
PLACE = {
    "name": "place-order",
    "path": "/orders",
    "method": "POST",
    "inputParameters": [{"name": "side", "in": "query", "type": "string", "required": True}],
}


def loaded(folder: Path, **parts: Any) -> tuple[McpAdapterPlan, tuple[Problem, ...]]:
    file = load(write(folder, operations=[ORDER, PLACE], **parts))
    assert file.plan is not None
    return file.plan.mcp[0], file.problems


def refused(folder: Path, resource: dict[str, Any]) -> Problem:
    """The one problem of a resource that is left out, with the tool of its adapter served."""
    adapter, (problem,) = loaded(folder, resources=[resource])
    assert adapter.resources == ()
    assert len(adapter.tools) == 1
    assert (problem.severity, problem.consequence) == (Severity.ERROR, Consequence.PART)
    assert problem.path[:4] == ("capability", "exposes", 0, "resources")
    return problem


def warned(folder: Path, resource: dict[str, Any]) -> Problem:
    adapter, (problem,) = loaded(folder, resources=[resource])
    assert len(adapter.resources) == 1
    assert (problem.severity, problem.consequence) == (Severity.WARNING, Consequence.NOTHING)
    return problem


@pytest.mark.parametrize("uri", ["guide", "docs://{+path}", "docs://{a}{b}", "docs://two words"])
def test_a_uri_that_cannot_be_read_is_refused_at_its_place(tmp_path: Path, uri: str) -> None:
    problem = refused(tmp_path, a_file(uri=uri, location="file:///./docs"))
    assert (problem.rule, problem.path[-1]) == ("resource-uri", "uri")
    assert f'"{uri}"' in problem.message


def test_files_cannot_be_found_by_variables(tmp_path: Path) -> None:
    problem = refused(tmp_path, a_file(uri="docs://{name}", location="file:///./docs"))
    assert problem.rule == "resource-uri"
    assert "variables" in problem.message


def test_what_a_call_needs_and_no_uri_gives_is_refused(tmp_path: Path) -> None:
    problem = refused(tmp_path, a_file("order", "orders://latest", call="up.get-order"))
    assert problem.rule == "resource-input"
    assert '"order_id"' in problem.message
    assert "with" in problem.remedy


def test_a_value_under_with_is_as_good_as_a_variable(tmp_path: Path) -> None:
    fixed = {"with": {"order_id": "7"}}
    resource = a_file("order", "orders://latest", call="up.get-order", **fixed)
    adapter, problems = loaded(tmp_path, resources=[resource])
    assert len(adapter.resources) == 1
    assert problems == ()


def test_a_variable_that_differs_in_case_and_dashes_is_the_calls_input(tmp_path: Path) -> None:
    resource = a_file("order", "orders://{Order-ID}", call="up.get-order")
    adapter, problems = loaded(tmp_path, resources=[resource])
    assert len(adapter.resources) == 1
    assert problems == ()


def test_a_variable_that_nothing_reads_is_warned_of(tmp_path: Path) -> None:
    resource = a_file("order", "orders://{order_id}/{colour}", call="up.get-order")
    problem = warned(tmp_path, resource)
    assert problem.rule == "unused-variable"
    assert '"colour"' in problem.message


def test_reading_that_may_change_something_is_warned_of(tmp_path: Path) -> None:
    """Clients read resources on their own account, as tools are not called."""
    problem = warned(tmp_path, a_file("place", "orders://new/{side}", call="up.place-order"))
    assert problem.rule == "resource-method"
    assert 'calls "up.place-order" with POST' in problem.message


def test_a_call_to_nothing_takes_the_resource_out_of_service(tmp_path: Path) -> None:
    problem = refused(tmp_path, a_file("order", "orders://{id}", call="up.get-ordr"))
    assert '"up.get-ordr"' in problem.message
    assert "get-order" in problem.remedy


def test_a_prompt_argument_that_is_declared_twice_is_warned_of(tmp_path: Path) -> None:
    argument = {"name": "a", "description": "A."}
    prompt = {
        "name": "p",
        "label": "P",
        "description": "P.",
        "arguments": [argument, argument],
        "template": [{"role": "user", "content": "{{a}}"}],
    }
    adapter, (problem,) = loaded(tmp_path, prompts=[prompt])
    assert [each.name for each in adapter.prompts[0].arguments] == ["a"]
    assert (problem.rule, problem.severity) == ("duplicate-argument", Severity.WARNING)


def test_locations_are_beside_the_file_whatever_the_working_directory_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happens to lie in the working directory was never meant to be served."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "docs").mkdir(parents=True)
    monkeypatch.chdir(elsewhere)
    adapter, (problem,) = loaded(tmp_path, resources=[a_file(location="file:///./docs")])
    assert adapter.resources[0].source == tmp_path / "docs"
    assert problem.rule == "location-missing"
