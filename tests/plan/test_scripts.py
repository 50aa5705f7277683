"""What loading makes of script steps, and what it refuses."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from naftiko_runtime.plan.load import load_file
from naftiko_runtime.plan.operation import OrchestrationPlan, ScriptStepPlan
from naftiko_runtime.problems import Consequence
from tests.script_files import any_input, document, script, scripts, write_files
from tests.sequences import LoadedSequence, call, operation

JS, PY = {"a.js": "result = 1"}, {"a.py": "result = 1"}


def plan_of(file: LoadedSequence) -> ScriptStepPlan:
    action = file.tool.action
    assert isinstance(action, OrchestrationPlan)
    step = action.steps[-1]
    assert isinstance(step, ScriptStepPlan)
    return step


def refusal(file: LoadedSequence) -> str:
    """The one thing that is wrong with the tool's script, and proof that the tool is not served."""
    assert file.file.plan is not None
    assert file.file.plan.mcp[0].tools == ()
    (problem,) = [p for p in file.errors if "tools" in p.path]
    assert problem.rule == "script"
    assert problem.consequence is Consequence.PART
    assert problem.place.file == str(file.file.path)
    assert problem.place.line > 1
    return f"{problem.path[-1]}: {problem.message} - {problem.remedy}"


# --- language -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "step", "scripting", "language"),
    [
        ("a.js", {}, None, "javascript"),
        ("a.cjs", {}, None, "javascript"),
        ("a.py", {}, None, "python"),
        ("a.PY", {}, None, "python"),
        ("a.txt", {"language": "python"}, None, "python"),
        ("a.js", {"language": "python"}, None, "python"),
        ("a.js", {}, {"defaultLanguage": "python"}, "javascript"),
        ("a", {}, {"defaultLanguage": "python"}, "python"),
    ],
)
def test_the_language_is_the_steps_or_the_suffixes_or_the_default(
    tmp_path: Path, file: str, step: dict[str, str], scripting: Any, language: str
) -> None:
    loaded = scripts(tmp_path, {file: "result = 1"}, [script(file, **step)], scripting=scripting)
    assert loaded.errors == []
    assert plan_of(loaded).language == language


def test_a_language_that_nothing_names_is_refused(tmp_path: Path) -> None:
    assert refusal(scripts(tmp_path, {"a": ""}, [script("a")])) == (
        'file: the language of "a" is not known - name it with `language`: javascript or python'
    )


@pytest.mark.parametrize("step", [script("a.groovy"), script("a.js", language="groovy")])
def test_groovy_is_refused_with_the_reason(tmp_path: Path, step: dict[str, Any]) -> None:
    said = refusal(scripts(tmp_path, {"a.groovy": "", "a.js": ""}, [step]))
    assert "Groovy needs a Java virtual machine" in said
    assert said.endswith("write the script in javascript or python")


def test_groovy_by_default_is_refused_as_well(tmp_path: Path) -> None:
    file = scripts(tmp_path, {"a": ""}, [script("a")], scripting={"defaultLanguage": "groovy"})
    assert "Groovy" in refusal(file)


@pytest.mark.parametrize(
    ("files", "module"), [(JS, "py_mini_racer"), (JS, "tree_sitter"), (PY, "pydantic_monty")]
)
def test_a_language_whose_library_is_missing_is_refused_with_what_to_install(
    tmp_path: Path, files: dict[str, str], module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "naftiko_runtime.plan.scripts.find_spec",
        lambda name: None if name == module else find(name),
    )
    said = refusal(scripts(tmp_path, files, [script(next(iter(files)))]))
    assert f'need the library "{module}"' in said
    assert said.endswith("install naftiko-runtime[script]")


# --- governance ---------------------------------------------------------------------------


def test_without_settings_a_script_has_a_minute_and_a_hundred_thousand_statements(
    tmp_path: Path,
) -> None:
    plan = plan_of(scripts(tmp_path, JS, [script("a.js")]))
    assert (plan.timeout, plan.statements) == (60.0, 100_000)


def test_the_control_adapter_sets_the_limits(tmp_path: Path) -> None:
    scripting = {"timeout": 1500, "statementLimit": 7}
    plan = plan_of(scripts(tmp_path, JS, [script("a.js")], scripting=scripting))
    assert (plan.timeout, plan.statements) == (1.5, 7)


@pytest.mark.parametrize("off", ["false", "FALSE", "0", "no", " off "])
def test_scripts_are_switched_off_by_the_environment(tmp_path: Path, off: str) -> None:
    file = scripts(tmp_path, JS, [script("a.js")], variables={"NAFTIKO_SCRIPTING": off})
    assert "scripts are switched off: the variable NAFTIKO_SCRIPTING is" in refusal(file)


@pytest.mark.parametrize("on", ["true", "1", "yes", ""])
def test_other_values_of_the_switch_leave_scripts_on(tmp_path: Path, on: str) -> None:
    file = scripts(tmp_path, JS, [script("a.js")], variables={"NAFTIKO_SCRIPTING": on})
    assert file.errors == []


def test_the_files_switch_wins_over_the_environments(tmp_path: Path) -> None:
    off = {"NAFTIKO_SCRIPTING": "false"}
    file = scripts(tmp_path, JS, [script("a.js")], variables=off, scripting={"enabled": True})
    assert file.errors == []
    file = scripts(tmp_path, JS, [script("a.js")], scripting={"enabled": False})
    assert "management.scripting.enabled is false" in refusal(file)
    file = scripts(tmp_path, JS, [script("a.js")], variables=off, scripting={"timeout": 5})
    assert "NAFTIKO_SCRIPTING" in refusal(file)


def test_only_allowed_languages_run(tmp_path: Path) -> None:
    scripting = {"allowedLanguages": ["javascript"]}
    assert scripts(tmp_path, JS, [script("a.js")], scripting=scripting).errors == []
    assert refusal(scripts(tmp_path, PY, [script("a.py")], scripting=scripting)) == (
        "language: scripts in python are not allowed here (management.scripting.allowedLanguages)"
        " - allowed: javascript"
    )
    file = scripts(tmp_path, JS, [script("a.js")], scripting={"allowedLanguages": []})
    assert refusal(file).endswith("allowed: none")


def test_the_default_folder_stands_for_a_location(tmp_path: Path) -> None:
    scripting = {"defaultLocation": "file:///./scripts"}
    assert scripts(tmp_path, JS, [script("a.js", location=None)], scripting=scripting).errors == []
    other = scripts(tmp_path, JS, [script("a.js", location="file:///./no")], scripting=scripting)
    assert "cannot be read: no such file" in refusal(other)


def test_a_folder_that_nothing_names_is_refused(tmp_path: Path) -> None:
    assert refusal(scripts(tmp_path, JS, [script("a.js", location=None)])) == (
        'file: the folder of "a.js" is not known - name it with `location`, such as '
        "file:///./scripts"
    )


# --- files --------------------------------------------------------------------------------


def test_a_location_may_be_absolute(tmp_path: Path) -> None:
    folder = tmp_path / "else where"
    folder.mkdir()
    (folder / "a.js").write_text("result = 1")
    location = f"file://{folder}/".replace(" ", "%20")
    assert scripts(tmp_path, {}, [script("a.js", location=location)]).errors == []


def test_scripts_are_read_in_the_order_in_which_they_run(tmp_path: Path) -> None:
    files = {"lib/b.js": "b = 1", "lib/c.js": "c = 1", "a.js": "result = b + c"}
    step = script("a.js", dependencies=["lib/c.js", "lib/b.js"])
    plan = plan_of(scripts(tmp_path, files, [step]))
    assert [source.name for source in plan.sources] == ["lib/c.js", "lib/b.js", "a.js"]


def test_what_a_script_was_made_of_is_followed_there_or_not(tmp_path: Path) -> None:
    step = script("a.js", dependencies=["none.js"])
    loaded = scripts(tmp_path, JS, [step])
    assert tmp_path / "scripts/none.js" in loaded.file.dependencies
    loaded = scripts(tmp_path, JS, [script("a.js")])
    assert loaded.file.dependencies == (tmp_path / "scripts/a.js",)


@pytest.mark.parametrize(
    "file",
    [
        "../a.js",
        "lib/../../a.js",
        "/etc/passwd",
        "lib//a.js",
        "./a.js",
        ".../a.js",
        "a b.js",
        "a.js\x00",
        "%2e%2e/a.js",
        "..\\a.js",
        "C:/a.js",
        "a.js/",
    ],
)
@pytest.mark.parametrize("key", ["file", "dependencies"])
def test_c2_a_name_that_could_lead_out_of_the_folder_is_refused(
    tmp_path: Path, key: str, file: str
) -> None:
    (tmp_path / "a.js").write_text("result = 'outside'")
    step = (
        script(file, language="javascript")
        if key == "file"
        else script("a.js", dependencies=[file])
    )
    said = refusal(scripts(tmp_path, JS, [step]))
    assert said.startswith(f"{key}: ")
    assert "cannot stand in its path" in said


def test_c2_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.js").write_text("result = 'outside'")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/a.js").symlink_to(tmp_path / "secret.js")
    assert "a link that leads out of the folder" in refusal(scripts(tmp_path, {}, [script("a.js")]))
    (tmp_path / "scripts/up").symlink_to(tmp_path)
    step = script("up/secret.js")
    assert "a link that leads out of the folder" in refusal(scripts(tmp_path, {}, [step]))


def test_links_inside_the_folder_are_followed(tmp_path: Path) -> None:
    """A mounted ConfigMap is made of them."""
    generation = tmp_path / "scripts/..2026_11_21"
    generation.mkdir(parents=True)
    (generation / "a.js").write_text("result = 1")
    (tmp_path / "scripts/..data").symlink_to("..2026_11_21")
    (tmp_path / "scripts/a.js").symlink_to("..data/a.js")
    assert scripts(tmp_path, {}, [script("a.js")]).errors == []


def test_c2_a_pipe_is_not_waited_for_and_a_folder_is_no_script(tmp_path: Path) -> None:
    (tmp_path / "scripts/b.js").mkdir(parents=True)
    os.mkfifo(tmp_path / "scripts/a.js")
    assert "it is no regular file" in refusal(scripts(tmp_path, {}, [script("a.js")]))
    assert "it is no regular file" in refusal(scripts(tmp_path, {}, [script("b.js")]))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"result = '\xff'", "it is not UTF-8 text"), (b" " * 1_048_577, "it is larger than 1 MiB")],
)
def test_a_file_that_is_no_text_of_that_size_is_refused(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/a.js").write_bytes(content)
    assert reason in refusal(scripts(tmp_path, {}, [script("a.js")]))


def test_a_file_that_is_not_there_is_refused_with_its_folder(tmp_path: Path) -> None:
    said = refusal(scripts(tmp_path, JS, [script("b.js")]))
    assert f'"b.js" of "{tmp_path / "scripts"}" cannot be read: no such file' in said


# --- syntax -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("a.js", "const a = 1\n\nlet b = ;", 'the script "a.js" cannot be run: line 3: not Java'),
        ("a.js", "if (a {\n}", "line 1: not JavaScript"),
        ("a.js", "x = 1\nimport fs from 'fs'", "line 2: `import` is for modules"),
        ("a.js", "export const a = 1", "line 1: `export` is for modules"),
        ("a.js", "1\n_naftiko_count = 1", 'line 2: names with "_naftiko_" belong to the runtime'),
        ("a.py", "a = 1\nb = = 2", 'the script "a.py" cannot be run: line 2: not Python'),
        ("a.py", "def f():\n    return 1\n  x = 2", "line 3: not Python"),
        ("a.py", "a = 1\n_naftiko_left = 9", 'line 2: names with "_naftiko_"'),
        ("a.py", "import json\nimport socket", "line 2: the sandbox does not run it: No module"),
        ("a.py", "def f():\n    x = 1\n    yield x", "line 3: the sandbox does not run it: "),
        ("a.py", "x = 1\nclass A(B):\n    pass", "line 2: the sandbox does not run it: "),
        ("a.py", "x = [1]\ndel x[0]", "line 2: the sandbox does not run it: "),
        ("a.py", "from math import *", "line 1: the sandbox does not run it: "),
        ("a.py", "class A:\n    @property\n    def a(self):\n        return 1", " not run it: "),
        ("a.py", "async def f(a):\n    async with a:\n        pass", " not run it: "),
        ("a.py", "import statistics", "the sandbox does not run it: No module"),
    ],
)
def test_a_script_that_cannot_be_run_is_refused_with_its_line(
    tmp_path: Path, file: str, text: str, said: str
) -> None:
    assert said in refusal(scripts(tmp_path, {file: text}, [script(file)]))


def test_a_dependency_that_cannot_be_run_is_refused_by_its_name(tmp_path: Path) -> None:
    files = {"a.js": "result = 1", "b.js": "let = = 1"}
    said = refusal(scripts(tmp_path, files, [script("a.js", dependencies=["b.js"])]))
    assert said.startswith('dependencies: the script "b.js" cannot be run: line 1')


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.js", "result = " + "[" * 20_000 + "]" * 20_000),
        ("a.js", "if (x) " * 20_000 + "y() // end"),
        ("a.js", "(" * 20_000),
        ("a.js", "`${" * 10_000),
        ("a.js", "result = " + "1 + " * 50_000 + "1"),
        ("a.py", "result = " + "1 + " * 50_000 + "1"),
        ("a.py", "result = " + "[" * 5_000 + "]" * 5_000),
        ("a.py", "result = " + "-" * 100_000 + "1"),
        ("a.py", "".join("    " * n + "if x:\n" for n in range(99)) + "    " * 99 + "y = 1"),
        ("a.py", "a = 1\0"),
        ("a.js", "a = 1\0"),
    ],
)
def test_r4_deep_and_long_scripts_are_read_or_refused(tmp_path: Path, file: str, text: str) -> None:
    loaded = scripts(tmp_path, {file: text}, [script(file)])
    assert all(problem.rule == "script" for problem in loaded.errors)


def test_nothing_of_a_script_but_its_imports_runs_when_it_is_loaded(tmp_path: Path) -> None:
    file = scripts(tmp_path, {"a.py": "while True:\n    x = 1 / 0"}, [script("a.py")])
    assert file.errors == []


# --- inputs and order ---------------------------------------------------------------------


def test_declared_inputs_are_needed_since_the_script_sees_them(tmp_path: Path) -> None:
    inputs = [any_input("a"), any_input("b", required=False)]
    file = scripts(tmp_path, JS, [script("a.js")], inputs=inputs)
    assert [(each.name, each.required) for each in file.tool.inputs] == [("a", True), ("b", False)]


def test_variables_of_the_route_are_inputs_declared_or_not(tmp_path: Path) -> None:
    text = document([script("a.js")]).replace("path: /run", "path: /run/{imo}/{leg-no}")
    write_files(tmp_path / "scripts", JS)
    (tmp_path / "run.yaml").write_text(text)
    file = LoadedSequence(load_file(tmp_path / "run.yaml", {}, {}))
    assert file.errors == []
    assert [each.name for each in file.rest.inputs] == ["imo", "leg-no"]
    assert [each.route_variable for each in file.rest.inputs] == ["imo", "leg-no"]


def test_variables_of_a_resources_uri_are_inputs(tmp_path: Path) -> None:
    resource = {
        "name": "ship",
        "label": "Ship",
        "uri": "ships://{imo}",
        "description": "A ship.",
        "steps": [script("a.js")],
        "mappings": [{"targetName": "value", "value": "$.script"}],
    }
    top = yaml.safe_load(document([script("a.js")]))
    top["capability"]["exposes"][1]["resources"] = [resource]
    write_files(tmp_path / "scripts", JS)
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(top))
    loaded = load_file(tmp_path / "run.yaml", {}, {})
    assert loaded.problems == ()
    assert loaded.plan is not None
    (planned,) = loaded.plan.mcp[0].resources
    assert planned.operation is not None
    assert [each.name for each in planned.operation.inputs] == ["imo"]


def test_what_with_refers_to_is_an_input(tmp_path: Path) -> None:
    step = script("a.js") | {"with": {"x": "{{order}}", "y": "run-mcp.limit"}}
    file = scripts(tmp_path, JS, [step])
    assert [each.name for each in file.tool.inputs] == ["order", "limit"]


def test_a_script_waits_for_all_steps_before_it_and_later_ones_wait_for_it(tmp_path: Path) -> None:
    file = scripts(
        tmp_path,
        JS,
        [call("one"), call("two"), script("a.js"), call("three", "two")],
        operations=[operation("one"), operation("two")],
    )
    action = file.tool.action
    assert isinstance(action, OrchestrationPlan)
    waits = [step.flow.waits for step in action.steps]
    assert waits == [frozenset(), frozenset(), {0, 1}, {2}]
