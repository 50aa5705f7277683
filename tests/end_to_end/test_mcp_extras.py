"""Resources, prompts and adapters for standard input, as `naftiko serve` and `naftiko stdio` treat
them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp_types import PromptListChangedNotification, PromptReference, TextContent

from tests.exposes.mcp.files import a_file, write
from tests.recording_upstream import RecordingUpstream, reply_json
from tests.serving_process import ROOT, clean_environment, run_naftiko, serve

pytestmark = pytest.mark.anyio

MODES = ["legacy", "2026-07-28"]
ORDER = {"name": "get-order", "path": "/orders/{id}"}
RESOURCES = [
    a_file(location="file:///./docs"),
    a_file("order", "orders://{id}", call="up.get-order"),
]
PROMPT = {
    "name": "ask",
    "label": "Ask",
    "description": "Asks.",
    "arguments": [{"name": "tone", "description": "How.", "enum": ["kind", "blunt"]}],
    "location": "file:///./ask.md",
}
STDIO = {"transport": "stdio"}


@pytest.fixture
def shop(folder: Path, upstream: RecordingUpstream) -> Path:
    """A file with resources and a prompt, and the files that it names."""
    upstream.answers(reply_json({"id": 7}))
    (folder / "docs").mkdir()
    (folder / "docs" / "a.md").write_text("A")
    (folder / "ask.md").write_text("Be {{tone}}.")
    return write_shop(folder, upstream)


def write_shop(folder: Path, upstream: RecordingUpstream, **parts: Any) -> Path:
    given: dict[str, Any] = {"resources": RESOURCES, "prompts": [PROMPT], **parts}
    return write(folder, upstream=upstream.url, operations=[ORDER], **given)


def started(*arguments: object) -> StdioServerParameters:
    command = ["-m", "naftiko_runtime", "stdio", *map(str, arguments)]
    return StdioServerParameters(
        command=sys.executable, args=command, env=clean_environment(), cwd=str(ROOT)
    )


async def use(client: Client) -> None:
    """Everything that the shop offers, once."""
    assert [each.uri for each in (await client.list_resources()).resources] == ["docs://guide/a.md"]
    (template,) = (await client.list_resource_templates()).resource_templates
    assert template.uri_template == "orders://{id}"
    (text,) = (await client.read_resource("docs://guide/a.md")).contents
    (order,) = (await client.read_resource("orders://7")).contents
    assert (text.mime_type, order.mime_type) == ("text/markdown", "application/json")
    assert '"id": 7' in order.model_dump_json(by_alias=True).replace("\\", "")
    (message,) = (await client.get_prompt("ask", {"tone": "kind"})).messages
    assert message.content == TextContent(text="Be kind.")
    reference = PromptReference(name="ask")
    found = await client.complete(reference, {"name": "tone", "value": "b"})
    assert found.completion.values == ["blunt"]
    assert (await client.call_tool("hello", {})).structured_content == {"text": "hello"}


@pytest.mark.parametrize("mode", MODES)
async def test_serve_offers_resources_and_prompts(shop: Path, mode: str) -> None:
    with serve(shop) as serving, anyio.fail_after(60):
        (event,) = serving.events_of("listening", protocol="MCP")
        assert (event["tools"], event["resources"], event["prompts"]) == (1, 2, 1)
        async with Client(serving.mcp(), mode=mode) as client:
            await use(client)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("transport", [{}, {"transport": STDIO}], ids=["http", "stdio"])
async def test_stdio_offers_them_whatever_transport_the_file_names(
    shop: Path, folder: Path, upstream: RecordingUpstream, transport: Any, mode: str
) -> None:
    write_shop(folder, upstream, **transport)
    with anyio.fail_after(60):
        async with Client(started(folder), mode=mode) as client:
            await use(client)


async def test_stdio_serves_the_adapters_of_all_files_together(folder: Path) -> None:
    resource = a_file("one", "x://1", outputParameters=[{"type": "string", "value": "1"}])
    write(folder, name="first", transport=STDIO, resources=[resource])
    write(folder, name="second", prompts=[PROMPT])
    with anyio.fail_after(60):
        async with Client(started(folder), mode="legacy") as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == [
                "hello",
                "second_hello",
            ]
            assert len((await client.list_resources()).resources) == 1
            assert len((await client.list_prompts()).prompts) == 1


def test_serve_names_the_adapters_that_it_does_not_open_and_says_how_to_run_them(
    shop: Path, folder: Path
) -> None:
    local = write(folder, name="local", transport=STDIO)
    both = write(folder, name="both", transport=STDIO | {"port": 9099})
    with serve(folder, ports=(8080, 9090, 9099)) as serving:
        problems = {each["file"]: each for each in serving.events_of("problem")}
        ports = {event["declared"] for event in serving.events_of("listening")}
    assert ports == {9090}
    for path in (local, both):
        assert problems[str(path)]["rule"] == "stdio-adapter"
        assert f"naftiko stdio {path}" in problems[str(path)]["remedy"]
    assert "its port 9099 is not opened" in problems[str(both)]["problem"]


def test_serve_with_nothing_but_adapters_for_standard_input_says_what_to_do(folder: Path) -> None:
    path = write(folder, transport=STDIO)
    done = run_naftiko("serve", path)
    assert done.returncode == 1
    assert f"naftiko stdio {path}" in done.stderr
    assert 'nothing to serve in "' in done.stderr
    assert 'start "naftiko stdio PATH"' in done.stderr


async def test_clients_hear_of_a_file_that_comes_into_a_served_folder(
    shop: Path, folder: Path
) -> None:
    with serve(shop) as serving, anyio.fail_after(60):
        async with Client(serving.mcp(), mode="auto") as client:
            async with client.listen(resources_list_changed=True) as events:
                (folder / "docs" / "deep").mkdir()
                serving.wait_for_event("changed")
                (folder / "docs" / "deep" / "b.md").write_text("B")
                async for _ in events:
                    break
            (text,) = (await client.read_resource("docs://guide/deep/b.md")).contents
            assert '"B"' in text.model_dump_json()


async def test_clients_hear_of_prompts_and_resources_that_come_and_go(
    shop: Path, folder: Path, upstream: RecordingUpstream
) -> None:
    with serve(shop) as serving, anyio.fail_after(60):
        async with Client(serving.mcp(), mode="auto") as client:
            async with client.listen(prompts_list_changed=True) as events:
                write_shop(folder, upstream, prompts=[PROMPT, PROMPT | {"name": "ask-again"}])
                async for _ in events:
                    break
            names = [prompt.name for prompt in (await client.list_prompts()).prompts]
            assert names == ["ask", "ask-again"]
            async with client.listen(resources_list_changed=True) as events:
                write_shop(folder, upstream, resources=[])
                async for _ in events:
                    break
            assert (await client.list_resources()).resources == []


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_on_standard_input_hears_of_prompts_that_come(
    shop: Path, folder: Path, upstream: RecordingUpstream, mode: str
) -> None:
    told = anyio.Event()

    async def on_message(message: object) -> None:
        if isinstance(message, PromptListChangedNotification):
            told.set()

    def change() -> None:
        write_shop(folder, upstream, prompts=[PROMPT, PROMPT | {"name": "ask-again"}])

    with anyio.fail_after(60):
        async with Client(started(shop), mode=mode, message_handler=on_message) as client:
            assert len((await client.list_prompts()).prompts) == 1
            if mode == "legacy":
                change()
                await told.wait()
            else:
                async with client.listen(prompts_list_changed=True) as events:
                    change()
                    async for _ in events:
                        break
            assert len((await client.list_prompts(cache_mode="refresh")).prompts) == 2


async def test_a_version_that_breaks_a_resource_leaves_the_last_good_one(
    shop: Path, folder: Path, upstream: RecordingUpstream
) -> None:
    with serve(shop) as serving, anyio.fail_after(60):
        async with Client(serving.mcp(), mode="auto") as client:
            broken = [a_file(location="file:///./docs", uri="no uri")]
            write_shop(folder, upstream, resources=broken)
            serving.wait_for_event("kept")
            await use(client)
