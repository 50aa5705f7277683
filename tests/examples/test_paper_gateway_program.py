"""`python -m examples.paper_gateway` as a process."""

from __future__ import annotations

import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

ROOT = Path(__file__).resolve().parents[2]
READY = re.compile(
    r"paper gateway ready: (?P<url>https://127\.0\.0\.1:[0-9]+)/v1/api account DU1234567, "
    r"(?P<login>logged in|logged out), certificate SHA-256 (?P<print>[0-9A-F:]{95})\n"
)


@contextmanager
def program(*options: str) -> Iterator[tuple[subprocess.Popen[str], re.Match[str]]]:
    """The running program and its line of readiness; killed at the end if need be."""
    process = subprocess.Popen(
        [sys.executable, "-m", "examples.paper_gateway", "--port", "0", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready = READY.fullmatch(process.stdout.readline())
        assert ready is not None
        yield process, ready
    finally:
        process.kill()
        process.communicate()


def refused(*options: str) -> tuple[int, str]:
    """The exit code and the message of a program that does not start."""
    done = subprocess.run(
        [sys.executable, "-m", "examples.paper_gateway", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_and_stops_cleanly(number: signal.Signals) -> None:
    with program() as (process, ready):
        answer = httpx2.post(f"{ready['url']}/v1/api/tickle", verify=False, timeout=60)
        assert answer.json()["userId"] == 123456789
        process.send_signal(number)
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, out, errors) == (0, "", "")


def test_the_certificate_is_kept_in_the_state_folder(tmp_path: Path) -> None:
    prints = []
    for _ in range(2):
        with program("--state", str(tmp_path / "state")) as (_process, ready):
            prints.append(ready["print"])
            trust = ssl.create_default_context(cafile=tmp_path / "state" / "paper-gateway.pem")
            assert httpx2.get(ready["url"], verify=trust, timeout=60).status_code == 200
    assert prints[0] == prints[1]
    key = tmp_path / "state" / "paper-gateway.key"
    assert key.stat().st_mode & 0o077 == 0


def test_without_a_state_folder_each_start_has_a_new_certificate() -> None:
    prints = []
    for _ in range(2):
        with program() as (_process, ready):
            prints.append(ready["print"])
    assert prints[0] != prints[1]


def test_it_can_start_logged_out_and_with_faults() -> None:
    options = ("--logged-out", "--pacing", "off", "--faults", "503*1@/tickle")
    with program(*options) as (_process, ready):
        assert ready["login"] == "logged out"
        tickle = f"{ready['url']}/v1/api/tickle"
        statuses = [httpx2.post(tickle, verify=False, timeout=60).status_code for _ in range(2)]
        assert statuses == [503, 401]
        httpx2.post(f"{ready['url']}/paper/login", verify=False, timeout=60)
        assert httpx2.post(tickle, verify=False, timeout=60).status_code == 200


def test_pacing_is_on_unless_it_is_switched_off() -> None:
    with program() as (_process, ready):
        statuses = [
            httpx2.get(
                f"{ready['url']}/v1/api/iserver/accounts", verify=False, timeout=60
            ).status_code
            for _ in range(2)
        ]
        assert statuses == [200, 429]


def test_a_port_in_use_is_named_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, message = refused("--port", str(taken.getsockname()[1]))
    assert code == 1
    assert message.startswith("cannot listen on 127.0.0.1:")
    assert "choose another --port" in message


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, message = refused("--state", str(tmp_path / "file"), "--port", "0")
    assert code == 1
    assert message.startswith("cannot keep the certificate:")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--faults", "explode"), '"explode" is no fault - there are expired'),
        (("--faults", "503 twice"), "is no fault - write NAME"),
        (("--pacing", "-1"), "the scale must not be negative"),
        (("--port", "99999"), "cannot listen on 127.0.0.1:99999"),
    ],
)
def test_a_bad_option_is_explained(options: tuple[str, str], said: str) -> None:
    code, message = refused(*options)
    assert code != 0
    assert said in message
    assert "Traceback" not in message
