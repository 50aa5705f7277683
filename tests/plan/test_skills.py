"""Where the tools of skills come from, as files are loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from naftiko_runtime.plan.adapters import SkillPlan, ToolMode, ToolSource
from naftiko_runtime.plan.load import LoadedFile, load_file
from naftiko_runtime.problems import Consequence, Problem, Severity
from tests.exposes.skill.skill_files import (
    MCP,
    REST,
    capability_text,
    from_tool,
    instruction,
    skill,
    skill_adapter,
)


def load(*adapters: Mapping[str, Any], folder: Path = Path()) -> LoadedFile:
    return load_file(folder / "ships.yaml", {}, {}, capability_text(*adapters).encode())


def only_skill(loaded: LoadedFile) -> SkillPlan:
    assert loaded.plan is not None
    ((planned,),) = [adapter.skills for adapter in loaded.plan.skills]
    return planned


def only_problem(loaded: LoadedFile) -> Problem:
    (problem,) = loaded.problems
    return problem


def test_a_tool_stands_for_an_operation_or_a_tool_of_the_file() -> None:
    tools = (
        from_tool("one", "ships-rest", "list-ships"),
        from_tool("two", "ships-mcp", "get-ship"),
    )
    loaded = load(REST, MCP, skill_adapter(skill("ops", *tools)))
    assert loaded.problems == ()
    assert [tool.source for tool in only_skill(loaded).tools] == [
        ToolSource("ships-rest", "list-ships", ToolMode.REST),
        ToolSource("ships-mcp", "get-ship", ToolMode.MCP),
    ]


def test_adapters_may_come_after_the_skills_that_name_them() -> None:
    adapter = skill_adapter(skill("ops", from_tool("one", "ships-rest", "list-ships")))
    assert load(adapter, REST).problems == ()


@pytest.mark.parametrize(
    ("namespace", "action", "message", "remedy"),
    [
        (
            "ship-rest",
            "list-ships",
            '"ship-rest" names no rest or mcp adapter of this file',
            'did you mean "ships-rest"?',
        ),
        ("up", "list", '"up" names no rest or mcp adapter of this file', "known: ships-rest"),
        (
            "ops-skills",
            "ops",
            '"ops-skills" names no rest or mcp adapter of this file',
            "known: ships-rest",
        ),
        (
            "ships-rest",
            "list-ship",
            '"list-ship" names no operation or tool of "ships-rest"',
            'did you mean "list-ships"?',
        ),
    ],
)
def test_a_tool_from_nowhere_is_named_and_left_out_alone(
    namespace: str, action: str, message: str, remedy: str
) -> None:
    tools = (from_tool("bad", namespace, action), from_tool("good", "ships-rest", "list-ships"))
    loaded = load(REST, skill_adapter(skill("ops", *tools)))
    problem = only_problem(loaded)
    assert (problem.rule, problem.message) == ("unknown-reference", message)
    assert problem.remedy == remedy
    assert (problem.severity, problem.consequence) == (Severity.ERROR, Consequence.PART)
    assert problem.path[-2:-1] == ("from",)
    assert [tool.name for tool in only_skill(loaded).tools] == ["good"]


def test_a_tool_goes_by_the_name_that_its_action_inherits_from_a_function() -> None:
    operation = {"method": "GET", "ref": "fleet.list-all"}
    rest = {**REST, "resources": [{"path": "/ships", "operations": [operation]}]}
    function = {"name": "list-all", "description": "All.", "call": "up.list"}
    aggregate = {"label": "Fleet", "namespace": "fleet", "functions": [function]}
    text = capability_text(
        rest, skill_adapter(skill("ops", from_tool("one", "ships-rest", "list-all")))
    ).replace("  exposes:", f"  aggregates: [{aggregate}]\n  exposes:")
    loaded = load_file(Path("ships.yaml"), {}, {}, text.encode())
    assert loaded.problems == ()
    assert only_skill(loaded).tools[0].source == ToolSource("ships-rest", "list-all", ToolMode.REST)


def test_a_tool_whose_action_is_out_of_service_is_out_of_service_too() -> None:
    operation = {"method": "GET", "name": "broken", "call": "up.nothing"}
    rest = {**REST, "resources": [{"path": "/ships", "operations": [operation]}]}
    loaded = load(rest, skill_adapter(skill("ops", from_tool("one", "ships-rest", "broken"))))
    rules = {problem.rule: problem.message for problem in loaded.problems}
    assert rules.keys() == {"unknown-reference", "call-out-of-service"}
    assert rules["call-out-of-service"] == (
        '"broken" of "ships-rest" is out of service, so "one" is as well'
    )
    assert only_skill(loaded).tools == ()


def test_an_instruction_needs_the_folder_of_the_skill() -> None:
    problem = only_problem(load(skill_adapter(skill("ops", instruction("how", "HOW.md")))))
    assert problem.rule == "skill-location"
    assert problem.path[-1] == "instruction"
    assert "file:///" in problem.remedy


def test_a_folder_or_file_that_is_not_there_yet_is_named_and_waited_for(tmp_path: Path) -> None:
    located = skill("ops", instruction("how", "HOW.md"), location="file:///./skills/ops")
    loaded = load(skill_adapter(located), folder=tmp_path)
    assert [problem.rule for problem in loaded.problems] == ["skill-location"] * 2
    assert {problem.consequence for problem in loaded.problems} == {Consequence.NOTHING}
    assert only_skill(loaded).folder == tmp_path / "skills/ops"
    assert [tool.name for tool in only_skill(loaded).tools] == ["how"]


def test_second_skills_and_tools_of_one_name_are_left_out() -> None:
    tools = [from_tool("one", "ships-rest", "list-ships")] * 2
    loaded = load(REST, skill_adapter(skill("ops", *tools), skill("ops", license="MIT")))
    assert [problem.rule for problem in loaded.problems] == ["duplicate-tool", "duplicate-skill"]
    assert len(only_skill(loaded).tools) == 1
    assert only_skill(loaded).fields == {}


def test_a_location_is_relative_to_the_file_that_names_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happens to lie in the working directory was never meant to be served."""
    (tmp_path / "elsewhere" / "skills").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "elsewhere")
    located = skill("ops", location="file:///./skills")
    problem = only_problem(load(skill_adapter(located), folder=tmp_path))
    assert problem.rule == "skill-location"
    assert f'there is no folder "{tmp_path / "skills"}"' in problem.message
