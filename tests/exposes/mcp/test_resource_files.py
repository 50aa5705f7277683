"""Files as resources: what is listed, what is read, and what never is."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import MCPError
from mcp_types import BlobResourceContents, TextResourceContents

from naftiko_runtime.exposes.folder import LARGEST_FILE
from naftiko_runtime.problems import Consequence, Severity
from tests.exposes.mcp.files import a_file, load, offering, table_of, write
from tests.exposes.mcp.listener import ERAS

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n\x00\x00"
FOLDER = a_file(location="file:///./docs")


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A folder beside the capability file, and something beside it that nobody may read."""
    folder = tmp_path / "docs"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "b.md").write_text("# B\né")
    (folder / "a.json").write_text('{"a": 1}')
    (folder / "deep" / "er" / "logo.png").write_bytes(PNG)
    (folder / "LICENSE").write_text("Do what you like.")
    (tmp_path / "secret.txt").write_text("hunter2")
    return folder


@asynccontextmanager
async def reader(path: Path, era: str) -> AsyncIterator[Any]:
    async with offering(path) as listener, listener.client(era) as client:
        yield client


async def refusal(client: Any, uri: str) -> MCPError:
    with pytest.raises(MCPError) as caught:
        await client.read_resource(uri)
    assert "hunter2" not in str(caught.value)
    error: MCPError = caught.value
    return error


@pytest.mark.parametrize("era", ERAS)
async def test_a_folder_is_listed_file_by_file_in_order(docs: Path, era: str) -> None:
    async with reader(write(docs.parent, resources=[FOLDER]), era) as client:
        listed = (await client.list_resources()).resources
        templates = (await client.list_resource_templates()).resource_templates
    assert [(each.uri, each.mime_type, each.size) for each in listed] == [
        ("docs://guide/LICENSE", None, 17),
        ("docs://guide/a.json", "application/json", 8),
        ("docs://guide/b.md", "text/markdown", 6),
        ("docs://guide/deep/er/logo.png", "image/png", 10),
    ]
    assert (listed[2].name, listed[2].title) == ("guide/b.md", "Guide: b.md")
    assert listed[2].description == "The guide."
    assert templates == []


@pytest.mark.parametrize("era", ERAS)
async def test_text_comes_as_text_and_bytes_as_a_blob(docs: Path, era: str) -> None:
    async with reader(write(docs.parent, resources=[FOLDER]), era) as client:
        (text,) = (await client.read_resource("docs://guide/b.md")).contents
        (blob,) = (await client.read_resource("docs://guide/deep/er/logo.png")).contents
        (plain,) = (await client.read_resource("docs://guide/LICENSE")).contents
    assert text == TextResourceContents(
        uri="docs://guide/b.md", mime_type="text/markdown", text="# B\né"
    )
    assert isinstance(blob, BlobResourceContents)
    assert (blob.mime_type, blob.blob) == ("image/png", "iVBORw0KGgoAAA==")
    assert (plain.mime_type, plain.text) == ("text/plain", "Do what you like.")


async def test_a_file_is_read_anew_each_time_and_a_new_one_is_found(docs: Path) -> None:
    async with reader(write(docs.parent, resources=[FOLDER]), ERAS[1]) as client:
        await client.read_resource("docs://guide/b.md")
        (docs / "b.md").write_text("changed")
        (docs / "new.txt").write_text("new")
        (docs / "a.json").unlink()
        (changed,) = (await client.read_resource("docs://guide/b.md")).contents
        (new,) = (await client.read_resource("docs://guide/new.txt")).contents
        listed = [each.uri for each in (await client.list_resources()).resources]
        await refusal(client, "docs://guide/a.json")
    assert (changed.text, new.text) == ("changed", "new")
    assert "docs://guide/new.txt" in listed
    assert "docs://guide/a.json" not in listed


@pytest.mark.parametrize("era", ERAS)
async def test_one_file_is_listed_and_read_under_its_own_uri(docs: Path, era: str) -> None:
    resource = a_file(uri="docs://licence", location="file:///./docs/LICENSE")
    async with reader(write(docs.parent, resources=[resource]), era) as client:
        (listed,) = (await client.list_resources()).resources
        (content,) = (await client.read_resource("docs://licence")).contents
        await refusal(client, "docs://licence/LICENSE")
        await refusal(client, "docs://licence/")
    assert (listed.uri, listed.name, listed.title) == ("docs://licence", "guide", "Guide")
    assert content.text == "Do what you like."


async def test_the_media_type_of_the_file_wins(docs: Path) -> None:
    path = write(docs.parent, resources=[FOLDER | {"mimeType": "text/x-own"}])
    async with reader(path, ERAS[1]) as client:
        types = {each.mime_type for each in (await client.list_resources()).resources}
        (content,) = (await client.read_resource("docs://guide/b.md")).contents
    assert types == {"text/x-own"}
    assert content.mime_type == "text/x-own"


async def test_an_absolute_location_and_a_uri_of_a_scheme_alone_are_fine(docs: Path) -> None:
    path = write(docs.parent, resources=[a_file(uri="docs://", location=f"file://{docs}")])
    async with reader(path, ERAS[1]) as client:
        assert (await client.list_resources()).resources[1].uri == "docs://a.json"
        (content,) = (await client.read_resource("docs://a.json")).contents
    assert content.text == '{"a": 1}'


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "deep/../../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "..\\secret.txt",
        "/etc/passwd",
        "/",
        "",
        "b.md%00",
        "b.md\x00.png",
        "b.md/",
        "deep//er/logo.png",
        "./b.md",
        "deep/./er/logo.png",
        "deep",
        "deep/er",
        "b.md/../../secret.txt",
        "~/secret.txt",
        "b.md?x=1",
        "b.md#x",
        "\uff0e\uff0e/secret.txt",
        "%252e%252e/secret.txt",
        "a" * 5000,
    ],
)
@pytest.mark.parametrize("era", ERAS)
async def test_A1_no_path_leaves_the_folder_or_means_something_twice(
    docs: Path, path: str, era: str
) -> None:
    async with reader(write(docs.parent, resources=[FOLDER]), era) as client:
        error = await refusal(client, f"docs://guide/{path}")
    assert error.code == -32602


@pytest.mark.parametrize("uri", ["docs://guidebook/b.md", "docs://guide", "file:///etc/passwd", ""])
async def test_what_no_resource_has_is_named(docs: Path, uri: str) -> None:
    async with reader(write(docs.parent, resources=[FOLDER]), ERAS[1]) as client:
        error = await refusal(client, uri)
    assert error.code == -32602
    assert error.data["uri"] == uri


async def test_C2_links_that_lead_out_are_neither_listed_nor_read(docs: Path) -> None:
    (docs / "out.txt").symlink_to(docs.parent / "secret.txt")
    (docs / "etc").symlink_to("/etc")
    (docs / "up").symlink_to("..")
    (docs / "gone.txt").symlink_to("nowhere")
    (docs / "loop.txt").symlink_to("loop.txt")
    path = write(docs.parent, resources=[FOLDER])
    async with reader(path, ERAS[1]) as client:
        listed = [each.uri for each in (await client.list_resources()).resources]
        for name in ("out.txt", "etc/passwd", "up/secret.txt", "gone.txt", "loop.txt"):
            assert f"docs://guide/{name}" not in listed
            await refusal(client, f"docs://guide/{name}")
    _, problems = table_of(path)
    assert {problem.rule for problem in problems} == {"file-not-served"}
    assert {problem.consequence for problem in problems} == {Consequence.NOTHING}
    told = " ".join(problem.message for problem in problems)
    assert all(f'"{name}"' in told for name in ("out.txt", "etc", "up", "gone.txt", "loop.txt"))


async def test_links_that_stay_inside_are_listed_and_read(docs: Path) -> None:
    (docs / "latest.md").symlink_to("b.md")
    async with reader(write(docs.parent, resources=[FOLDER]), ERAS[1]) as client:
        listed = [each.uri for each in (await client.list_resources()).resources]
        (content,) = (await client.read_resource("docs://guide/latest.md")).contents
    assert "docs://guide/latest.md" in listed
    assert content.text == "# B\né"


async def test_a_folder_that_is_a_link_itself_is_served(docs: Path) -> None:
    """As Kubernetes mounts folders: files are links into a hidden folder that is exchanged."""
    mounted = docs.parent / "mounted"
    (mounted / "..data-1").mkdir(parents=True)
    (mounted / "..data-1" / "x.txt").write_text("one")
    (mounted / "..data").symlink_to("..data-1")
    (mounted / "x.txt").symlink_to("..data/x.txt")
    (docs.parent / "link").symlink_to("mounted")
    path = write(docs.parent, resources=[a_file(location="file:///./link")])
    async with reader(path, ERAS[1]) as client:
        assert [r.uri for r in (await client.list_resources()).resources] == ["docs://guide/x.txt"]
        (content,) = (await client.read_resource("docs://guide/x.txt")).contents
    assert content.text == "one"


async def test_hostile_names_and_special_files_are_left_out_and_told_of(docs: Path) -> None:
    (docs / "two words.md").write_text("x")
    (docs / "per%20cent.md").write_text("x")
    (docs / "new\nline.md").write_text("x")
    Path(os.fsdecode(os.fsencode(docs) + b"/bad\xff.md")).write_text("x")
    (docs / ".env").write_text("TOKEN=hunter2")
    (docs / ".git").mkdir()
    (docs / ".git" / "config").write_text("hunter2")
    os.mkfifo(docs / "pipe.txt")
    path = write(docs.parent, resources=[FOLDER])
    async with reader(path, ERAS[1]) as client:
        listed = [each.uri for each in (await client.list_resources()).resources]
        for name in (".env", ".git/config", "pipe.txt", "two words.md", "two%20words.md"):
            await refusal(client, f"docs://guide/{name}")
    assert len(listed) == 4
    _, problems = table_of(path)
    told = "\n".join(problem.message for problem in problems)
    assert "two words.md" in told
    assert "pipe.txt" in told
    assert ".env" not in told


async def test_a_file_beyond_the_limit_is_left_out(docs: Path) -> None:
    with (docs / "huge.txt").open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    with (docs / "large.txt").open("wb") as file:
        file.truncate(LARGEST_FILE)
    async with reader(write(docs.parent, resources=[FOLDER]), ERAS[1]) as client:
        listed = [each.uri for each in (await client.list_resources()).resources]
        error = await refusal(client, "docs://guide/huge.txt")
    assert "8 MiB" in error.message
    assert "docs://guide/large.txt" in listed
    assert "docs://guide/huge.txt" not in listed


async def test_a_missing_location_is_a_warning_and_may_come_later(tmp_path: Path) -> None:
    path = write(tmp_path, resources=[FOLDER])
    (problem,) = load(path).problems
    assert (problem.rule, problem.severity) == ("location-missing", Severity.WARNING)
    assert str(tmp_path / "docs") in problem.message
    async with reader(path, ERAS[1]) as client:
        assert (await client.list_resources()).resources == []
        await refusal(client, "docs://guide/b.md")
        (tmp_path / "docs").mkdir()
        (tmp_path / "docs" / "b.md").write_text("here")
        (content,) = (await client.read_resource("docs://guide/b.md")).contents
    assert content.text == "here"


async def test_of_nested_folders_the_inner_one_answers_for_its_uris(docs: Path) -> None:
    inner = a_file("inner", "docs://guide/deep", location="file:///./other")
    (docs.parent / "other").mkdir()
    (docs.parent / "other" / "x.txt").write_text("other")
    async with reader(write(docs.parent, resources=[FOLDER, inner]), ERAS[1]) as client:
        (content,) = (await client.read_resource("docs://guide/deep/x.txt")).contents
        (outer,) = (await client.read_resource("docs://guide/b.md")).contents
    assert content.text == "other"
    assert outer.text == "# B\né"
