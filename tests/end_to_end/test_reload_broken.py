"""A broken edit never takes down what works."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.capability_text import capability
from tests.recording_upstream import RecordingUpstream
from tests.serving_process import Serving, serve

Drop = Callable[..., Path]


def status(serving: Serving, path: str) -> int:
    return httpx2.get(serving.rest() + path, timeout=60, trust_env=False).status_code


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ("naftiko: 1.0.0-alpha2\ninfo:\n  label: [\n", 3),
        ("", 1),
        ("openapi: 3.1.0\n", 1),
        ("naftiko: 1.0.0-alpha2\ninfo: {label: x}\n", 1),
        ("naftiko: 1.0.0-alpha2\ninfo: {label: x}\ncapability: nothing\n", 3),
        ("a: &a [*a]\n", 1),
        ("\x00", 1),
    ],
)
def test_the_last_good_version_goes_on_and_the_problem_is_named_with_its_line(
    folder: Path, drop: Drop, broken: str, line: int
) -> None:
    path = drop("orders", "live")
    with serve(folder) as serving:
        path.write_text(broken)
        serving.wait_for_event("kept", file=str(path))
        problem = serving.wait_for_event("problem", file=str(path), level="error")
        assert problem["line"] >= line
        assert problem["message"].startswith(f"{path}:{problem['line']}:")
        assert status(serving, "/orders/live") == 200
        drop("orders", "live", "more")
        serving.wait_for_event("changed")
        assert status(serving, "/orders/more") == 200


def test_a_fault_that_would_take_an_operation_away_keeps_it(folder: Path, drop: Drop) -> None:
    path = drop("orders", "live", "cancel")
    good = path.read_text()
    with serve(folder) as serving:
        path.write_text(good.replace("call: orders.cancel", "call: orders.cancle"))
        serving.wait_for_event("kept", file=str(path))
        problem = serving.wait_for_event("problem")
        assert "orders.cancle" in problem["message"]
        assert status(serving, "/orders/cancel") == 200


def test_a_fault_in_something_new_leaves_out_only_that(folder: Path, drop: Drop) -> None:
    path = drop("orders", "live")
    with serve(folder) as serving:
        text = drop("orders", "live", "more", "faulty").read_text()
        path.write_text(text.replace("call: orders.faulty", "call: orders.fualty"))
        serving.wait_until(lambda: bool(serving.events_of("problem")))
        assert status(serving, "/orders/live") == 200
        assert status(serving, "/orders/more") == 200


def test_what_is_taken_out_on_purpose_goes_although_something_else_is_passed_over(
    folder: Path, drop: Drop
) -> None:
    path = drop("orders", "live", "cancel")
    with serve(folder) as serving:
        drop("orders", "live")
        path.write_text(path.read_text() + "orchestration: {}\n")
        serving.wait_for_event("problem", rule="unknown-key")
        assert status(serving, "/orders/live") == 200
        assert status(serving, "/orders/cancel") == 404


def test_a_problem_is_named_once_and_again_when_it_comes_back(folder: Path, drop: Drop) -> None:
    path = drop("orders", "live")
    good = path.read_text()
    with serve(folder) as serving:
        for count in (1, 2):
            path.write_text("naftiko: [")
            serving.wait_for_event("kept", count=count)
            path.write_text(good + f"# {count}\n")
            serving.wait_for_event("changed", count=count)
        drop("accounts", "list")
        serving.wait_for_event("added")
    assert len(serving.events_of("problem", level="error")) == 2


def test_a_broken_file_from_the_start_is_served_when_it_is_mended(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    path = folder / "accounts.yaml"
    path.write_text("naftiko: [")
    with serve(folder) as serving:
        assert serving.events_of("problem", file=str(path))
        drop("accounts", "list")
        serving.wait_for_event("added", file=str(path))
        assert status(serving, "/accounts/list") == 200


def test_c2_a_pipe_in_place_of_a_served_file_changes_nothing_and_blocks_nothing(
    folder: Path, drop: Drop
) -> None:
    path = drop("orders", "live")
    with serve(folder) as serving:
        os.mkfifo(folder / "pipe")
        (folder / "pipe").replace(path)
        serving.wait_for_event("problem", rule="file-refused")
        assert status(serving, "/orders/live") == 200
        drop("accounts", "list")
        serving.wait_for_event("added")
        assert status(serving, "/accounts/list") == 200


def test_c2_a_storm_of_renames_ends_in_what_is_there(
    folder: Path, upstream: RecordingUpstream
) -> None:
    versions = [capability("orders", upstream.url, f"version{n}") for n in range(40)]
    path = folder / "orders.yaml"
    path.write_text(versions[0])
    with serve(folder) as serving:
        for text in versions:
            (folder / ".new").write_text(text)
            (folder / ".new").replace(path)
        last = "/orders/version39"
        serving.wait_until(lambda: status(serving, last) == 200)
        assert status(serving, "/orders/version38") == 404
        assert serving.events_of("problem") == []


def test_c2_a_file_written_in_pieces_is_taken_when_it_is_whole(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    path = drop("orders", "live")
    text = capability("orders", upstream.url, "live", "more")
    with serve(folder) as serving, path.open("w") as file:
        for start in range(0, len(text), 50):
            file.write(text[start : start + 50])
            file.flush()
            assert status(serving, "/orders/live") == 200
        serving.wait_for_event("changed")
        assert status(serving, "/orders/more") == 200


def test_a_new_port_in_use_is_named_and_everything_else_goes_on(folder: Path, drop: Drop) -> None:
    import socket

    drop("orders", "live")
    with serve(folder) as serving, socket.create_server(("127.0.0.1", 0)) as taken:
        path = drop("accounts", "list", rest_port=taken.getsockname()[1])
        problem = serving.wait_for_event("problem", rule="port-unavailable")
        assert problem["file"] == str(path)
        assert status(serving, "/orders/live") == 200


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.1"])
def test_a_port_can_change_its_address_and_stays_open_where_it_cannot(
    folder: Path, drop: Drop, address: str
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    drop("orders", "live", rest_port=port, mcp_port=None)
    with serve(folder) as serving:
        drop("orders", "live", rest_port=port, mcp_port=None, address=address)
        serving.wait_for_event("listening", count=2, protocol="REST")
        answer = httpx2.get(f"http://127.0.0.1:{port}/orders/live", timeout=60, trust_env=False)
        assert answer.status_code == 200
        reached = serving.events_of("listening")[-1]["address"]
        assert reached == ("0.0.0.0" if address == "0.0.0.0" else "127.0.0.1")


def test_the_tools_and_operations_of_other_files_are_never_gone_for_a_moment(
    folder: Path, drop: Drop
) -> None:
    drop("orders", "live")
    other = drop("accounts", "list")
    good = other.read_text()
    failed: list[int] = []
    with serve(folder) as serving:
        finished = threading.Event()

        def call() -> None:
            while not finished.is_set():
                answer = status(serving, "/orders/live")
                if answer != 200:
                    failed.append(answer)

        caller = threading.Thread(target=call)
        caller.start()
        for count in range(1, 6):
            other.write_text("naftiko: [")
            serving.wait_for_event("kept", count=count)
            other.write_text(good + f"# {count}\n")
            serving.wait_for_event("changed", count=count)
        finished.set()
        caller.join()
    assert failed == []
