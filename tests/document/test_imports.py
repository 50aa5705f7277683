"""Consumed APIs that come from other files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from naftiko_runtime.document.capability_reader import CapabilityReading, read_capability
from naftiko_runtime.document.model import McpAdapter
from naftiko_runtime.plan.load import load_file
from naftiko_runtime.problems import Consequence
from tests.document.reading import only
from tests.loaded_calls import Given, build

SHARED = """
naftiko: 1.0.0-alpha2
binds:
  - namespace: shared
    keys: {TOKEN: SHARED_TOKEN}
consumes:
  - type: http
    namespace: gateway
    baseUri: https://api.example.com
    authentication: {type: bearer, token: "{{TOKEN}}"}
    resources:
      - name: ping
        path: /ping
        operations: [{name: ping, method: GET}]
"""


def importing(location: str, alias: str | None = "gw", binds: str = "") -> str:
    name = alias or "gateway"
    renamed = "" if alias is None else f", as: {alias}"
    return f"""
naftiko: 1.0.0-alpha2
{binds}
capability:
  consumes:
    - {{import: gateway, location: "{location}"{renamed}}}
  exposes:
    - type: mcp
      namespace: m
      port: 9090
      tools:
        - {{name: ping, description: Pings., call: {name}.ping}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "gateway.yaml").write_text(SHARED)
    return tmp_path


def read(folder: Path, text: str) -> CapabilityReading:
    (folder / "main.yaml").write_text(text)
    return read_capability(folder / "main.yaml")


def tools(reading: CapabilityReading) -> list[str]:
    assert reading.capability is not None
    (mcp,) = reading.capability.adapters
    assert isinstance(mcp, McpAdapter)
    return [tool.name for tool in mcp.tools]


@pytest.mark.parametrize(
    "location",
    ["shared/gateway.yaml", "./shared/gateway.yaml", "file:///./shared/gateway.yaml"],
)
@pytest.mark.parametrize("alias", ["gw", None])
def test_an_upstream_is_imported_relative_to_the_importing_file(
    folder: Path, location: str, alias: str | None
) -> None:
    reading = read(folder, importing(location, alias))
    assert [str(problem) for problem in reading.problems] == []
    assert tools(reading) == ["ping"]
    assert reading.capability is not None
    (consumes,) = reading.capability.consumes.values()
    assert consumes.namespace == (alias or "gateway")
    assert consumes.operations["ping"].reference == f"{alias or 'gateway'}.ping"
    assert reading.dependencies == (folder / "shared" / "gateway.yaml",)


def test_an_absolute_path_works(folder: Path) -> None:
    assert tools(read(folder, importing(str(folder / "shared/gateway.yaml")))) == ["ping"]
    assert tools(read(folder, importing(f"file://{folder}/shared/gateway.yaml"))) == ["ping"]


def test_the_variables_of_the_imported_file_come_along(folder: Path) -> None:
    (folder / "main.yaml").write_text(importing("shared/gateway.yaml"))
    loaded = load_file(folder / "main.yaml", {"SHARED_TOKEN": "t"}, {})
    assert loaded.problems == ()
    assert loaded.plan is not None
    request = build(loaded.plan.mcp[0].tools[0].operation, Given({}))
    assert request.url == "https://api.example.com/ping"
    assert request.headers == [("Authorization", "Bearer t")]


def test_the_importing_files_own_variable_wins(folder: Path) -> None:
    binds = "binds: [{namespace: mine, keys: {TOKEN: MY_TOKEN}}]"
    (folder / "main.yaml").write_text(importing("shared/gateway.yaml", binds=binds))
    loaded = load_file(folder / "main.yaml", {"SHARED_TOKEN": "theirs", "MY_TOKEN": "mine"}, {})
    assert loaded.plan is not None
    request = build(loaded.plan.mcp[0].tools[0].operation, Given({}))
    assert request.headers == [("Authorization", "Bearer mine")]


def test_a_file_of_variables_is_relative_to_the_file_that_names_it(folder: Path) -> None:
    text = SHARED.replace(
        "namespace: shared\n", "namespace: shared\n    location: file:///./k.yaml\n"
    )
    (folder / "shared" / "gateway.yaml").write_text(text)
    (folder / "shared" / "k.yaml").write_text("SHARED_TOKEN: from-beside-the-import\n")
    (folder / "main.yaml").write_text(importing("shared/gateway.yaml"))
    loaded = load_file(folder / "main.yaml", {}, {})
    assert loaded.plan is not None
    request = build(loaded.plan.mcp[0].tools[0].operation, Given({}))
    assert request.headers == [("Authorization", "Bearer from-beside-the-import")]
    assert set(loaded.dependencies) == {
        folder / "shared" / "gateway.yaml",
        folder / "shared" / "k.yaml",
    }


def test_imports_lead_on_through_further_files(folder: Path) -> None:
    (folder / "middle.yaml").write_text(
        "naftiko: 1.0.0-alpha2\n"
        "consumes: [{import: gateway, location: shared/gateway.yaml, as: middle}]\n"
    )
    text = importing("middle.yaml").replace("import: gateway", "import: middle")
    reading = read(folder, text)
    assert [str(problem) for problem in reading.problems] == []
    assert tools(reading) == ["ping"]
    assert set(reading.dependencies) == {folder / "middle.yaml", folder / "shared" / "gateway.yaml"}


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("none.yaml", "there is no such file"),
        ("shared", "there is no such file"),
        ("https://example.com/gateway.yaml", "https locations are not read"),
        ("ftp://example.com/gateway.yaml", "ftp locations are not read"),
        ("file:///etc/passwd", "cannot import"),
        ("/dev/zero", "there is no such file"),
    ],
)
def test_c4_what_is_no_capability_file_is_not_imported(
    folder: Path, location: str, said: str
) -> None:
    reading = read(folder, importing(location))
    problem = only(reading, "import")
    assert said in problem.message
    assert problem.consequence is Consequence.PART
    assert tools(reading) == []
    assert "root:" not in str(reading.problems)


def test_c2_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")
    assert "there is no such file" in only(read(folder, importing("pipe.yaml")), "import").message


def test_a_name_that_the_other_file_lacks_is_an_error_that_lists_what_it_has(folder: Path) -> None:
    text = importing("shared/gateway.yaml").replace("import: gateway", "import: gatewy")
    problem = only(read(folder, text), "import")
    assert 'consumes no "gatewy" (it has "gateway")' in problem.message


def test_files_that_import_each_other_are_refused(folder: Path) -> None:
    (folder / "other.yaml").write_text(
        "naftiko: 1.0.0-alpha2\nconsumes: [{import: gateway, location: main.yaml}]\n"
    )
    reading = read(folder, importing("other.yaml"))
    assert reading.capability is not None
    assert tools(reading) == []
    assert any(problem.rule == "import" for problem in reading.problems)


def test_a_file_does_not_import_itself(folder: Path) -> None:
    problem = only(read(folder, importing("main.yaml")), "import")
    assert "the files import each other: main.yaml -> main.yaml" in problem.message


def test_a_file_with_an_error_is_not_imported_and_its_place_is_named(folder: Path) -> None:
    (folder / "shared" / "gateway.yaml").write_text("naftiko: [\n")
    problem = only(read(folder, importing("shared/gateway.yaml")), "import")
    assert "gateway.yaml:" in problem.message
