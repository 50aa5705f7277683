"""The shipped capability files: valid, complete, in step with each other and with the published
files of the same names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.capabilities.shipped import (
    ALL,
    COMBINED,
    FILES,
    FOLDER,
    SURFACES,
    adapters,
    consumed_operations,
    document,
    rest_operations,
    shipped,
    tools,
)
from tests.serving_process import run_naftiko

READS_BY_POST = {"getauthstatus", "previeworder", "searchcontracts"}
"""Operations that look something up although their method is POST."""

CHANGES_BY_GET = {"unsubscribeallmarketdata"}

PLACES_OR_CANCELS = {"placeorder", "answerquestion", "modifyorder", "cancelorder"}


def test_the_command_finds_nothing_to_complain_of() -> None:
    done = run_naftiko("validate", "--strict", *FILES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_folder_with_its_settings_has_no_problems() -> None:
    done = run_naftiko("validate", FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "9 files: no problems\n"


@pytest.mark.parametrize("file", [*FILES, FOLDER / "trading.yaml"], ids=lambda file: file.stem)
def test_the_settings_are_in_order_for_each_file_alone(file: Path) -> None:
    done = run_naftiko("validate", file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_use_of_an_extension_is_reported() -> None:
    """The trading API cannot be told in the specification's words alone."""
    done = run_naftiko("validate", "--strict", FOLDER / "trading.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    keys = (
        "when",
        "repeat",
        "keep",
        "optional",
        "errors",
        "cases",
        "replace",
        "defaults",
        "semantics",
    )
    for key in keys:
        assert f'"{key}" is not in the official schema' in done.stdout
    for kind in ("value", "unique", "fail", "question"):
        assert f'"type" is "{kind}", which is not allowed' in done.stdout


@pytest.mark.parametrize("name", ALL)
def test_a_file_keeps_to_the_official_schema(name: str, shared: Path) -> None:
    schema = json.loads((shared / "reference/schemas/naftiko-1.0.0-alpha2.json").read_text())
    errors = list(Draft202012Validator(schema).iter_errors(shipped(name)))
    assert [(list(error.absolute_path), error.message) for error in errors] == []


@pytest.mark.parametrize("name", ALL)
def test_a_file_serves_all_that_the_published_one_serves(name: str, shared: Path) -> None:
    published_name = f"{name}-capability" if name == COMBINED else name
    published = document(shared / f"corpus/interactive-brokers/{published_name}.yaml")
    ours = shipped(name)

    def surface(doc: dict[str, object]) -> set[tuple[object, ...]]:
        consumed = {
            (reference, operation["method"], re.sub(r"\{\{?(\w+)\}\}?", r"{\1}", resource["path"]))
            for reference, resource, operation in consumed_operations(doc)
        }
        exposed = {
            (method, path, operation["name"], operation["call"])
            for method, path, operation in rest_operations(doc)
        }
        named = {(tool["name"], tool["call"]) for tool in tools(doc)}
        ports = {
            (adapter["type"], adapter["namespace"], adapter["port"])
            for kind in ("rest", "mcp")
            for adapter in adapters(doc, kind)
        }
        return consumed | exposed | named | ports

    assert surface(published) <= surface(ours)


def test_the_combined_file_has_the_operations_of_all_surfaces() -> None:
    def operations(name: str) -> dict[str, object]:
        return {
            reference.partition(".")[2]: (resource["path"], operation)
            for reference, resource, operation in consumed_operations(shipped(name))
        }

    separate: dict[str, object] = {}
    for name in SURFACES:
        separate |= operations(name)
    assert operations(COMBINED) == separate


def test_the_combined_file_s_tools_take_and_give_what_the_separate_ones_do() -> None:
    def offers(name: str) -> dict[str, object]:
        return {
            tool["call"].partition(".")[2]: (
                tool["hints"],
                tool["label"],
                tool.get("outputParameters"),
                [
                    (parameter["name"], parameter["type"], parameter["required"])
                    for parameter in tool.get("inputParameters", [])
                ],
            )
            for tool in tools(shipped(name))
        }

    separate: dict[str, object] = {}
    for name in SURFACES:
        separate |= offers(name)
    assert offers(COMBINED) == separate


def test_all_files_can_be_served_together_without_a_clash() -> None:
    names = [tool["name"] for name in ALL for tool in tools(shipped(name))]
    routes = [
        (method, re.sub(r"\{\w+\}", "{}", path))
        for name in ALL
        for method, path, _ in rest_operations(shipped(name))
    ]
    assert len(names) == len(set(names))
    assert len(routes) == len(set(routes))


@pytest.mark.parametrize("name", ALL)
def test_every_input_and_every_tool_is_described(name: str) -> None:
    doc = shipped(name)
    described = [*tools(doc), *(operation for _, _, operation in rest_operations(doc))]
    described += [p for part in list(described) for p in part.get("inputParameters", [])]
    assert all(len(part["description"]) > 10 for part in described)


@pytest.mark.parametrize("name", ALL)
def test_hints_tell_the_truth_about_the_call(name: str) -> None:
    methods = {
        reference: operation["method"]
        for reference, _, operation in consumed_operations(shipped(name))
    }
    for tool in tools(shipped(name)):
        operation = tool["call"].partition(".")[2]
        reads = methods[tool["call"]] == "GET" or operation in READS_BY_POST
        reads = reads and operation not in CHANGES_BY_GET
        hints = tool["hints"]
        assert hints["readOnly"] is reads, operation
        assert not (hints["readOnly"] and hints["destructive"]), operation
        if operation in PLACES_OR_CANCELS:
            assert hints["destructive"] is True, operation


@pytest.mark.parametrize("name", ALL)
def test_no_tool_lets_an_agent_suppress_the_gateway_s_questions(name: str) -> None:
    assert not any("suppress" in tool["call"] for tool in tools(shipped(name)))


@pytest.mark.parametrize("name", ALL)
def test_tools_refer_to_each_other_by_names_that_exist(name: str) -> None:
    """Texts of one style of names (`place-order`) never use the other's (`placeorder`)."""
    separate = {tool["name"] for surface in SURFACES for tool in tools(shipped(surface))}
    combined = {tool["name"] for tool in tools(shipped(COMBINED))}
    foreign = separate if name == COMBINED else combined
    foreign = {word for word in foreign if word not in ("tickle", "logout")}
    doc = shipped(name)
    said = [adapters(doc, "mcp")[0]["description"]]
    for tool in tools(doc):
        said.append(tool["description"])
        said += [parameter["description"] for parameter in tool.get("inputParameters", [])]
    for text in said:
        words = set(re.findall(r"[a-zA-Z][\w-]*", text))
        assert not words & foreign, text


@pytest.mark.parametrize("name", ALL)
def test_every_path_variable_is_an_input(name: str) -> None:
    for method, path, operation in rest_operations(shipped(name)):
        declared = {p["name"] for p in operation.get("inputParameters", []) if p["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path)), (method, path)


def test_settings_for_the_other_files_are_told_of_in_one_line() -> None:
    done = run_naftiko("validate", FOLDER / "trading.yaml")
    said = [line for line in done.stdout.splitlines() if "patterns fit nothing" in line]
    assert len(said) == 1, done.stdout
    assert '"web-*"' in said[0]
    assert " fits no " not in done.stdout
