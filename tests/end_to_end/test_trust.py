"""`naftiko trust`, run as users run it, against real TLS servers."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.consumes.trust import TrustStore
from naftiko_runtime.failures import CallFailed
from tests.consumes.certificates import DAY, Identity, make_identity
from tests.consumes.raw_upstream import Connection, RawUpstream, answer_all, raw_upstream
from tests.consumes.requests import request

pytestmark = pytest.mark.anyio

LIMIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    output: str
    errors: str


class Trust:
    """Runs `naftiko trust` with a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.store = TrustStore(folder)
        self._command = [sys.executable, "-m", "naftiko_runtime", "trust"]
        self._environment = {**os.environ, "NAFTIKO_TRUST_DIR": str(folder), "COLUMNS": "200"}

    async def run(self, *arguments: str) -> Ended:
        """Without a terminal."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            *arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
        )
        output, errors = await asyncio.wait_for(process.communicate(), LIMIT_SECONDS)
        assert process.returncode is not None
        return Ended(process.returncode, output.decode(), errors.decode())

    async def answer(self, answer: str, *arguments: str) -> Ended:
        """On a terminal, where the user types `answer`."""
        ours, theirs = pty.openpty()
        os.write(ours, answer.encode())
        process = await asyncio.create_subprocess_exec(
            *self._command,
            *arguments,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
        )
        try:
            output, errors = await asyncio.wait_for(process.communicate(), LIMIT_SECONDS)
        finally:
            os.close(ours)
            os.close(theirs)
        assert process.returncode is not None
        return Ended(process.returncode, output.decode(), errors.decode())


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return Trust(tmp_path / "kept")


@pytest.fixture(scope="module")
def identity() -> Identity:
    return make_identity(common_name="Paper Gateway")


@asynccontextmanager
async def serving(identity: Identity, tmp_path: Path) -> AsyncIterator[RawUpstream]:
    async with raw_upstream(answer_all, identity.server_context(tmp_path)) as upstream:
        yield upstream


async def is_trusted(trust: Trust, url: str) -> bool:
    """Whether a call with what is kept goes through."""
    upstreams = HttpUpstreams(UpstreamSettings(trust=trust.store))
    try:
        await upstreams.send(request(url))
    except CallFailed:
        return False
    finally:
        await upstreams.aclose()
    return True


async def test_a_certificate_is_shown_and_kept_on_confirmation(
    trust: Trust, identity: Identity, tmp_path: Path
) -> None:
    async with serving(identity, tmp_path) as upstream:
        assert not await is_trusted(trust, upstream.url)
        ended = await trust.answer("y\n", upstream.url)
        assert ended.code == 0, ended.errors
        assert await is_trusted(trust, upstream.url)
    assert identity.fingerprint in ended.output
    assert "CN=Paper Gateway" in ended.output
    assert "self-signed" in ended.output
    assert "localhost, 127.0.0.1" in ended.output
    assert re.search(r"valid +\d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d \(29 days left\)", ended.output)
    assert f"keep it for {upstream.url} and nothing else? [y/N]" in ended.output
    assert f"kept: calls to {upstream.url} accept this certificate alone" in ended.output


@pytest.mark.parametrize("answer", ["\n", "n\n", "yes please\n", "\x04"])
async def test_anything_but_yes_keeps_nothing(
    trust: Trust, identity: Identity, tmp_path: Path, answer: str
) -> None:
    async with serving(identity, tmp_path) as upstream:
        ended = await trust.answer(answer, upstream.url)
        assert not await is_trusted(trust, upstream.url)
    assert ended.code == 1
    assert "not kept" in ended.errors


async def test_without_a_terminal_nothing_is_kept_unless_confirmed(
    trust: Trust, identity: Identity, tmp_path: Path
) -> None:
    async with serving(identity, tmp_path) as upstream:
        ended = await trust.run(upstream.url)
        assert ended.code == 2
        assert "--fingerprint SHA256, or --yes" in ended.errors
        assert identity.fingerprint in ended.output
        assert not await is_trusted(trust, upstream.url)
        assert (await trust.run(upstream.url, "--yes")).code == 0
        assert await is_trusted(trust, upstream.url)


async def test_a_script_confirms_with_the_fingerprint_in_any_spelling(
    trust: Trust, identity: Identity, tmp_path: Path
) -> None:
    plain = identity.fingerprint.replace(":", "").lower()
    async with serving(identity, tmp_path) as upstream:
        for spelling in (identity.fingerprint, plain, f"SHA256:{plain}"):
            trust.store.forget("localhost", upstream.port)
            assert (await trust.run(upstream.url, "--fingerprint", spelling)).code == 0
            assert await is_trusted(trust, upstream.url)


async def test_another_fingerprint_keeps_nothing(
    trust: Trust, identity: Identity, tmp_path: Path
) -> None:
    async with serving(identity, tmp_path) as upstream:
        ended = await trust.run(upstream.url, "--fingerprint", "ab" * 32)
        assert not await is_trusted(trust, upstream.url)
    assert ended.code == 1
    assert "not the one given" in ended.errors


async def test_a_certificate_that_is_kept_already_needs_no_confirmation(
    trust: Trust, identity: Identity, tmp_path: Path
) -> None:
    async with serving(identity, tmp_path) as upstream:
        await trust.run(upstream.url, "--yes")
        ended = await trust.run(upstream.url)
    assert ended.code == 0
    assert "it is kept already" in ended.output


async def test_a_changed_certificate_is_said_to_differ_before_it_replaces_the_kept_one(
    trust: Trust, identity: Identity, tmp_path: Path
) -> None:
    async with serving(identity, tmp_path) as upstream:
        trust.store.pin("localhost", upstream.port, make_identity().pem)
        ended = await trust.answer("y\n", upstream.url)
        assert await is_trusted(trust, upstream.url)
    assert ended.code == 0
    assert "it differs from the one kept" in ended.output


async def test_a_forgotten_certificate_is_trusted_no_longer(
    trust: Trust, identity: Identity, tmp_path: Path
) -> None:
    async with serving(identity, tmp_path) as upstream:
        await trust.run(upstream.url, "--yes")
        ended = await trust.run(upstream.url, "--forget")
        assert not await is_trusted(trust, upstream.url)
        again = await trust.run(upstream.url, "--forget")
    assert ended.code == 0
    assert again.code == 1
    assert "nothing is kept" in again.errors


async def test_what_is_kept_is_listed(trust: Trust, identity: Identity) -> None:
    empty = await trust.run("--list")
    assert empty.code == 0
    assert "no certificates are kept" in empty.output
    trust.store.pin("localhost", 5000, identity.pem)
    trust.store.pin("::1", 443, make_identity(begins=-2 * DAY, ends=-DAY).pem)
    trust.store.file("damaged.example", 443).write_text("rubbish")
    listed = await trust.run("--list")
    assert listed.code == 0
    assert f"https://localhost:5000\n  SHA-256   {identity.fingerprint}\n" in listed.output
    assert "https://[::1]:443" in listed.output
    assert "(expired)" in listed.output
    assert "https://damaged.example:443\n  not a certificate" in listed.output


async def test_an_address_needs_neither_scheme_nor_path(
    trust: Trust, identity: Identity, tmp_path: Path
) -> None:
    async with serving(identity, tmp_path) as upstream:
        for spelling in (f"LOCALHOST:{upstream.port}", f"{upstream.url}/v1/api?x=1"):
            trust.store.forget("localhost", upstream.port)
            assert (await trust.run(spelling, "--yes")).code == 0
            assert await is_trusted(trust, upstream.url)


@pytest.mark.parametrize(
    ("begins", "ends", "words"), [(-2 * DAY, -DAY, "expired"), (DAY, 2 * DAY, "not valid yet")]
)
async def test_an_untimely_certificate_is_kept_for_a_loopback_address(
    trust: Trust, tmp_path: Path, begins: timedelta, ends: timedelta, words: str
) -> None:
    untimely = make_identity(begins=begins, ends=ends)
    async with serving(untimely, tmp_path) as upstream:
        ended = await trust.run(upstream.url, "--yes")
        assert await is_trusted(trust, upstream.url)
    assert ended.code == 0
    assert f"note: it is {words}" in ended.output


async def test_a_certificate_of_an_authority_is_kept_with_a_warning(
    trust: Trust, tmp_path: Path
) -> None:
    authority = make_identity(common_name="Test Authority", authority=True)
    issued = make_identity(issuer=authority)
    async with serving(issued, tmp_path) as upstream:
        ended = await trust.run(upstream.url, "--yes")
        assert await is_trusted(trust, upstream.url)
    assert "signed by CN=Test Authority" in ended.output
    assert "once it is renewed" in ended.output


async def test_a_server_without_tls_is_said_to_have_none(trust: Trust) -> None:
    async def plain_http(connection: Connection) -> None:
        await connection.reader.read(1)
        await connection.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with raw_upstream(plain_http) as upstream:
        ended = await trust.run(f"https://localhost:{upstream.port}", "--yes")
    assert ended.code == 1
    assert "no TLS" in ended.errors


async def test_a_server_that_does_not_run_is_said_not_to(trust: Trust) -> None:
    async with raw_upstream(answer_all) as upstream:
        port = upstream.port
    ended = await trust.run(f"https://127.0.0.1:{port}", "--yes")
    assert ended.code == 1
    assert "connection refused" in ended.errors


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["http://localhost:5000"],
        ["https://"],
        ["https://a!b:5000", "--forget"],
        ["https://localhost:99999"],
        ["https://localhost:1", "--fingerprint", "abc"],
        ["https://localhost:1", "--yes", "--forget"],
    ],
)
async def test_wrong_usage_ends_with_2(trust: Trust, arguments: list[str]) -> None:
    ended = await trust.run(*arguments)
    assert ended.code == 2
    assert "usage: naftiko trust" in ended.errors
    assert "Traceback" not in ended.errors


async def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path, identity: Identity) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    async with serving(identity, tmp_path) as upstream:
        ended = await Trust(blocked / "kept").run(upstream.url, "--yes")
    assert ended.code == 1
    assert str(blocked) in ended.errors
    assert "Traceback" not in ended.errors
