"""Several worker processes on the same ports."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.recording_upstream import RecordingUpstream
from tests.serving_process import Serving, run_naftiko
from tests.serving_process import serve_cold as serve

Drop = Callable[..., Path]

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="it looks up processes in /proc"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def moved() -> list[str]:
    return [f"--port=8080={free_port()}", f"--port=9090={free_port()}"]


def workers_of(serving: Serving) -> set[int]:
    """The processes that listen on the REST port: children of the command."""
    parent = serving.process.pid
    found = set()
    for children in Path(f"/proc/{parent}/task").glob("*/children"):
        for pid in children.read_text().split():
            command = Path(f"/proc/{pid}/cmdline").read_text()
            if "spawn_main" in command:
                found.add(int(pid))
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def get(url: str) -> httpx2.Response:
    return httpx2.get(url, timeout=60, trust_env=False)


def test_workers_share_the_ports_and_say_everything_once(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    drop("orders", "live")
    (folder / "other.yaml").write_text("a: 1\n")
    with serve(folder, options=["--workers=3", *moved()], ports=[]) as serving:
        serving.wait_for_event("workers", count=1)
        workers = workers_of(serving)
        assert len(workers) == 3
        for _ in range(30):
            assert get(serving.rest() + "/orders/live").status_code == 200
        assert len(serving.events_of("ready")) == 1
        assert len(serving.events_of("listening", protocol="REST")) == 1
        assert len(serving.events_of("problem")) == 1
    assert not any(is_alive(pid) for pid in workers)


def test_a_worker_that_dies_is_replaced(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    with serve(folder, options=["--workers=2", *moved()], ports=[]) as serving:
        serving.wait_for_event("workers")
        before = workers_of(serving)
        os.kill(min(before), signal.SIGKILL)
        serving.wait_for_event("worker-died")
        serving.wait_for_event("workers", count=2)
        after = workers_of(serving)
        assert len(after) == 2
        assert len(after - before) == 1
        for _ in range(10):
            assert get(serving.rest() + "/orders/live").status_code == 200


def test_every_worker_follows_the_files(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    with serve(folder, options=["--workers=2", *moved()], ports=[]) as serving:
        serving.wait_for_event("workers")
        drop("orders", "live", "more")
        serving.wait_for_event("changed")
        url = serving.rest() + "/orders/more"
        in_a_row = 0
        for _ in range(2000):
            in_a_row = in_a_row + 1 if get(url).status_code == 200 else 0
            if in_a_row == 30:
                break
        assert in_a_row == 30


def test_workers_end_with_their_parent(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    with serve(folder, options=["--workers=2", *moved()], ports=[]) as serving:
        serving.wait_for_event("workers")
        workers = workers_of(serving)
        serving.process.kill()
        serving.process.wait(60)
        serving._reader.join(60)  # the log ends when the last worker has gone
        assert not any(is_alive(pid) for pid in workers)
        serving.process.returncode = 0


def test_workers_do_not_join_the_port_of_another_service(folder: Path, drop: Drop) -> None:
    drop("orders", "live", mcp_port=None)
    option = f"--port=8080={free_port()}"
    with serve(folder, options=["--workers=2", option], ports=[]) as serving:
        serving.wait_for_event("workers")
        done = run_naftiko("serve", folder, "--workers=2", option)
        assert done.returncode == 1
        assert "is in use" in done.stderr


def test_without_anything_to_serve_the_workers_do_not_start(tmp_path: Path) -> None:
    done = run_naftiko("serve", tmp_path / "absent", "--workers=2")
    assert done.returncode == 1
    assert "nothing to serve" in done.stderr
