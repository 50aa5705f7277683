"""Variables in imported files: those of the importing file count, as the imported one seldom has
any."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from naftiko_runtime.failures import CallFailed
from naftiko_runtime.plan.load import LoadedFile, load_file
from naftiko_runtime.plan.operation import UpstreamRequest
from tests.loaded_calls import Given, build

UPSTREAM = """
naftiko: "1.0.0-alpha2"
consumes:
  - namespace: up
    type: http
    baseUri: "https://{{UP_HOST}}/v1"
    authentication: {type: bearer, token: "{{UP_TOKEN}}"}
    inputParameters:
      - {name: X-Version, in: header, value: "{{UP_VERSION}}"}
      - {name: X-Zone, in: header, value: "{{up-env.UP_VERSION}}"}
    resources:
      - name: things
        path: "/{{UP_VERSION}}/things"
        operations: [{name: list, method: GET}]
"""
BINDS = """
binds:
  - namespace: up-env
    keys: {UP_HOST: HOST, UP_TOKEN: TOKEN, UP_VERSION: VERSION}
"""
VARIABLES = {"HOST": "api.example.com", "TOKEN": "t-1", "VERSION": "7"}


def load(
    folder: Path, *, own: str = "", imported: str = "", location: str = "up.yaml"
) -> LoadedFile:
    (folder / "up.yaml").write_text(UPSTREAM + imported)
    document = {
        "naftiko": "1.0.0-alpha2",
        **(yaml.safe_load(own) or {}),
        "capability": {
            "consumes": [{"import": "up", "location": location}],
            "exposes": [
                {
                    "type": "mcp",
                    "namespace": "mcp",
                    "port": 9090,
                    "tools": [{"name": "list", "description": "Lists.", "call": "up.list"}],
                }
            ],
        },
    }
    path = folder / "main.yaml"
    path.write_text(yaml.safe_dump(document))
    return load_file(path, VARIABLES, {})


def request(file: LoadedFile) -> UpstreamRequest:
    assert file.plan is not None, file.problems
    plan = file.plan.mcp[0].tools[0].operation
    assert plan.inputs == ()
    return build(plan, Given({"UP_VERSION": "evil", "UP_TOKEN": "evil", "UP_HOST": "evil"}))


@pytest.mark.parametrize(("own", "imported"), [(BINDS, ""), ("", BINDS), (BINDS, BINDS)])
def test_variables_are_filled_whichever_file_declares_them(
    tmp_path: Path, own: str, imported: str
) -> None:
    file = load(tmp_path, own=own, imported=imported)
    assert file.problems == ()
    sent = request(file)
    assert sent.url == "https://api.example.com/v1/7/things"
    assert sorted(sent.headers) == [
        ("Authorization", "Bearer t-1"),
        ("X-Version", "7"),
        ("X-Zone", "7"),
    ]


def test_variables_reach_files_that_imported_files_import(tmp_path: Path) -> None:
    between = 'naftiko: "1.0.0-alpha2"\nconsumes: [{import: up, location: up.yaml}]\n'
    (tmp_path / "between.yaml").write_text(between)
    file = load(tmp_path, own=BINDS, location="between.yaml")
    assert file.problems == ()
    assert request(file).url == "https://api.example.com/v1/7/things"


def test_a_variable_of_the_importing_file_is_never_asked_of_a_caller(tmp_path: Path) -> None:
    own = BINDS.replace(", UP_VERSION: VERSION", ", UP_VERSION: NOT_SET")
    file = load(tmp_path, own=own)
    assert [problem.rule for problem in file.problems] == ["unset-variable"]
    with pytest.raises(CallFailed) as failed:
        request(file)
    assert failed.value.failure.kind.slug == "unset-variable"
