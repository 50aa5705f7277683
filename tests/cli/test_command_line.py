"""The command line as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys

import jsonschema
import pytest

from tests.serving_process import ROOT, clean_environment, run_naftiko

COMMANDS = ("serve", "validate", "stdio", "trust", "schema")
SERVERS = ("uvicorn", "starlette", "mcp", "httpx2", "watchfiles", "cryptography", "asyncio")


def imported_by(code: str) -> set[str]:
    """The modules that are loaded after some code ran in a fresh interpreter."""
    ending = "import sys; print(file=sys.stderr); print(*sys.modules, file=sys.stderr)"
    script = f"try:\n    {code}\nexcept SystemExit:\n    pass\n{ending}"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=clean_environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


def test_help_names_every_command() -> None:
    done = run_naftiko("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert f"\n    {command} " in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_an_example(command: str) -> None:
    done = run_naftiko(command, "--help")
    assert done.returncode == 0
    assert f"naftiko {command}" in done.stdout.partition("options:")[0].partition("\n\n")[2]


def test_the_version_is_printed() -> None:
    done = run_naftiko("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("naftiko ")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["no-such-command"],
        ["validate"],
        ["serve", "--no-such-option"],
        ["serve", "--port", "8080"],
        ["serve", "--port", "8080=70000"],
        ["serve", "--port", "0=8080"],
        ["serve", "--port", "eighty=80"],
        ["serve", "--port=8080=1", "--port=8080=2"],
        ["serve", "--base-uri", "https://localhost"],
        ["serve", "--base-uri", "orders=localhost:5000"],
        ["serve", "--base-uri", "orders=ftp://localhost"],
        ["serve", "--workers", "0"],
        ["serve", "--grace", "soon"],
        ["serve", "--log-format", "xml"],
        ["serve", "--workers", "2", "--port", "8080=0"],
        ["validate", "--format", "pdf", "x.yaml"],
    ],
)
def test_wrong_usage_is_explained_with_exit_code_2(arguments: list[str]) -> None:
    done = run_naftiko(*arguments)
    assert done.returncode == 2
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_help_loads_no_server() -> None:
    loaded = imported_by("from naftiko_runtime.cli import main; main(['--help'])")
    assert "naftiko_runtime.cli" in loaded
    assert not loaded & set(SERVERS)


def test_a_command_loads_no_other_command() -> None:
    loaded = imported_by("from naftiko_runtime.cli import main; main(['schema', '--help'])")
    others = {f"naftiko_runtime.cli.{name}" for name in COMMANDS} - {"naftiko_runtime.cli.schema"}
    assert "naftiko_runtime.cli.schema" in loaded
    assert not loaded & others


def test_validate_loads_no_server() -> None:
    path = ROOT / "tests" / "cli" / "minimal.yaml"
    code = f"from naftiko_runtime.cli import main; main(['validate', {str(path)!r}])"
    loaded = imported_by(code)
    assert "naftiko_runtime.plan.load" in loaded
    assert not loaded & set(SERVERS)


def test_the_package_loads_nothing_until_it_is_used() -> None:
    loaded = imported_by("import naftiko_runtime")
    assert {name for name in loaded if name.startswith("naftiko_runtime")} == {"naftiko_runtime"}


def test_schema_prints_the_schema_that_editors_need() -> None:
    done = run_naftiko("schema")
    assert done.returncode == 0
    schema = json.loads(done.stdout)
    jsonschema.Draft202012Validator.check_schema(schema)


def test_output_that_nobody_reads_is_no_error() -> None:
    command = f"{sys.executable} -m naftiko_runtime schema | head -c 1"
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        env=clean_environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
