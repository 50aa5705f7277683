"""Certificates: checked by default, and what else is accepted is what the user decided on."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.pools import TrustError, UpstreamSettings
from naftiko_runtime.consumes.tls import is_loopback, pinned_context
from naftiko_runtime.consumes.trust import TrustStore
from naftiko_runtime.failures import FailureKind
from tests.consumes.certificates import DAY, Identity, make_identity
from tests.consumes.conftest import Opener
from tests.consumes.raw_upstream import Connection, answer_all, raw_upstream
from tests.consumes.requests import failing, request, secret_request
from tests.serving_process import clean_environment

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def identity() -> Identity:
    return make_identity()


@pytest.fixture(scope="module")
def authority() -> Identity:
    return make_identity(common_name="Test Authority", authority=True)


async def test_E5_a_self_signed_certificate_is_refused_with_what_to_do(
    client: Opener, identity: Identity, tmp_path: Path
) -> None:
    tls = identity.server_context(tmp_path)
    async with raw_upstream(answer_all, tls) as upstream, client() as upstreams:
        failure = await failing(upstreams, secret_request(upstream.url, "POST"))
    assert failure.kind is FailureKind.UPSTREAM_UNTRUSTED
    assert not failure.executed
    assert "self-signed certificate" in failure.detail
    assert f'"naftiko trust {upstream.url}"' in failure.detail
    assert "--ca FILE" in failure.detail
    assert "--insecure gateway" in failure.detail
    assert upstream.requests == []


async def test_a_kept_certificate_is_accepted(
    client: Opener, identity: Identity, tmp_path: Path, trust: TrustStore
) -> None:
    tls = identity.server_context(tmp_path)
    async with raw_upstream(answer_all, tls) as upstream, client() as upstreams:
        trust.pin("localhost", upstream.port, identity.pem)
        for _ in range(5):
            assert (await upstreams.send(request(upstream.url, "POST"))).status == 200
    assert upstream.connections == 1


async def test_a_kept_certificate_need_not_name_the_host(
    client: Opener, tmp_path: Path, trust: TrustStore
) -> None:
    identity = make_identity("gateway.example")
    tls = identity.server_context(tmp_path)
    async with raw_upstream(answer_all, tls) as upstream, client() as upstreams:
        trust.pin("localhost", upstream.port, identity.pem)
        assert (await upstreams.send(request(upstream.url))).status == 200


async def test_a_kept_certificate_counts_for_its_host_and_port_alone(
    client: Opener, identity: Identity, tmp_path: Path, trust: TrustStore
) -> None:
    tls = identity.server_context(tmp_path)
    async with raw_upstream(answer_all, tls) as upstream, client() as upstreams:
        trust.pin("localhost", upstream.port + 1, identity.pem)
        trust.pin("127.0.0.1", upstream.port, identity.pem)
        failure = await failing(upstreams, secret_request(upstream.url))
        assert failure.kind is FailureKind.UPSTREAM_UNTRUSTED
        by_address = f"https://127.0.0.1:{upstream.port}/"
        assert (await upstreams.send(request(by_address))).status == 200


async def test_a_certificate_kept_or_forgotten_meanwhile_counts_without_a_restart(
    client: Opener, identity: Identity, tmp_path: Path, trust: TrustStore
) -> None:
    tls = identity.server_context(tmp_path)

    async def trusted() -> bool:
        try:
            await upstreams.send(request(upstream.url))
        except Exception:
            return False
        return True

    async def until(expected: bool) -> None:
        async with asyncio.timeout(20):
            while await trusted() is not expected:
                await asyncio.sleep(0.05)

    async with raw_upstream(answer_all, tls) as upstream, client() as upstreams:
        assert not await trusted()
        trust.pin("localhost", upstream.port, identity.pem)
        await until(True)
        trust.forget("localhost", upstream.port)
        await until(False)


async def test_a_changed_certificate_is_refused_and_said_to_have_changed(
    client: Opener, identity: Identity, tmp_path: Path, trust: TrustStore
) -> None:
    tls = make_identity().server_context(tmp_path)
    async with raw_upstream(answer_all, tls) as upstream, client() as upstreams:
        trust.pin("localhost", upstream.port, identity.pem)
        failure = await failing(upstreams, secret_request(upstream.url, "POST"))
    assert failure.kind is FailureKind.UPSTREAM_UNTRUSTED
    assert not failure.executed
    assert "its certificate changed" in failure.detail
    assert "something else may be answering" in failure.detail
    assert upstream.requests == []


async def test_a_certificate_signed_by_the_kept_one_is_another_certificate(
    client: Opener, authority: Identity, tmp_path: Path, trust: TrustStore
) -> None:
    tls = make_identity(issuer=authority).server_context(tmp_path)
    async with raw_upstream(answer_all, tls) as upstream, client() as upstreams:
        trust.pin("localhost", upstream.port, authority.pem)
        failure = await failing(upstreams, secret_request(upstream.url))
    assert failure.kind is FailureKind.UPSTREAM_UNTRUSTED
    assert "its certificate changed" in failure.detail


async def test_a_certificate_that_an_authority_vouches_for_does_not_replace_the_kept_one(
    client: Opener, authority: Identity, identity: Identity, tmp_path: Path, trust: TrustStore
) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(authority.pem)
    tls = make_identity(issuer=authority).server_context(tmp_path)
    async with raw_upstream(answer_all, tls) as upstream, client(ca_files=(ca_file,)) as upstreams:
        trust.pin("localhost", upstream.port, identity.pem)
        failure = await failing(upstreams, secret_request(upstream.url))
    assert "its certificate changed" in failure.detail


@pytest.mark.parametrize(("begins", "ends"), [(-2 * DAY, -DAY), (DAY, 2 * DAY)])
async def test_on_a_loopback_address_a_kept_certificate_counts_whatever_its_dates(
    client: Opener, tmp_path: Path, trust: TrustStore, begins: timedelta, ends: timedelta
) -> None:
    identity = make_identity(begins=begins, ends=ends)
    tls = identity.server_context(tmp_path)
    async with raw_upstream(answer_all, tls) as upstream, client() as upstreams:
        trust.pin("localhost", upstream.port, identity.pem)
        assert (await upstreams.send(request(upstream.url))).status == 200


async def test_a_damaged_kept_certificate_is_named(
    client: Opener, identity: Identity, tmp_path: Path, trust: TrustStore
) -> None:
    tls = identity.server_context(tmp_path)
    async with raw_upstream(answer_all, tls) as upstream, client() as upstreams:
        trust.pin("localhost", upstream.port, identity.pem)
        trust.file("localhost", upstream.port).write_text("rubbish")
        failure = await failing(upstreams, secret_request(upstream.url))
    assert failure.kind is FailureKind.UPSTREAM_UNTRUSTED
    assert "damaged" in failure.detail


async def test_an_authority_of_the_users_is_accepted_for_the_hosts_it_vouches_for(
    client: Opener, authority: Identity, tmp_path: Path
) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(authority.pem)
    right = make_identity("localhost", issuer=authority).server_context(tmp_path)
    wrong = make_identity("other.example", issuer=authority).server_context(tmp_path)
    async with client(ca_files=(ca_file,)) as upstreams:
        async with raw_upstream(answer_all, right) as upstream:
            assert (await upstreams.send(request(upstream.url))).status == 200
        async with raw_upstream(answer_all, wrong) as upstream:
            failure = await failing(upstreams, secret_request(upstream.url))
    assert failure.kind is FailureKind.UPSTREAM_UNTRUSTED
    assert "Hostname mismatch" in failure.detail


async def test_SSL_CERT_FILE_names_the_authorities(
    client: Opener, authority: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    tls = make_identity(issuer=authority).server_context(tmp_path)
    async with raw_upstream(answer_all, tls) as upstream, client() as upstreams:
        assert (await upstreams.send(request(upstream.url))).status == 200


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl names files by their hashes")
async def test_SSL_CERT_DIR_names_the_authorities(
    client: Opener, authority: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(folder_of(authority, tmp_path)))
    tls = make_identity(issuer=authority).server_context(tmp_path)
    async with raw_upstream(answer_all, tls) as upstream, client() as upstreams:
        assert (await upstreams.send(request(upstream.url))).status == 200


@pytest.mark.parametrize("place", ["openssl_cafile", "openssl_capath"])
async def test_the_authorities_of_the_system_are_accepted_and_no_others(
    client: Opener,
    identity: Identity,
    authority: Identity,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    if place == "openssl_capath" and shutil.which("openssl") is None:
        pytest.skip("openssl names files by their hashes")
    if sys.platform != "linux":
        pytest.skip("other systems have their own store")
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(variable, raising=False)
    file = tmp_path / "system.pem"
    file.write_text(authority.pem)
    found = file if place == "openssl_cafile" else folder_of(authority, tmp_path)
    nowhere = dict.fromkeys(("openssl_cafile", "openssl_capath"), str(tmp_path / "nowhere"))
    places = ssl.get_default_verify_paths()._replace(**{**nowhere, place: str(found)})
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: places)
    right = make_identity(issuer=authority).server_context(tmp_path)
    wrong = identity.server_context(tmp_path)
    async with client() as upstreams:
        async with raw_upstream(answer_all, right) as upstream:
            assert (await upstreams.send(request(upstream.url))).status == 200
        async with raw_upstream(answer_all, wrong) as upstream:
            failure = await failing(upstreams, secret_request(upstream.url))
    assert failure.kind is FailureKind.UPSTREAM_UNTRUSTED


def test_authorities_that_are_named_need_no_other_http_client(
    authority: Identity, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(authority.pem)
    code = (
        "import sys; from naftiko_runtime.consumes.tls import verified_context; "
        "verified_context(); sys.exit('httpx2' in sys.modules)"
    )
    environment = {**clean_environment(), "SSL_CERT_FILE": str(file)}
    subprocess.run([sys.executable, "-c", code], env=environment, timeout=60, check=True)


def folder_of(authority: Identity, folder: Path) -> Path:
    """A folder as OpenSSL searches it."""
    file = folder / "authority.pem"
    file.write_text(authority.pem)
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    certificates = folder / "certificates"
    certificates.mkdir()
    (certificates / f"{done.stdout.strip()}.0").write_text(authority.pem)
    return certificates


async def test_an_unusable_SSL_CERT_FILE_is_said_to_be_so(
    client: Opener, identity: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    async with client() as upstreams:
        failure = await failing(upstreams, secret_request("https://localhost:1"))
    assert failure.kind is FailureKind.UPSTREAM_UNTRUSTED
    assert "SSL_CERT_FILE" in failure.detail


@pytest.mark.parametrize("content", [None, "rubbish"])
def test_an_unusable_ca_file_is_refused_at_once(
    tmp_path: Path, trust: TrustStore, content: str | None
) -> None:
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)
    with pytest.raises(TrustError, match=r"--ca .*ca\.pem"):
        HttpUpstreams(UpstreamSettings(trust=trust, ca_files=(ca_file,)))


async def test_insecure_skips_the_check_for_that_namespace_alone(
    client: Opener, identity: Identity, tmp_path: Path
) -> None:
    tls = identity.server_context(tmp_path)
    async with raw_upstream(answer_all, tls) as upstream:
        async with client(insecure=frozenset({"gateway"})) as upstreams:
            assert (await upstreams.send(request(upstream.url))).status == 200
        async with client(insecure=frozenset({"other"})) as upstreams:
            failure = await failing(upstreams, secret_request(upstream.url))
    assert failure.kind is FailureKind.UPSTREAM_UNTRUSTED


@pytest.mark.parametrize("host", ["api.example.com", "10.0.0.1", "localhost.evil.example"])
async def test_insecure_is_for_loopback_addresses_only(client: Opener, host: str) -> None:
    async with client(insecure=frozenset({"gateway"})) as upstreams:
        failure = await failing(upstreams, secret_request(f"https://{host}", "POST"))
    assert failure.kind is FailureKind.UPSTREAM_UNTRUSTED
    assert not failure.executed
    assert "--insecure gateway is for loopback addresses only" in failure.detail


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("127.0.0.1.example", False),
        ("localhost.example", False),
        ("mylocalhost", False),
        ("192.168.0.1", False),
        ("", False),
    ],
)
def test_loopback_hosts(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


async def test_a_server_that_speaks_no_tls_executed_nothing(client: Opener) -> None:
    async def plain(connection: Connection) -> None:
        await connection.reader.read(1)
        await connection.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with raw_upstream(plain) as upstream, client() as upstreams:
        origin = f"https://localhost:{upstream.port}"
        failure = await failing(upstreams, secret_request(origin, "POST"))
    assert failure.kind is FailureKind.UPSTREAM_UNREACHABLE
    assert not failure.executed
    assert "http://" in failure.detail


@pytest.mark.parametrize("reset", [False, True])
async def test_a_server_that_hangs_up_during_the_handshake_executed_nothing(
    client: Opener, reset: bool
) -> None:
    async def rude(connection: Connection) -> None:
        await connection.reader.read(1)
        if reset:
            connection.reset()

    async with raw_upstream(rude) as upstream, client() as upstreams:
        origin = f"https://localhost:{upstream.port}"
        failure = await failing(upstreams, secret_request(origin, "POST"))
    assert failure.kind is FailureKind.UPSTREAM_UNREACHABLE
    assert not failure.executed


async def test_a_handshake_that_never_ends_executed_nothing(client: Opener) -> None:
    async def mute(connection: Connection) -> None:
        await connection.until_left()

    async with raw_upstream(mute) as upstream, client(connect_timeout=0.2) as upstreams:
        origin = f"https://localhost:{upstream.port}"
        failure = await failing(upstreams, secret_request(origin, "POST"))
    assert failure.kind is FailureKind.UPSTREAM_UNREACHABLE
    assert not failure.executed
    assert "no connection within 0.2 s" in failure.detail


async def test_a_connection_closed_over_tls_without_an_answer_may_have_executed(
    client: Opener, identity: Identity, tmp_path: Path
) -> None:
    async def script(connection: Connection) -> None:
        await connection.request()

    tls = identity.server_context(tmp_path)
    async with (
        raw_upstream(script, tls) as upstream,
        client(insecure=frozenset({"gateway"})) as upstreams,
    ):
        failure = await failing(upstreams, secret_request(upstream.url, "POST"))
    assert failure.kind is FailureKind.UPSTREAM_BROKEN
    assert failure.executed


async def test_a_server_that_wants_a_client_certificate_is_a_failure(
    client: Opener, identity: Identity, authority: Identity, tmp_path: Path
) -> None:
    tls = identity.server_context(tmp_path)
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(cadata=authority.pem)
    async with (
        raw_upstream(answer_all, tls) as upstream,
        client(insecure=frozenset({"gateway"})) as upstreams,
    ):
        failure = await failing(upstreams, secret_request(upstream.url, "POST"))
    assert failure.kind in (FailureKind.UPSTREAM_BROKEN, FailureKind.UPSTREAM_UNREACHABLE)
    assert upstream.requests == []


def handshake(server: ssl.SSLContext, client_side: ssl.SSLContext) -> None:
    """A TLS handshake in memory, for hosts that this machine is not."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client_side.wrap_bio(to_client, to_server, server_hostname="gateway.example"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                pass
    assert not ends


@pytest.mark.parametrize(("begins", "ends"), [(-2 * DAY, -DAY), (DAY, 2 * DAY)])
def test_elsewhere_a_kept_certificate_counts_only_in_its_time(
    tmp_path: Path, begins: timedelta, ends: timedelta
) -> None:
    untimely = make_identity(begins=begins, ends=ends)
    timely = make_identity()
    for identity, any_date in ((timely, False), (untimely, True)):
        context = pinned_context(identity.pem, any_date=any_date)
        handshake(identity.server_context(tmp_path), context)
    strict = pinned_context(untimely.pem, any_date=False)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(untimely.server_context(tmp_path), strict)
