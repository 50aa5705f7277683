"""U7: whoever tries one secret after the other is slowed down, and locks out nobody else."""

from __future__ import annotations

import pytest

from naftiko_runtime.exposes.authentication.attempts import BURST, SECONDS_EACH, Attempts
from naftiko_runtime.exposes.authentication.caller import Caller, caller_of
from tests.exposes.authentication.guarded import (
    BEARER,
    DIGEST,
    TOKEN,
    bearer,
    guarding,
    refused,
)
from tests.exposes.authentication.test_digest import DigestClient
from tests.exposes.rest.listener import Listener

GOOD = b"good"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def exhausted(attempts: Attempts, peer: str = "10.0.0.1") -> Attempts:
    for number in range(BURST):
        wrong(attempts, b"%d" % number, peer)
    return attempts


def wrong(attempts: Attempts, given: bytes, peer: str = "10.0.0.1") -> bool:
    return attempts.failed(peer, given, given)


def use_up(listener: Listener) -> None:
    for number in range(BURST):
        refused(listener.get("/ships", bearer(f"guess-{number}")))


def test_too_many_wrong_tries_are_answered_with_a_wait() -> None:
    with guarding(BEARER) as listener:
        use_up(listener)
        answered = listener.get("/ships", bearer("one-more"))
        answered.problem(429, "too-many-failures")
        assert int(answered.header("retry-after") or 0) >= 1
        listener.get("/docs", bearer("one-more")).problem(429, "too-many-failures")


def test_even_the_right_secret_has_to_wait_then_or_guessing_would_go_on() -> None:
    with guarding(BEARER) as listener:
        use_up(listener)
        listener.get("/ships", bearer(TOKEN)).problem(429, "too-many-failures")


def test_who_was_let_in_before_is_not_locked_out_by_others_at_his_address() -> None:
    with guarding(BEARER) as listener:
        assert listener.get("/ships", bearer(TOKEN)).status == 200
        use_up(listener)
        listener.get("/ships", bearer("one-more")).problem(429, "too-many-failures")
        assert listener.get("/ships", bearer(TOKEN)).status == 200


def test_the_same_wrong_secret_again_and_again_is_one_try() -> None:
    """A client with an old key in its settings goes on calling; others must not suffer."""
    with guarding(BEARER) as listener:
        for _ in range(3 * BURST):
            refused(listener.get("/ships", bearer("outdated")))
        assert listener.get("/ships", bearer(TOKEN)).status == 200


def test_who_gives_nothing_never_waits() -> None:
    with guarding(BEARER) as listener:
        use_up(listener)
        for _ in range(BURST + 1):
            refused(listener.get("/ships"))


def test_stale_nonces_are_no_wrong_tries() -> None:
    with guarding(DIGEST) as listener:
        client = DigestClient(listener)
        client.ask()
        header = {"Authorization": client.header("GET", "/ships")}
        assert listener.get("/ships", header).status == 200
        for _ in range(BURST + 1):
            assert "stale=true" in refused(listener.get("/ships", header))[0]


def test_wrong_proofs_are_wrong_tries_also_with_a_nonce_that_has_been_good() -> None:
    with guarding(DIGEST) as listener:
        client = DigestClient(listener)
        client.ask()
        assert client.get().status == 200
        for _ in range(BURST):
            refused(client.get(response="0" * 64))
        client.get(response="1" * 64).problem(429, "too-many-failures")


def test_tries_come_back_with_time() -> None:
    clock = Clock()
    attempts = exhausted(Attempts(clock))
    assert 0 < attempts.seconds_to_wait("10.0.0.1", b"x") <= SECONDS_EACH
    clock.now += SECONDS_EACH
    assert attempts.seconds_to_wait("10.0.0.1", b"x") == 0
    wrong(attempts, b"x")
    assert attempts.seconds_to_wait("10.0.0.1", b"y") > 0
    clock.now += SECONDS_EACH * BURST * 10
    last = [wrong(attempts, b"later-%d" % number) for number in range(BURST)]
    assert last == [False] * (BURST - 1) + [True]


def test_one_address_does_not_slow_another_down() -> None:
    attempts = exhausted(Attempts(Clock()))
    assert attempts.seconds_to_wait("10.0.0.2", b"x") == 0


def test_credentials_that_turn_wrong_lose_their_privilege() -> None:
    attempts = Attempts(Clock())
    attempts.passed(GOOD)
    exhausted(attempts)
    assert attempts.seconds_to_wait("10.0.0.1", GOOD) == 0
    wrong(attempts, GOOD)
    assert attempts.seconds_to_wait("10.0.0.1", GOOD) > 0


def test_memory_is_bounded() -> None:
    attempts = Attempts(Clock())
    for number in range(10_000):
        wrong(attempts, b"%d" % number, f"10.0.{number // 256}.{number % 256}")
        attempts.passed(b"%d" % number)
    assert len(attempts._buckets) <= 4096
    assert len(attempts._good) <= 1024
    assert len(attempts._wrong) <= 1024


def peer_of(address: str | None) -> Caller:
    scope: dict[str, object] = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [],
        "client": None if address is None else (address, 1),
    }
    return caller_of(scope)


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        (None, ""),
    ],
)
def test_addresses_of_one_ipv6_network_are_one_peer(address: str | None, peer: str) -> None:
    assert peer_of(address).peer == peer
