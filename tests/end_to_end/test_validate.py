"""`naftiko validate`: every problem with its place and remedy, in three formats."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from tests.serving_process import COMMAND, clean_environment, run_naftiko

Drop = Callable[..., Path]

LINE = re.compile(r"^(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (error|warning|note): .+$")


@pytest.fixture
def faulty(drop: Drop) -> Path:
    """A file with two errors (a call of nothing, a key that nobody knows) on known lines."""
    path = drop("orders", "live")
    text = path.read_text().replace("call: orders.live", "call: orders.lvie", 1)
    path.write_text(text + "orchestration: {}\n")
    return path


def line_of(path: Path, text: str) -> int:
    lines = path.read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def test_a_good_file_passes(drop: Drop) -> None:
    done = run_naftiko("validate", drop("orders", "live"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 file: no problems\n", "")


def test_each_problem_is_a_line_with_place_severity_remedy_and_document_path(
    faulty: Path,
) -> None:
    done = run_naftiko("validate", faulty)
    assert done.returncode == 1
    *problems, summary = done.stdout.splitlines()
    assert summary == "1 file: 2 errors"
    call, key = problems
    assert call.startswith(f"{faulty}:{line_of(faulty, 'orders.lvie')}:")
    assert '"orders.lvie"' in call
    assert " - " in call
    assert "[$.capability.exposes[0].resources[0].operations[0].call]" in call
    assert key.startswith(f"{faulty}:{line_of(faulty, 'orchestration')}:1: error: ")
    assert all(LINE.match(problem) for problem in problems)


def test_warnings_alone_pass(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    (folder / "other.yaml").write_text("openapi: 3.1.0\n")
    done = run_naftiko("validate", folder)
    assert done.returncode == 0
    assert "warning: not a capability file" in done.stdout
    assert done.stdout.endswith("2 files: 1 warning\n")


def test_a_file_that_was_asked_for_must_be_a_capability(folder: Path) -> None:
    path = folder / "other.yaml"
    path.write_text("openapi: 3.1.0\n")
    done = run_naftiko("validate", path)
    assert done.returncode == 1
    assert "error: " in done.stdout


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\xff\xfe", b"naftiko: [", b"- a\n", b"naftiko: 0.0.1\n", b"naftiko: &a [*a]\n"],
)
def test_whatever_a_file_holds_is_a_problem_and_never_a_crash(folder: Path, content: bytes) -> None:
    path = folder / "broken.yaml"
    path.write_bytes(content)
    done = run_naftiko("validate", path)
    assert done.returncode == 1
    assert LINE.match(done.stdout.splitlines()[0])
    assert "Traceback" not in done.stdout + done.stderr


def test_missing_paths_and_empty_folders_are_errors(folder: Path, tmp_path: Path) -> None:
    done = run_naftiko("validate", folder, tmp_path / "absent")
    assert done.returncode == 1
    assert done.stdout.endswith("0 files: 2 errors\n")


def test_all_files_of_a_folder_are_checked_in_order(folder: Path, drop: Drop, faulty: Path) -> None:
    (folder / "a.yaml").write_text("naftiko: [")
    drop("zebra", "run")
    done = run_naftiko("validate", folder)
    files = [match["file"] for match in map(LINE.match, done.stdout.splitlines()) if match]
    assert files == [str(folder / "a.yaml"), str(faulty), str(faulty)]
    assert done.stdout.endswith("3 files: 3 errors\n")


def test_what_two_files_claim_is_reported_for_files_that_are_named_together(
    folder: Path, drop: Drop
) -> None:
    first, second = drop("orders", "live"), drop("trades", "done")
    claimed = first.read_text().replace("label: orders", "label: copy")
    second.write_text(claimed)
    alone, both = run_naftiko("validate", second), run_naftiko("validate", first, second)
    assert alone.stdout == "1 file: no problems\n"
    assert both.returncode == 0
    route, tool = both.stdout.splitlines()[:2]
    assert route.startswith(f"{second}:")
    assert f' is already served by operation "live" at {first}:' in route
    assert tool.startswith(f"{second}:")
    assert f"{first}:" in tool
    assert both.stdout.endswith("2 files: 2 warnings\n")


def test_strict_also_lists_what_goes_beyond_the_official_schema(drop: Drop) -> None:
    path = drop("orders", "live")
    relaxed, strict = run_naftiko("validate", path), run_naftiko("validate", path, "--strict")
    assert relaxed.stdout == "1 file: no problems\n"
    assert strict.returncode == 0
    assert ": note: " in strict.stdout
    assert re.search(r"1 file: \d+ notes?\n$", strict.stdout)


def test_a_variable_that_is_not_set_is_a_warning_unless_it_comes_from_a_file(
    drop: Drop, tmp_path: Path
) -> None:
    path = drop("orders", "live")
    bind = "binds:\n- namespace: env\n  keys: {KEY: KEY}\n"
    text = path.read_text().replace("capability:\n", bind + "capability:\n", 1)
    path.write_text(text.replace("path: /live\n", "path: /{{KEY}}\n"))
    done = run_naftiko("validate", path)
    assert done.returncode == 0
    assert '"KEY"' in done.stdout
    (tmp_path / ".env").write_text("KEY=1\n")
    done = run_naftiko("validate", path, "--env-file", tmp_path / ".env")
    assert done.stdout == "1 file: no problems\n"


def test_json_is_one_document_with_every_field(faulty: Path) -> None:
    done = run_naftiko("validate", faulty, "--format=json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    problems = document.pop("problems")
    assert document == {"files": 1, "errors": 2, "warnings": 0, "notes": 0}
    assert problems[0]["file"] == str(faulty)
    assert problems[0]["line"] == line_of(faulty, "orders.lvie")
    assert problems[0]["severity"] == "error"
    assert problems[0]["consequence"] == "part"
    assert problems[0]["path"] == "$.capability.exposes[0].resources[0].operations[0].call"
    assert all(problem["rule"] and problem["remedy"] for problem in problems)


SARIF = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {"type": "object", "required": ["id"]},
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message", "ruleId", "level", "locations"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"type": "object", "required": ["text"]},
                                "locations": {"type": "array", "minItems": 1, "maxItems": 1},
                            },
                        },
                    },
                },
            },
        },
    },
}
"""What the OASIS standard 2.1.0 asks of the parts that are used (sections 3.13 to 3.30)."""


def test_sarif_is_what_code_scanning_takes(faulty: Path, folder: Path) -> None:
    done = run_naftiko("validate", "capabilities", "--format=sarif", cwd=folder.parent)
    assert done.returncode == 1
    log = json.loads(done.stdout)
    jsonschema.validate(log, SARIF)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(run["results"]) == 2
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        location = result["locations"][0]["physicalLocation"]
        assert location["artifactLocation"]["uri"] == "capabilities/orders.yaml"
        assert location["region"]["startLine"] >= 1
        assert location["region"]["startColumn"] >= 1


def test_sarif_of_nothing_wrong_has_a_run_without_results(drop: Drop) -> None:
    done = run_naftiko("validate", drop("orders", "live"), "--format=sarif")
    log = json.loads(done.stdout)
    jsonschema.validate(log, SARIF)
    assert log["runs"][0]["results"] == []


def test_sarif_names_a_file_by_a_uri_reference(folder: Path) -> None:
    (folder / "a b#%.yaml").write_text("naftiko: [")
    done = run_naftiko("validate", "capabilities", "--format=sarif", cwd=folder.parent)
    (result,) = json.loads(done.stdout)["runs"][0]["results"]
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "capabilities/a%20b%23%25.yaml"


def test_o8_a_file_cannot_drive_the_terminal_of_who_validates_it(folder: Path) -> None:
    path = folder / "orders.yaml"
    path.write_text('naftiko: 1.0.0-alpha2\n"\\e[2J\\r\\nok": 1\ninfo: {label: "\\u202e"}\n')
    done = run_naftiko("validate", path)
    assert done.returncode == 1
    assert all(line.isprintable() for line in done.stdout.splitlines())
    assert not any(line.startswith("ok") for line in done.stdout.splitlines())


@pytest.mark.parametrize(("no_colour", "coloured"), [("", True), ("1", False)])
def test_colours_are_for_terminals_and_can_be_declined(
    faulty: Path, no_colour: str, coloured: bool
) -> None:
    controller, terminal = pty.openpty()
    try:
        subprocess.run(
            [*COMMAND, "validate", str(faulty)],
            env=clean_environment({"NO_COLOR": no_colour, "TERM": "xterm"}),
            stdout=terminal,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
        shown = os.read(controller, 65536)
    finally:
        os.close(controller)
        os.close(terminal)
    assert (b"\x1b[" in shown) == coloured
    assert b"error" in shown


def test_every_published_file_can_be_validated(shared: Path) -> None:
    done = run_naftiko("validate", shared / "corpus", shared / "seeds", "--format=json")
    document = json.loads(done.stdout)
    assert document["files"] > 100
    rules = {problem["rule"] for problem in document["problems"]}
    assert "internal-error" not in rules
