"""What the user decided to trust is kept per host and port, and nothing else is."""

from __future__ import annotations

import asyncio
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.consumes.trust import (
    FetchError,
    KeptCertificate,
    TrustStore,
    fetch_certificate,
    read_certificate,
)
from tests.consumes.certificates import DAY, make_identity
from tests.consumes.raw_upstream import Connection, Script, answer_all, raw_upstream

PEM = make_identity().pem

hosts = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True) | st.ip_addresses(
    v=6
).map(str)


def test_nothing_is_kept_at_first(trust: TrustStore) -> None:
    assert trust.find("localhost", 5000) is None
    assert not trust.forget("localhost", 5000)
    assert list(trust.kept()) == []
    assert not trust.folder.exists()


def test_a_certificate_is_kept_replaced_and_forgotten(trust: TrustStore) -> None:
    renewed = make_identity().pem
    trust.pin("localhost", 5000, PEM)
    assert trust.find("localhost", 5000) == PEM
    trust.pin("localhost", 5000, renewed)
    assert trust.find("localhost", 5000) == renewed
    assert trust.forget("localhost", 5000)
    assert trust.find("localhost", 5000) is None


def test_the_spelling_of_a_host_does_not_matter(trust: TrustStore) -> None:
    trust.pin("LocalHost", 5000, PEM)
    assert trust.find("localhost", 5000) == PEM


@given(st.sets(st.tuples(hosts, st.integers(1, 65535)), max_size=10))
def test_places_do_not_get_in_each_others_way(
    tmp_path_factory: pytest.TempPathFactory, places: set[tuple[str, int]]
) -> None:
    trust = TrustStore(tmp_path_factory.mktemp("trust"))
    for host, port in places:
        trust.pin(host, port, PEM)
    assert {(kept.host, kept.port) for kept in trust.kept()} == places
    for host, port in places:
        assert trust.forget(host, port)
    assert list(trust.folder.iterdir()) == []


def test_what_is_kept_can_be_listed(trust: TrustStore) -> None:
    trust.pin("localhost", 5000, PEM)
    trust.pin("::1", 443, PEM)
    (trust.folder / "notes.txt").write_text("not a certificate")
    assert set(trust.kept()) == {
        KeptCertificate("localhost", 5000, PEM),
        KeptCertificate("::1", 443, PEM),
    }


@pytest.mark.parametrize("pem", ["", "rubbish", PEM + PEM, PEM + "more"])
def test_only_one_certificate_can_be_kept_for_a_place(trust: TrustStore, pem: str) -> None:
    with pytest.raises(ValueError, match="not one certificate"):
        trust.pin("localhost", 5000, pem)
    assert trust.find("localhost", 5000) is None


@pytest.mark.parametrize("host", ["../evil", "a/b", "", "a\\b", "a b", "höst", "a\0b"])
def test_a_host_cannot_lead_out_of_the_folder(trust: TrustStore, host: str) -> None:
    for action in (trust.find, trust.forget, lambda h, p: trust.pin(h, p, PEM)):
        with pytest.raises(ValueError, match="no host name"):
            action(host, 5000)


def test_only_the_user_can_read_and_change_the_folder(trust: TrustStore) -> None:
    trust.pin("localhost", 5000, PEM)
    assert stat.S_IMODE(trust.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(trust.file("localhost", 5000).stat().st_mode) == 0o600


def test_the_default_folder_follows_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("NAFTIKO_TRUST_DIR", raising=False)
    assert TrustStore.default().folder == tmp_path / ".config/naftiko/trust"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    assert TrustStore.default().folder == tmp_path / "settings/naftiko/trust"
    monkeypatch.setenv("NAFTIKO_TRUST_DIR", "~/kept")
    assert TrustStore.default().folder == tmp_path / "kept"


@pytest.mark.anyio
async def test_a_servers_certificate_is_fetched_with_what_a_person_needs_to_know(
    tmp_path: Path,
) -> None:
    identity = make_identity("localhost", "127.0.0.1", common_name="Gateway", ends=30 * DAY)
    tls = identity.server_context(tmp_path)
    async with raw_upstream(answer_all, tls) as upstream:
        found = await asyncio.to_thread(fetch_certificate, "localhost", upstream.port, 5.0)
    certificate = identity.certificate
    assert found.fingerprint == identity.fingerprint
    assert found.pem == identity.pem
    assert (found.subject, found.issuer, found.self_signed) == ("CN=Gateway", "CN=Gateway", True)
    assert found.names == ("localhost", "127.0.0.1")
    assert found.not_before == certificate.not_valid_before_utc
    assert found.not_after == certificate.not_valid_after_utc


def test_a_certificate_is_self_signed_only_when_its_own_key_signed_it() -> None:
    authority = make_identity(common_name="Same Name", authority=True)
    issued = make_identity(common_name="Same Name", issuer=authority)
    assert read_certificate(authority.pem).self_signed
    assert not read_certificate(issued.pem).self_signed


def test_O8_a_certificates_texts_cannot_steer_a_terminal() -> None:
    identity = make_identity(common_name="evil\x1b[2J\x07\u202e")
    found = read_certificate(identity.pem)
    assert found.subject.isprintable()
    assert "evil" in found.subject


@pytest.mark.parametrize("pem", ["", "rubbish", PEM[:200], "\ud800"])
def test_what_is_no_certificate_cannot_be_read(pem: str) -> None:
    with pytest.raises(ValueError, match="not a certificate"):
        read_certificate(pem)


async def plain_http(connection: Connection) -> None:
    await connection.reader.read(1)
    await connection.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def hang_up(connection: Connection) -> None:
    await connection.reader.read(1)


async def reset(connection: Connection) -> None:
    await connection.reader.read(1)
    connection.reset()


async def say_nothing(connection: Connection) -> None:
    await connection.until_left()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("script", "message"),
    [
        (plain_http, "no TLS"),
        (hang_up, "no TLS"),
        (reset, "no TLS"),
        (say_nothing, "no answer within 0.3 seconds"),
    ],
)
async def test_a_server_without_tls_has_no_certificate(script: Script, message: str) -> None:
    async with raw_upstream(script) as upstream:
        with pytest.raises(FetchError, match=message):
            await asyncio.to_thread(fetch_certificate, "localhost", upstream.port, 0.3)


def test_an_unreachable_server_has_no_certificate() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(FetchError, match="connection refused"):
            fetch_certificate("127.0.0.1", bound.getsockname()[1], 5.0)
    with pytest.raises(FetchError, match="the name is not known"):
        fetch_certificate("no-such-host.invalid", 443, 5.0)
    for host in ("a" * 64 + ".invalid", "a..b"):
        with pytest.raises(FetchError):
            fetch_certificate(host, 443, 5.0)
