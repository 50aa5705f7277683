"""The project's schema against the official one and against published files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing
import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from naftiko_runtime.document.schema_check import check_schema
from naftiko_runtime.document.yaml_reader import YamlDocument, read_yaml
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.problems import (
    Consequence,
    DocumentPath,
    Problem,
    Severity,
    format_path,
)
from tests.conformance.official_documents import Grammar
from tests.conftest import SHARED
from tests.document.mutated_documents import EVERY_CONSTRUCT, mutated

# The whole of what is at fault in the published files, by file: where, and what is left out.
FAULTY_PARTS = {
    "cloudflare/cloudflare-agent-onboarding.yaml": {
        "$.info.related": Consequence.NOTHING,
        "$.capability.consumes[1].type": Consequence.PART,
        "$.capability.orchestration": Consequence.NOTHING,
        "$.capability.exposes[2].type": Consequence.PART,
    },
    "snowflake/cortex-ai.yaml": {
        "$.capability.exposes[3]": Consequence.PART,
        "$.capability.exposes[3].tools": Consequence.NOTHING,
    },
    "snowflake/data-management.yaml": {
        "$.capability.exposes[3]": Consequence.PART,
        **{
            f"$.capability.exposes[3].skills[0].tools[{tool}]{key}": consequence
            for tool in range(5)
            for key, consequence in {
                "": Consequence.PART,
                ".call": Consequence.NOTHING,
                ".hints": Consequence.NOTHING,
                ".inputParameters": Consequence.NOTHING,
                ".outputParameters": Consequence.NOTHING,
            }.items()
        },
    },
}
OTHER_VERSION = ("amazon-cognito/user-", "amazon-cognito/shared/")
"""What the files that name another alpha start with."""


def corpus_files() -> list[Path]:
    return sorted((SHARED / "corpus").rglob("*.yaml"))


def seed_files() -> list[Path]:
    return sorted((SHARED / "seeds").glob("*[-y]*.yaml"))


def tutorial_files() -> list[Path]:
    return sorted((SHARED / "reference" / "tutorial").rglob("*.y*ml"))


def read(path: Path) -> YamlDocument:
    document, problems = read_yaml(path.read_bytes(), path.name)
    assert problems == []
    assert document is not None
    return document


@pytest.fixture(scope="module")
def official(shared: Path) -> jsonschema.Draft202012Validator:
    path = shared / "reference" / "schemas" / "naftiko-1.0.0-alpha2.json"
    return jsonschema.Draft202012Validator(
        json.loads(path.read_text()), registry=referencing.Registry()
    )


def is_official(document: YamlDocument) -> bool:
    """Whether `validate --strict` has nothing to say, holes of the official schema apart."""
    problems = check_schema(document, strict=True)
    return not [p for p in problems if not _in_hole(p.path, document.value)]


def _in_hole(path: DocumentPath, value: JsonValue) -> bool:
    """Whether a path leads into outputs that the official schema leaves unchecked.

    It takes any list for `outputParameters` beside `ref` and beside a resource's `location`; here
    they are output parameters there too.
    """
    for step in path:
        if step == "outputParameters" and isinstance(value, dict):
            return ("ref" in value or "location" in value) and path[-1] != step
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step]
    return False


@pytest.mark.parametrize("path", corpus_files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_published_file_has_no_fault_but_the_known_ones(path: Path) -> None:
    name = path.relative_to(SHARED / "corpus").as_posix()
    problems = check_schema(read(path))
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    assert {format_path(p.path): p.consequence for p in errors} == FAULTY_PARTS.get(name, {})
    warnings = [problem.rule for problem in problems if problem.severity is Severity.WARNING]
    assert warnings == (["other-version"] if name.startswith(OTHER_VERSION) else [])


def test_the_users_files_have_no_fault(shared: Path) -> None:
    names = ["interactive-brokers-capability.yaml", "web-orders.yaml", "web-sessions.yaml"]
    assert [check_schema(read(shared / "seeds" / name)) for name in names] == [[], [], []]


def test_an_openapi_file_is_told_for_what_it_is(shared: Path) -> None:
    (problem,) = check_schema(read(shared / "seeds" / "client-portal-openapi.yaml"), strict=True)
    assert problem.rule == "not-a-capability"
    assert "OpenAPI" in problem.message


@pytest.mark.parametrize("path", tutorial_files(), ids=lambda path: path.stem)
def test_a_tutorial_file_is_official(path: Path) -> None:
    problems = check_schema(read(path), strict=True)
    if path.name == "secrets.yaml":
        assert [problem.rule for problem in problems] == ["not-a-capability"]
    else:
        assert problems == []


@pytest.mark.parametrize(
    "path", [*corpus_files(), *seed_files(), *tutorial_files()], ids=lambda path: path.stem
)
def test_strict_agrees_with_the_official_schema(
    path: Path, official: jsonschema.Draft202012Validator
) -> None:
    document = read(path)
    assert is_official(document) == official.is_valid(document.value)


def documents() -> Iterator[Any]:
    """Documents to mutate: the tutorial, what it leaves out, and small published files."""
    loader = yaml.SafeLoader
    for path in tutorial_files():
        if path.stat().st_size < 9_000 and path.name != "secrets.yaml":
            yield yaml.load(path.read_text(), loader)
    for path in [*corpus_files(), *seed_files()]:
        if path.stat().st_size < 2_600:
            yield yaml.load(path.read_text(), loader)


@given(st.data())
def test_strict_agrees_with_the_official_schema_on_mutated_documents(
    official: jsonschema.Draft202012Validator, originals: list[Any], data: st.DataObject
) -> None:
    value = data.draw(mutated(originals))
    document = YamlDocument("a.yaml", value, {}, {})
    assert is_official(document) == official.is_valid(value)


@given(st.data())
def test_what_is_official_has_no_problem_at_all(
    official: jsonschema.Draft202012Validator, originals: list[Any], data: st.DataObject
) -> None:
    value = data.draw(mutated(originals))
    document = YamlDocument("a.yaml", value, {}, {})
    problems: list[Problem] = check_schema(document)
    if official.is_valid(value):
        assert [p for p in problems if not _in_hole(p.path, value)] == []


@pytest.fixture(scope="module")
def originals(shared: Path) -> list[Any]:
    return [*documents(), EVERY_CONSTRUCT]


def test_a_document_of_every_construct_is_official(
    official: jsonschema.Draft202012Validator,
) -> None:
    assert official.is_valid(EVERY_CONSTRUCT)
    assert check_schema(YamlDocument("a.yaml", EVERY_CONSTRUCT, {}, {}), strict=True) == []


@st.composite
def generated(draw: st.DrawFn, grammar: Grammar) -> Any:
    return grammar.document(draw)


@given(st.data())
@settings(suppress_health_check=list(HealthCheck))
def test_the_schemas_agree_on_documents_made_of_the_official_one(
    official: jsonschema.Draft202012Validator, data: st.DataObject
) -> None:
    schema = official.schema
    assert isinstance(schema, dict)
    value = data.draw(generated(Grammar(schema)))
    document = YamlDocument("a.yaml", value, {}, {})
    accepted = official.is_valid(value)
    event("accepted" if accepted else "refused")
    assert is_official(document) == accepted
    if accepted:
        assert [p for p in check_schema(document) if not _in_hole(p.path, value)] == []
