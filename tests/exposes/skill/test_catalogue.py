"""The catalogue of skills over real sockets."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.exposes.skill.skill_files import (
    MCP,
    REST,
    fill_folder,
    from_tool,
    instruction,
    skill,
    skill_adapter,
    write_capability,
)
from tests.served_files import ServedFiles, served

LOCATED = {"location": "file:///./skills/ops"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files: dict[str, str | bytes] = {
        "SKILL.md": "# Ops\n",
        "instructions/dock.md": "Dock the ship.\n",
        "data/ports.csv": "name\nOslo\n",
        "page.html": "<script>alert(1)</script>",
        "blob.bin": bytes(range(256)),
    }
    return fill_folder(tmp_path / "skills" / "ops", files)


def ask(files: ServedFiles, target: str, method: str = "GET") -> tuple[int, Any]:
    answered = files.call(method, target, port=8081)
    return answered.status, answered.json() if answered.body else None


def test_the_catalogue_names_skills_and_their_tools(tmp_path: Path) -> None:
    adapter = skill_adapter(
        skill("fleet", from_tool("list", "ships-rest", "list-ships"), license="MIT"),
        skill("alone"),
    )
    with served(write_capability(tmp_path, REST, MCP, adapter)) as files:
        assert ask(files, "/skills") == (
            200,
            {
                "count": 2,
                "skills": [
                    {
                        "name": "fleet",
                        "description": "How to fleet.",
                        "license": "MIT",
                        "tools": ["list"],
                    },
                    {"name": "alone", "description": "How to alone.", "tools": []},
                ],
            },
        )


def test_a_skill_says_how_each_tool_is_called_or_where_it_is_explained(
    tmp_path: Path, folder: Path
) -> None:
    fields = {
        "compatibility": "any agent",
        "allowed-tools": "list get",
        "argument-hint": "[ship]",
        "user-invocable": False,
        "disable-model-invocation": True,
        "metadata": {"author": "ops"},
    }
    tools = (
        from_tool("list", "ships-rest", "list-ships"),
        from_tool("get", "ships-mcp", "get-ship"),
        instruction("dock", "instructions/dock.md"),
    )
    adapter = skill_adapter(skill("ops", *tools, **LOCATED, **fields))
    with served(write_capability(tmp_path, REST, MCP, adapter)) as files:
        status, document = ask(files, "/skills/ops")
    assert status == 200
    assert document == {
        "name": "ops",
        "description": "How to ops.",
        **fields,
        "tools": [
            {
                "name": "list",
                "description": "Does list.",
                "type": "derived",
                "invocationRef": {
                    "targetNamespace": "ships-rest",
                    "action": "list-ships",
                    "mode": "rest",
                },
            },
            {
                "name": "get",
                "description": "Does get.",
                "type": "derived",
                "invocationRef": {
                    "targetNamespace": "ships-mcp",
                    "action": "get-ship",
                    "mode": "mcp",
                },
            },
            {
                "name": "dock",
                "description": "Tells of dock.",
                "type": "instruction",
                "instruction": "instructions/dock.md",
            },
        ],
    }


def test_the_files_of_a_skill_are_listed_and_served_as_they_are(
    tmp_path: Path, folder: Path
) -> None:
    with served(write_capability(tmp_path, skill_adapter(skill(**LOCATED)))) as files:
        status, listing = ask(files, "/skills/ops/contents")
        assert status == 200
        assert listing == {
            "name": "ops",
            "files": [
                {"path": "SKILL.md", "size": 6, "type": "text/markdown"},
                {"path": "blob.bin", "size": 256, "type": "application/octet-stream"},
                {"path": "data/ports.csv", "size": 10, "type": "text/csv"},
                {"path": "instructions/dock.md", "size": 15, "type": "text/markdown"},
                {"path": "page.html", "size": 25, "type": "text/html"},
            ],
        }
        for entry in listing["files"]:
            answered = files.call("GET", f"/skills/ops/contents/{entry['path']}", port=8081)
            assert answered.status == 200
            assert answered.body == (folder / entry["path"]).read_bytes()
            assert answered.header("content-type") == entry["type"]
            assert answered.header("content-length") == str(entry["size"])


def test_a_page_of_a_skill_cannot_act_on_this_origin(tmp_path: Path, folder: Path) -> None:
    with served(write_capability(tmp_path, skill_adapter(skill(**LOCATED)))) as files:
        answered = files.call("GET", "/skills/ops/contents/page.html", port=8081)
    assert answered.header("x-content-type-options") == "nosniff"
    assert answered.header("content-security-policy") == "default-src 'none'; sandbox"


def test_a_file_that_comes_later_is_served_without_a_reload(tmp_path: Path, folder: Path) -> None:
    with served(write_capability(tmp_path, skill_adapter(skill(**LOCATED)))) as files:
        assert ask(files, "/skills/ops/contents/new.md")[0] == 404
        (folder / "new.md").write_text("new")
        assert files.call("GET", "/skills/ops/contents/new.md", port=8081).body == b"new"


def test_the_archive_holds_every_listed_file_and_is_the_same_each_time(
    tmp_path: Path, folder: Path
) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("hidden")
    (folder / "leads-out.md").symlink_to(folder.parent / "canary.md")
    with served(write_capability(tmp_path, skill_adapter(skill(**LOCATED)))) as files:
        first = files.call("GET", "/skills/ops/download", port=8081)
        for path in folder.rglob("*.md"):
            if not path.is_symlink():
                os.utime(path, (1, 1))
        second = files.call("GET", "/skills/ops/download", port=8081)
    assert first.status == 200
    assert first.header("content-type") == "application/zip"
    assert first.header("content-disposition") == 'attachment; filename="ops.zip"'
    assert hashlib.sha256(first.body).digest() == hashlib.sha256(second.body).digest()
    with zipfile.ZipFile(io.BytesIO(first.body)) as archive:
        assert archive.testzip() is None
        names = ["SKILL.md", "blob.bin", "data/ports.csv", "instructions/dock.md", "page.html"]
        assert archive.namelist() == names
        for name in names:
            assert archive.read(name) == (folder / name).read_bytes()


def test_more_than_an_archive_may_hold_is_refused(tmp_path: Path, folder: Path) -> None:
    for number in range(5):
        with (folder / f"large-{number}.bin").open("wb") as file:
            file.truncate(8 * 1024 * 1024)
    with served(write_capability(tmp_path, skill_adapter(skill(**LOCATED)))) as files:
        status, problem = ask(files, "/skills/ops/download")
    assert status == 500
    assert problem["type"] == "urn:naftiko:problem:content-too-large"
    assert "/skills/ops/contents" in problem["detail"]


@pytest.mark.parametrize("path", ["", "/contents", "/contents/SKILL.md", "/download"])
def test_what_is_not_there_is_a_problem_document(tmp_path: Path, path: str) -> None:
    adapter = skill_adapter(skill("bare"))
    with served(write_capability(tmp_path, adapter)) as files:
        answered = files.call("GET", f"/skills/bear{path}", port=8081)
        assert answered.status == 404
        assert answered.header("content-type") == "application/problem+json"
        assert 'did you mean "bare"?' in answered.json()["detail"]
        if path:
            assert ask(files, f"/skills/bare{path}")[0] == 404
        assert ask(files, "/nothing")[0] == 404


@pytest.mark.parametrize(
    "path", ["", "/ops", "/ops/contents", "/ops/contents/SKILL.md", "/ops/download"]
)
def test_head_answers_as_get_without_a_body_and_other_methods_not_at_all(
    tmp_path: Path, folder: Path, path: str
) -> None:
    with served(write_capability(tmp_path, skill_adapter(skill(**LOCATED)))) as files:
        target = f"/skills{path}"
        got = files.call("GET", target, port=8081)
        head = files.call("HEAD", target, port=8081)
        assert (head.status, head.body) == (200, b"")
        assert head.header("content-length") == got.header("content-length")
        for method in ("POST", "PUT", "DELETE"):
            refused = files.call(method, target, port=8081)
            assert refused.status == 405
            assert refused.header("allow") == "GET, HEAD, OPTIONS"
        assert files.call("OPTIONS", target, port=8081).status == 204


def test_a_request_under_another_name_is_refused(tmp_path: Path, folder: Path) -> None:
    with served(write_capability(tmp_path, skill_adapter(skill(**LOCATED)))) as files:
        for headers in ({"host": "evil.example"}, {"origin": "http://evil.example"}):
            answered = files.call("GET", "/skills", None, headers, port=8081)
            assert answered.status == 403


def test_skills_share_a_port_with_operations_that_leave_their_paths_alone(tmp_path: Path) -> None:
    adapter = skill_adapter(skill(), port=8080)
    with served(write_capability(tmp_path, REST, adapter)) as files:
        assert files.get("/skills").json()["count"] == 1
        assert files.get("/skills/ops").status == 200
        assert files.get("/ships").status == 502
        assert files.get("/openapi.json").status == 200
        assert files.errors == []


def test_a_variable_gives_way_to_the_skills_as_it_does_to_any_exact_path(tmp_path: Path) -> None:
    operation = {"method": "GET", "name": "mine", "call": "up.list"}
    rest = {**REST, "resources": [{"path": "/{any}", "operations": [operation]}]}
    with served(write_capability(tmp_path, rest, skill_adapter(skill(), port=8080))) as files:
        assert files.get("/skills").json()["count"] == 1
        assert files.get("/else").status == 502
        assert files.errors == []


@pytest.mark.parametrize("path", ["/skills", "/skills/{name}", "/skills/ops/anything"])
def test_operations_keep_their_paths_and_the_skills_are_named_as_left_out(
    tmp_path: Path, path: str
) -> None:
    operation = {"method": "GET", "name": "mine", "call": "up.list"}
    rest = {**REST, "resources": [{"path": path, "operations": [operation]}]}
    with served(write_capability(tmp_path, rest, skill_adapter(skill(), port=8080))) as files:
        assert files.get(path.replace("{name}", "x")).status == 502
        (problem,) = files.errors
    assert problem.rule == "path-taken"
    assert f'"GET {path}" of operation "mine"' in problem.message


def test_one_name_of_two_files_on_one_port_stays_with_the_first(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = write_capability(tmp_path / "a", skill_adapter(skill("ops"), skill("mine")))
    second = write_capability(
        tmp_path / "b", skill_adapter(skill("ops", description="Another."), skill("yours"))
    )
    with served(first, second) as files:
        status, document = ask(files, "/skills")
        assert status == 200
        assert [s["name"] for s in document["skills"]] == ["ops", "mine", "yours"]
        assert document["skills"][0]["description"] == "How to ops."
        taken = [problem for problem in files.problems if problem.rule == "skill-taken"]
    assert len(taken) == 1
    assert taken[0].place.file == str(second)


def test_a_guarded_catalogue_answers_nothing_without_its_token(
    tmp_path: Path, folder: Path
) -> None:
    asked: dict[str, Any] = {"authentication": {"type": "bearer", "token": "{{SKILL_TOKEN}}"}}
    binds = [{"namespace": "env", "keys": {"SKILL_TOKEN": "SKILL_TOKEN"}}]
    path = write_capability(tmp_path, skill_adapter(skill(**LOCATED), **asked), binds=binds)
    with served(path, variables={"SKILL_TOKEN": "right"}) as files:
        for target in ("/skills", "/skills/ops", "/skills/ops/contents/SKILL.md", "/else"):
            for headers in ({}, {"authorization": "Bearer wrong"}):
                refused = files.call("GET", target, None, headers, port=8081)
                assert refused.status == 401
                assert (refused.header("www-authenticate") or "").startswith("Bearer")
        right = {"authorization": "Bearer right"}
        assert files.call("GET", "/skills/ops", None, right, port=8081).status == 200
        assert files.call("GET", "/else", None, right, port=8081).status == 404


def test_on_a_shared_port_each_caller_sees_the_skills_that_he_may(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"authentication": {"type": "bearer", "token": "{{SKILL_TOKEN}}"}}
    binds = [{"namespace": "env", "keys": {"SKILL_TOKEN": "SKILL_TOKEN"}}]
    closed = skill_adapter(skill("closed"), **asked)
    opened = skill_adapter(skill("opened")) | {"namespace": "open-skills"}
    path = write_capability(tmp_path, closed, opened, binds=binds)
    with served(path, variables={"SKILL_TOKEN": "right"}) as files:
        _, document = ask(files, "/skills")
        assert [each["name"] for each in document["skills"]] == ["opened"]
        assert ask(files, "/skills/opened")[0] == 200
        assert ask(files, "/skills/closed")[0] == 401
        right = {"authorization": "Bearer right"}
        everything = files.call("GET", "/skills", None, right, port=8081).json()
        assert [each["name"] for each in everything["skills"]] == ["closed", "opened"]
