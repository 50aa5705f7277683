"""No path that a caller makes up leaves a skill's folder."""

from __future__ import annotations

import http.client
import os
import socket
import string
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exposes.skill.skill_files import (
    CANARY,
    fill_folder,
    instruction,
    skill,
    skill_adapter,
    write_capability,
)
from tests.served_files import SECONDS, ServedFiles, served

INSIDE = {"SKILL.md": "inside", "sub/deep/file.txt": "deep inside", "sub/.hidden": CANARY}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("hostile")
    folder = fill_folder(made / "skills" / "ops", INSIDE)
    (folder / ".env").write_text(CANARY)
    (folder / "out.md").symlink_to(folder.parent / "canary.md")
    (folder / "absolute.md").symlink_to("/etc/passwd")
    (folder / "up").symlink_to(folder.parent)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "inner.md").symlink_to(folder / "SKILL.md")
    (folder / "dangling.md").symlink_to(folder / "nothing")
    os.mkfifo(folder / "pipe")
    return made


@pytest.fixture(scope="module")
def files(root: Path) -> Iterator[ServedFiles]:
    located = skill(location="file:///./skills/ops")
    with served(write_capability(root, skill_adapter(located))) as running:
        yield running


def raw(files: ServedFiles, target: bytes) -> tuple[int, bytes]:
    """The answer to a request target sent as it is: no client tidies it up."""
    with socket.create_connection(("127.0.0.1", files.port(8081)), SECONDS) as connection:
        head = b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        connection.sendall(head)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, response.read()


@pytest.mark.parametrize(
    "path",
    [
        "../canary.md",
        "../../skills/canary.md",
        "sub/../../canary.md",
        "sub/../SKILL.md",
        "./SKILL.md",
        "//SKILL.md",
        "sub//deep/file.txt",
        "%2e%2e/canary.md",
        "%2e%2e%2fcanary.md",
        "..%2fcanary.md",
        "..%5ccanary.md",
        "..\\canary.md",
        "%252e%252e%252fcanary.md",
        "..%c0%afcanary.md",
        "%c0%ae%c0%ae/canary.md",
        "..;/canary.md",
        "SKILL.md%00.txt",
        "%00",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "file:%2f%2f%2fetc%2fpasswd",
        "C:%5cwindows%5cwin.ini",
        "~/.ssh/id_rsa",
        "out.md",
        "absolute.md",
        "up/canary.md",
        "loop",
        "dangling.md",
        "pipe",
        ".env",
        "sub/.hidden",
        "sub",
        "sub/",
        "SKILL.md/",
        "SKILL.md/x",
        "%ff",
        "%",
        "%zz",
        "a" * 300,
        "%e2%80%a6",
        "\u2025/canary.md".encode().decode("latin-1"),
    ],
)
def test_a_path_that_is_no_file_of_the_skill_is_refused(files: ServedFiles, path: str) -> None:
    status, body = raw(files, b"/skills/ops/contents/" + path.encode("latin-1"))
    assert status in (400, 404)
    assert CANARY.encode() not in body
    assert b"root:" not in body
    assert b"Traceback" not in body


@pytest.mark.parametrize("path", ["SKILL.md", "%53KILL.md", "inner.md", "sub/deep/file.txt"])
def test_a_file_inside_is_served_however_its_name_is_encoded(files: ServedFiles, path: str) -> None:
    status, body = raw(files, f"/skills/ops/contents/{path}".encode())
    assert (status, body) == (200, INSIDE.get(path, "inside").encode())


names = [name.encode() for name in "sub deep up out.md canary.md SKILL.md skills ops".split()]
names += [b"..", b".", b""]
segments = st.one_of(
    st.sampled_from(names),
    st.text(string.ascii_letters + "./\\%;~\0 \u2025", max_size=6).map(str.encode),
    st.binary(max_size=4),
)


@given(st.lists(segments, min_size=1, max_size=6), st.sampled_from(["/", "//", "/%2e%2e/", "\\"]))
def test_no_path_at_all_leads_out(files: ServedFiles, path: list[bytes], between: str) -> None:
    """Each segment is sent percent-encoded, what is between them as it is."""
    encoded = between.join(quote(part, safe=".") for part in path)
    status, body = raw(files, b"/skills/ops/contents/" + encoded.encode("ascii"))
    assert CANARY.encode() not in body
    assert b"root:" not in body
    if status == 200:
        assert body in (b"inside", b"deep inside") or b'"files"' in body
    else:
        assert status in (400, 404)


def test_the_listing_and_the_archive_hold_what_is_inside_alone(files: ServedFiles) -> None:
    listing = files.call("GET", "/skills/ops/contents", port=8081).json()
    assert [each["path"] for each in listing["files"]] == [
        "SKILL.md",
        "inner.md",
        "sub/deep/file.txt",
    ]
    archive = files.call("GET", "/skills/ops/download", port=8081).body
    assert CANARY.encode() not in archive


@pytest.mark.parametrize("name", ["..", "%2e%2e", "ops%2fcontents", "ops%00", "%ff"])
def test_a_name_that_is_no_skill_leads_nowhere(files: ServedFiles, name: str) -> None:
    for rest in ("", "/contents", "/contents/SKILL.md", "/download"):
        status, body = raw(files, f"/skills/{name}{rest}".encode())
        assert status in (400, 404)
        assert CANARY.encode() not in body


@pytest.mark.parametrize("path", ["../canary.md", "/etc/passwd", "sub/../../canary.md", "out.md"])
def test_an_instruction_outside_the_folder_takes_its_tool_out_of_service(
    root: Path, path: str
) -> None:
    tools = (instruction("bad", path), instruction("good", "SKILL.md"))
    located = skill("ops", *tools, location="file:///./skills/ops")
    with served(write_capability(root, skill_adapter(located))) as files:
        listed = files.call("GET", "/skills/ops", port=8081).json()
        (problem,) = files.errors
    assert [tool["name"] for tool in listed["tools"]] == ["good"]
    assert problem.rule == "skill-location"
    assert f'"{path}"' in problem.message
