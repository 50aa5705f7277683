"""What a server says it offers, whose part it is when two files want the same name or URI, and who
hears of changes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextResourceContents

from naftiko_runtime.problems import Consequence, Severity
from tests.exposes.mcp.files import a_file, offering, table_of, write
from tests.exposes.mcp.listener import ERAS, HANDSHAKE, Listener

pytestmark = pytest.mark.anyio

PROMPT = {
    "name": "ask",
    "label": "Ask",
    "description": "Asks.",
    "arguments": [{"name": "tone", "description": "How."}],
    "template": [{"role": "user", "content": "Ask {{tone}}."}],
}
CHOOSING = PROMPT | {"arguments": [{"name": "tone", "description": "How.", "enum": ["kind"]}]}
GREETING = a_file(
    "greeting", "hello://all", outputParameters=[{"name": "t", "type": "string", "value": "hi"}]
)
FOLDER = a_file(location="file:///./docs")


# --- capabilities ---------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [HANDSHAKE, "auto"])
@pytest.mark.parametrize(
    ("parts", "offered"),
    [
        ({}, {"tools"}),
        ({"resources": [GREETING]}, {"tools", "resources"}),
        ({"prompts": [PROMPT]}, {"tools", "prompts"}),
        ({"prompts": [CHOOSING]}, {"tools", "prompts", "completions"}),
    ],
)
async def test_only_what_is_there_is_advertised(
    tmp_path: Path, parts: dict[str, Any], offered: set[str], mode: str
) -> None:
    async with offering(write(tmp_path, **parts)) as listener, listener.client(mode) as client:
        capabilities = client.server_capabilities
        assert capabilities is not None
        shown = capabilities.model_dump(exclude_none=True, by_alias=True)
        assert set(shown) == offered
        for kind in offered - {"completions"}:
            assert shown[kind]["listChanged"] is True
        assert not shown.get("resources", {}).get("subscribe")
        assert (await client.list_resources()).resources or "resources" not in offered
        assert (await client.list_prompts()).prompts or "prompts" not in offered


@pytest.mark.parametrize("era", ERAS)
async def test_long_lists_come_in_pages(tmp_path: Path, era: str) -> None:
    prompts = [PROMPT | {"name": f"ask-{number}"} for number in range(1500)]
    (tmp_path / "docs").mkdir()
    for number in range(1001):
        (tmp_path / "docs" / f"{number:04}.txt").touch()
    path = write(tmp_path, prompts=prompts, resources=[FOLDER])
    async with offering(path) as listener, listener.client(era) as client:
        first = await client.list_prompts()
        second = await client.list_prompts(cursor=first.next_cursor)
        files = await client.list_resources()
        more = await client.list_resources(cursor=files.next_cursor)
    names = [prompt.name for prompt in [*first.prompts, *second.prompts]]
    assert names == [prompt["name"] for prompt in prompts]
    assert [each.uri for each in more.resources] == ["docs://guide/1000.txt"]
    assert second.next_cursor is more.next_cursor is None


# --- clashes --------------------------------------------------------------------------------


async def test_C3_the_first_file_keeps_a_uri_and_a_warning_names_both(tmp_path: Path) -> None:
    other = GREETING | {"name": "other"}
    other["outputParameters"] = [{"name": "t", "type": "string", "value": "other"}]
    first = write(tmp_path, name="first", resources=[GREETING])
    second = write(tmp_path, name="second", resources=[other])
    _, problems = table_of(first, second)
    (problem,) = (each for each in problems if each.rule != "tool-renamed")
    assert problem.rule == "resource-uri-taken"
    assert (problem.severity, problem.consequence) == (Severity.WARNING, Consequence.PART)
    assert problem.place.file == str(second)
    assert f"{first}:" in problem.message
    assert '"hello://all"' in problem.message
    async with offering(first, second) as listener, listener.client(ERAS[1]) as client:
        (listed,) = (await client.list_resources()).resources
        (content,) = (await client.read_resource("hello://all")).contents
    assert listed.name == "greeting"
    assert isinstance(content, TextResourceContents)
    assert content.text == '{"t":"hi"}'


def test_C3_templates_for_the_same_uris_clash_whatever_their_variables_are_called(
    tmp_path: Path,
) -> None:
    output = [{"name": "t", "type": "string", "value": "{{a}}"}]
    one = a_file("one", "x://{a}/y", outputParameters=output)
    same = a_file("same", "x://{b}/y", outputParameters=output)
    other = a_file("other", "x://{a}/z", outputParameters=output)
    table, problems = table_of(write(tmp_path, resources=[one, same, other]))
    assert [plan.name for plan in table.resources.templates] == ["one", "other"]
    assert [problem.rule for problem in problems] == ["resource-uri-taken"]


async def test_C3_the_second_prompt_of_a_name_is_listed_with_its_namespace(tmp_path: Path) -> None:
    first = write(tmp_path, name="first", prompts=[PROMPT])
    second = write(tmp_path, name="second", prompts=[PROMPT | {"description": "Other."}])
    _, problems = table_of(first, second)
    (problem,) = (each for each in problems if each.rule == "prompt-renamed")
    assert problem.place.file == str(second)
    assert f"{first}:" in problem.message
    async with offering(first, second) as listener, listener.client(ERAS[1]) as client:
        prompts = (await client.list_prompts()).prompts
    assert [(prompt.name, prompt.description) for prompt in prompts] == [
        ("ask", "Asks."),
        ("second_ask", "Other."),
    ]


# --- changes --------------------------------------------------------------------------------


class Ears:
    """Counts the notices that a client got, by what they are about."""

    def __init__(self) -> None:
        self.heard: Counter[str] = Counter()
        self._more = asyncio.Condition()

    async def on_message(self, message: Any) -> None:
        text = f"{type(message).__name__} {message!r}".lower()
        for kind in ("tool", "resource", "prompt"):
            if f"{kind}listchanged" in text or f"{kind}slistchanged" in text:
                async with self._more:
                    self.heard[kind] += 1
                    self._more.notify_all()

    async def wait_for(self, **counts: int) -> None:
        """Until just these have come."""
        async with self._more:
            await asyncio.wait_for(self._more.wait_for(lambda: self.heard >= Counter(counts)), 20)
        assert self.heard == Counter(counts)


@asynccontextmanager
async def listening_client(listener: Listener, era: str) -> AsyncIterator[tuple[Any, Ears]]:
    ears = Ears()
    if era == HANDSHAKE:
        stream_is_open = anyio.Event()

        async def watch(response: httpx2.Response) -> None:
            if response.request.method == "GET":
                stream_is_open.set()

        async with httpx2.AsyncClient(event_hooks={"response": [watch]}, timeout=60) as http:
            transport = streamable_http_client(listener.url, http_client=http)
            async with Client(transport, mode=era, message_handler=ears.on_message) as client:
                with anyio.fail_after(60):
                    await stream_is_open.wait()
                yield client, ears
        return
    async with (
        listener.client(era) as client,
        client.listen(
            tools_list_changed=True, resources_list_changed=True, prompts_list_changed=True
        ) as events,
        anyio.create_task_group() as tasks,
    ):

        async def follow() -> None:
            async for event in events:
                await ears.on_message(event)

        tasks.start_soon(follow)
        yield client, ears
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("era", ERAS)
async def test_clients_hear_of_the_lists_that_changed_and_of_no_other(
    tmp_path: Path, era: str
) -> None:
    path = write(tmp_path)
    async with offering(path) as listener, listening_client(listener, era) as (client, ears):
        await listener.app.replace(table_of(write(tmp_path, prompts=[PROMPT]))[0])
        await ears.wait_for(prompt=1)
        assert [prompt.name for prompt in (await client.list_prompts()).prompts] == ["ask"]
        both = write(tmp_path, prompts=[PROMPT], resources=[GREETING])
        await listener.app.replace(table_of(both)[0])
        await ears.wait_for(prompt=1, resource=1)
        assert [each.uri for each in (await client.list_resources()).resources] == ["hello://all"]
        await listener.app.replace(table_of(write(tmp_path, prompts=[CHOOSING]))[0])
        await ears.wait_for(prompt=1, resource=2)
        await listener.app.replace(table_of(write(tmp_path))[0])
        await ears.wait_for(prompt=2, resource=2)


@pytest.mark.parametrize("era", ERAS)
async def test_a_file_that_comes_into_a_folder_is_a_change_of_the_list(
    tmp_path: Path, era: str
) -> None:
    (tmp_path / "docs").mkdir()
    path = write(tmp_path, resources=[FOLDER], prompts=[PROMPT])
    async with offering(path) as listener, listening_client(listener, era) as (_, ears):
        await listener.app.replace(table_of(path)[0])
        (tmp_path / "docs" / "new.txt").write_text("new")
        await listener.app.replace(table_of(path)[0])
        await ears.wait_for(resource=1)


@pytest.mark.parametrize("era", ERAS)
async def test_a_reader_in_flight_ends_on_the_old_table(tmp_path: Path, era: str) -> None:
    path = write(tmp_path, resources=[GREETING])
    async with offering(path) as listener, listener.client(era) as client:
        (before,) = (await client.read_resource("hello://all")).contents
        await listener.app.replace(table_of(write(tmp_path))[0])
        with pytest.raises(Exception, match="no such resource"):
            await client.read_resource("hello://all")
    assert isinstance(before, TextResourceContents)
    assert before.text == '{"t":"hi"}'
