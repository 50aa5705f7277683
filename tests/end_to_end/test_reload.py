"""Dropping, changing and removing files while they are served."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client

from tests.capability_text import capability
from tests.recording_upstream import RecordingUpstream, reply_json
from tests.serving_process import Serving, serve

Drop = Callable[..., Path]


def get(url: str) -> httpx2.Response:
    return httpx2.get(url, timeout=60, trust_env=False)


def status(serving: Serving, path: str) -> int:
    return get(serving.rest() + path).status_code


def test_a_file_that_is_added_is_served(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    with serve(folder) as serving:
        assert status(serving, "/accounts/list") == 404
        path = drop("accounts", "list")
        added = serving.wait_for_event("added", file=str(path))
        assert "1 operation, 1 tool" in added["message"]
        assert status(serving, "/accounts/list") == 200
        assert status(serving, "/orders/live") == 200


def test_a_file_that_is_changed_is_served_as_it_is_now(folder: Path, drop: Drop) -> None:
    path = drop("orders", "live")
    with serve(folder) as serving:
        drop("orders", "closed")
        serving.wait_for_event("changed", file=str(path))
        assert status(serving, "/orders/closed") == 200
        assert status(serving, "/orders/live") == 404


def test_a_file_that_is_removed_is_served_no_longer(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    path = drop("accounts", "list")
    with serve(folder) as serving:
        path.unlink()
        serving.wait_for_event("removed", file=str(path))
        assert status(serving, "/accounts/list") == 404
        assert status(serving, "/orders/live") == 200


def test_a_file_in_a_new_subfolder_is_served(folder: Path, drop: Drop, tmp_path: Path) -> None:
    drop("orders", "live")
    made = tmp_path / "more"
    made.mkdir()
    shutil.move(drop("accounts", "list"), made / "accounts.yaml")
    with serve(folder) as serving:
        made.rename(folder / "more")
        serving.wait_for_event("added")
        assert status(serving, "/accounts/list") == 200
        (folder / "more" / "accounts.yaml").unlink()
        serving.wait_for_event("removed")
        assert status(serving, "/accounts/list") == 404


def test_a_file_named_by_itself_is_followed_through_the_ways_editors_write(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    path = drop("orders", "first")
    with serve(path) as serving:
        for number, name in enumerate(["second", "third", "fourth"], start=1):
            text = capability("orders", upstream.url, name)
            if name == "second":  # vi: the old one aside, a probe, the new one, the old one away
                path.rename(folder / "orders.yaml~")
                (folder / "4913").touch()
                (folder / "4913").unlink()
                path.write_text(text)
                (folder / "orders.yaml~").unlink()
            elif name == "third":  # an atomic replacement
                (folder / ".orders.yaml.swp").write_text(text)
                (folder / ".orders.yaml.swp").replace(path)
            else:  # in place
                path.write_text(text)
            serving.wait_for_event("changed", count=number)
            assert status(serving, f"/orders/{name}") == 200
        assert serving.events_of("removed") == []
        assert serving.events_of("problem") == []


def test_a_folder_that_is_exchanged_as_kubernetes_does_is_followed(
    folder: Path, upstream: RecordingUpstream
) -> None:
    for version, name in (("..1", "first"), ("..2", "second")):
        (folder / version).mkdir()
        text = capability("orders", upstream.url, name)
        (folder / version / "orders.yaml").write_text(text)
    (folder / "..data").symlink_to("..1")
    (folder / "orders.yaml").symlink_to("..data/orders.yaml")
    with serve(folder) as serving:
        assert status(serving, "/orders/first") == 200
        (folder / "..new").symlink_to("..2")
        (folder / "..new").replace(folder / "..data")
        serving.wait_for_event("changed")
        assert status(serving, "/orders/second") == 200


def test_a_folder_that_is_removed_and_made_again_is_still_followed(
    folder: Path, drop: Drop
) -> None:
    drop("orders", "live")
    with serve(folder) as serving:
        shutil.rmtree(folder)
        serving.wait_for_event("removed")
        folder.mkdir()
        drop("orders", "live")
        serving.wait_for_event("listening", count=2, protocol="REST")
        assert status(serving, "/orders/live") == 200
        drop("orders", "more")
        serving.wait_for_event("changed")
        assert status(serving, "/orders/more") == 200


def test_a_file_that_another_one_reads_is_followed(
    folder: Path, upstream: RecordingUpstream, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.yaml"
    keys.write_text("KEY: first\n")
    text = capability("orders", upstream.url, "live").replace(
        "    description: An upstream.\n",
        "    description: An upstream.\n    authentication: {type: bearer, token: '{{KEY}}'}\n",
    )
    bind = f"binds:\n- namespace: env\n  location: file://{keys}\n  keys: {{KEY: KEY}}\n"
    (folder / "orders.yaml").write_text(text.replace("capability:\n", bind + "capability:\n", 1))
    with serve(folder) as serving:
        assert status(serving, "/orders/live") == 200
        keys.write_text("KEY: second\n")
        serving.wait_for_event("changed")
        assert status(serving, "/orders/live") == 200
        credentials = [request.header("authorization") for request in upstream.requests]
        assert credentials == ["Bearer first", "Bearer second"]


def test_the_file_of_variables_is_followed(
    folder: Path, upstream: RecordingUpstream, tmp_path: Path
) -> None:
    env_file = tmp_path / "settings.env"
    env_file.write_text("PLACE=first\n")
    text = capability("orders", upstream.url + "/{{PLACE}}", "live")
    bind = "binds:\n- namespace: env\n  keys: {PLACE: PLACE}\n"
    (folder / "orders.yaml").write_text(text.replace("capability:\n", bind + "capability:\n", 1))
    with serve(folder, options=["--env-file", str(env_file)]) as serving:
        assert get(serving.rest() + "/orders/live").json()["target"] == "/first/live"
        env_file.write_text("PLACE=second\n")
        serving.wait_for_event("changed")
        assert get(serving.rest() + "/orders/live").json()["target"] == "/second/live"


def test_ports_open_and_close_with_the_files_that_name_them(folder: Path, drop: Drop) -> None:
    drop("orders", "live", mcp_port=None)
    with serve(folder, ports=[8080, 8081, 9090]) as serving:
        path = drop("accounts", "list", rest_port=8081, mcp_port=None)
        serving.wait_for_event("listening", declared=8081)
        assert get(serving.rest(8081) + "/accounts/list").status_code == 200
        path.unlink()
        serving.wait_for_event("closed", declared=8081)
        with pytest.raises(httpx2.ConnectError):
            get(serving.rest(8081) + "/accounts/list")
        assert status(serving, "/orders/live") == 200


def test_tools_can_join_and_leave_a_port_of_operations(folder: Path, drop: Drop) -> None:
    drop("orders", "live", mcp_port=None)
    with serve(folder, ports=[8080]) as serving:
        origin = serving.rest()
        headers = {"accept": "application/json, text/event-stream"}
        message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        for count, mcp_port in enumerate([8080, None, 8080], start=1):
            drop("orders", "live", mcp_port=mcp_port)
            serving.wait_for_event("changed", count=count)
            answer = httpx2.post(
                f"{origin}/mcp", json=message, headers=headers, trust_env=False, timeout=60
            )
            assert (answer.status_code != 404) == (mcp_port is not None)
            assert status(serving, "/orders/live") == 200


def test_c10_a_call_in_flight_ends_on_the_version_that_it_began_with(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    path = drop("orders", "live")
    may_answer = threading.Event()
    upstream.answers(replace(reply_json({"a": 1}), hold=may_answer))
    with serve(folder) as serving, ThreadPoolExecutor() as pool:
        call = pool.submit(get, serving.rest() + "/orders/live")
        upstream.wait_for(1)
        path.unlink()
        serving.wait_for_event("removed")
        serving.wait_for_event("closed", declared=8080)
        may_answer.set()
        assert (call.result().status_code, call.result().json()) == (200, {"a": 1})


def test_without_watching_nothing_changes(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    with serve(folder, options=["--no-watch"]) as serving:
        drop("orders", "more")
        for _ in range(20):
            assert status(serving, "/orders/live") == 200
    assert serving.events_of("changed") == []


def test_writing_the_same_again_changes_nothing(folder: Path, drop: Drop) -> None:
    path = drop("orders", "live")
    with serve(folder) as serving:
        os.utime(path)
        path.write_text(path.read_text())
        drop("accounts", "list")
        serving.wait_for_event("added")
    assert serving.events_of("changed") == []


def test_changes_are_found_where_the_system_does_not_tell_of_them(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    silent = {"WATCHFILES_FORCE_POLLING": "true", "WATCHFILES_POLL_DELAY_MS": "3600000"}
    with serve(folder, env=silent) as serving:
        path = drop("accounts", "list")
        serving.wait_for_event("added")
        path.write_text(path.read_text() + "# changed\n")
        serving.wait_for_event("changed")
        assert status(serving, "/accounts/list") == 200


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_mcp_clients_are_told_that_the_tools_have_changed(
    folder: Path, drop: Drop, mode: str
) -> None:
    drop("orders", "live")
    told = anyio.Event()

    async def on_message(message: object) -> None:
        if "tools/list_changed" in str(getattr(message, "method", message)):
            told.set()

    with serve(folder) as serving:
        async with Client(serving.mcp(), mode=mode, message_handler=on_message) as client:
            before = {tool.name for tool in (await client.list_tools()).tools}
            assert before == {"orders-live"}
            with anyio.fail_after(60):
                if mode == "legacy":
                    drop("accounts", "list")
                    await told.wait()
                else:
                    async with client.listen(tools_list_changed=True) as stream:
                        drop("accounts", "list")
                        async for _ in stream:
                            break
            after = {tool.name for tool in (await client.list_tools(cache_mode="refresh")).tools}
            assert after == {"orders-live", "accounts-list"}
