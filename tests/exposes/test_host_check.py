"""Which Host and Origin headers a listener answers."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.exposes.host_check import HostPolicy
from naftiko_runtime.failures import Failure, FailureKind
from tests.exposes.rest.listener import Listener, listening
from tests.exposes.rest.plans import served

LOOPBACK = HostPolicy.for_address("127.0.0.1")
OPEN = HostPolicy.for_address("0.0.0.0")


def verdict(policy: HostPolicy, host: str | bytes, origin: str | bytes | None = None) -> int:
    """The status that a request gets: 200 where the policy has nothing against it."""
    headers = [(b"accept", b"*/*"), (b"host", host if isinstance(host, bytes) else host.encode())]
    if origin is not None:
        headers.append((b"origin", origin if isinstance(origin, bytes) else origin.encode()))
    failure = policy.check(headers)
    assert policy.check(headers) == failure, "a remembered verdict differs from the first"
    return 200 if failure is None else failure.kind.status


@pytest.mark.parametrize("bound", ["127.0.0.1", "localhost", "::1", "[::1]", "127.5.5.5"])
@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:8080",
        "localhost:1",
        "127.0.0.1",
        "127.0.0.1:65535",
        "127.9.8.7:80",
        "[::1]",
        "[::1]:8080",
        "[0:0:0:0:0:0:0:1]:8080",
    ],
)
def test_t1_a_loopback_listener_answers_to_loopback_names_on_any_port(
    bound: str, host: str
) -> None:
    assert verdict(HostPolicy.for_address(bound), host) == 200


FOREIGN_HOSTS = [
    "evil.example",
    "localhost.evil.example",
    "evil-localhost",
    "localhost.",
    "xlocalhost",
    "127.0.0.1.evil.example",
    "127.0.0.1.nip.io:8080",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.0.0.01",
    "localhost.localdomain",
    "xn--lcalhost-o3b",
]


@pytest.mark.parametrize("host", [*FOREIGN_HOSTS, "0.0.0.0", "192.168.1.5", "[::]", "[fe80::1]"])
def test_t1_a_loopback_listener_refuses_every_other_name(host: str) -> None:
    assert verdict(LOOPBACK, host) == 403


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_t1_an_open_listener_refuses_names_that_it_was_not_told(host: str) -> None:
    assert verdict(OPEN, host) == 403


@pytest.mark.parametrize("bound", ["0.0.0.0", "::", "", "192.168.1.5", "box.lan"])
def test_t1_an_open_listener_answers_to_addresses_and_to_the_names_it_was_told(bound: str) -> None:
    policy = HostPolicy.for_address(bound, ["API.example"])
    for host in ("192.168.1.5:8080", "10.0.0.1", "[fe80::1]:80", "localhost", "api.example:443"):
        assert verdict(policy, host) == 200
    assert verdict(policy, "box.lan") == (200 if bound == "box.lan" else 403)
    assert verdict(policy, "evil.example") == 403


def test_a_loopback_listener_answers_to_the_name_of_its_proxy() -> None:
    policy = HostPolicy.for_address("127.0.0.1", ["api.example"])
    assert verdict(policy, "api.example") == 200
    assert verdict(policy, "api.example.evil") == 403
    assert verdict(policy, "192.168.1.5") == 403


@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        ":8080",
        "localhost:",
        "localhost:x",
        "localhost:80:80",
        "localhost:123456",
        "localhost, evil.example",
        "localhost\tevil",
        "user@localhost",
        "localhost/",
        "localhost#",
        "[::1",
        "::1",
        "[localhost]",
        "http://localhost",
        "l\u00f6calhost",
        "\u217cocalhost",
        b"localhost\xff",
        b"localhost\x00",
        "localhost:\u0661",
    ],
)
def test_a_host_header_that_is_no_host_is_400(host: str | bytes) -> None:
    assert verdict(LOOPBACK, host) == 400
    assert verdict(OPEN, host) == 400


def test_the_brackets_are_for_version_6_only() -> None:
    assert verdict(OPEN, "[1.2.3.4]") == 403
    assert verdict(LOOPBACK, "[127.0.0.1]") == 403


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8080", "http://localhost:8080"),
        ("localhost:8080", "https://localhost:8080"),
        ("LOCALHOST:8080", "http://localhost:8080"),
        ("127.0.0.1", "http://127.0.0.1"),
        ("[::1]:80", "http://[::1]:80"),
    ],
)
def test_t2_a_page_of_the_same_host_and_port_may_ask(host: str, origin: str) -> None:
    assert verdict(LOOPBACK, host, origin) == 200


FOREIGN_ORIGINS = [
    "http://evil.example",
    "null",
    "",
    "http://localhost.evil",
    "http://localhost.evil:8080",
    "http://localhost:8080.evil",
    "http://localhost:8080@evil.example",
    "http://evil.example/localhost:8080",
    "http://evil.example#localhost:8080",
    "http://localhost",
    "http://localhost:80",
    "http://localhost:8081",
    "http://localhost:08080",
    "http://localhost:8080/",
    "http://127.0.0.1:8080",
    "http://l\u043ecalhost:8080",
    "http://xn--lcalhost-o3b:8080",
    "http://\u217cocalhost:8080",
    "file://",
    "file://localhost:8080",
    "chrome-extension://localhost:8080",
    "ws://localhost:8080",
    "localhost:8080",
    "//localhost:8080",
    "http:localhost:8080",
    "http://http://localhost:8080",
    "http://localhost:8080 http://evil.example",
    b"http://localhost:8080\xff",
]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
@pytest.mark.parametrize("policy", [LOOPBACK, OPEN], ids=["loopback", "open"])
def test_t2_a_page_of_any_other_origin_may_not(policy: HostPolicy, origin: str | bytes) -> None:
    assert verdict(policy, "localhost:8080", origin) == 403


def test_t2_pages_of_a_named_host_may_ask_on_any_port() -> None:
    policy = HostPolicy.for_address("127.0.0.1", ["app.example"])
    assert verdict(policy, "localhost:8080", "https://app.example") == 200
    assert verdict(policy, "localhost:8080", "http://app.example:3000") == 200
    for origin in ("https://app.example.evil", "https://app.example:3000@evil", "app.example"):
        assert verdict(policy, "localhost:8080", origin) == 403


def test_missing_and_repeated_headers_are_refused() -> None:
    host, origin = (b"host", b"localhost"), (b"origin", b"http://localhost")
    for headers, field in (
        ([], "Host"),
        ([origin], "Host"),
        ([host, host], "Host"),
        ([host, (b"host", b"evil.example")], "Host"),
        ([host, origin, origin], "Origin"),
        ([host, origin, (b"origin", b"null")], "Origin"),
    ):
        failure = LOOPBACK.check(headers)
        assert failure is not None
        assert (failure.kind, failure.field) == (FailureKind.INVALID_INPUT, field)


def test_ever_new_hosts_do_not_fill_the_memory() -> None:
    policy = HostPolicy.for_address("127.0.0.1")
    tracemalloc.start()
    try:
        for number in range(10_000):
            assert verdict(policy, f"{number}.{'h' * 400}.example") == 403
        for number in range(100):
            assert verdict(policy, f"{number}.{'h' * 100_000}") == 403
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 2_000_000


HOST_PIECES = st.sampled_from(
    ["localhost", "127.0.0.1", "[::1]", ":8080", ".", "evil", "@", "/", "%", "1", "[", " ", "\t"]
)


@given(st.lists(HOST_PIECES, min_size=1, max_size=4).map("".join))
def test_t1_nothing_passes_but_a_loopback_host_with_a_port(host: str) -> None:
    known = re.fullmatch(r"(localhost|127\.0\.0\.1{1,3}|\[::1\])(:80801?)?", host)
    assert (verdict(LOOPBACK, host) == 200) == (known is not None)


@given(st.binary(max_size=20))
def test_t2_no_origin_passes_but_that_of_the_same_host(origin: bytes) -> None:
    assert verdict(LOOPBACK, "localhost:8080", origin) in (200, 403)
    assert (verdict(LOOPBACK, "localhost:8080", origin) == 200) == (
        origin.lower() in (b"http://localhost:8080", b"https://localhost:8080")
    )


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with listening(served("GET", "/a"), served("POST", "/a", body=True)) as running:
        yield running


@pytest.mark.parametrize("target", ["/a", "/docs", "/openapi.json", "/nothing"])
def test_t1_a_rebound_name_gets_403_whatever_it_asks(listener: Listener, target: str) -> None:
    calls = len(listener.engine.calls)
    answered = listener.get(target, {"host": "evil.example"})
    assert answered.problem(403, "forbidden-host")["field"] == "Host"
    assert len(listener.engine.calls) == calls


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost.evil"])
def test_t2_a_foreign_page_places_no_order(listener: Listener, origin: str) -> None:
    calls = len(listener.engine.calls)
    answered = listener.call("POST", "/a", b"{}", {"origin": origin})
    assert answered.problem(403, "forbidden-host")["field"] == "Origin"
    assert len(listener.engine.calls) == calls


def test_t2_the_documentation_page_may_call(listener: Listener) -> None:
    assert listener.call("POST", "/a", b"{}", {"origin": listener.origin}).status == 200


def test_t3_no_answer_allows_another_origin_to_read_it(listener: Listener) -> None:
    asked = {"access-control-request-method": "POST"}
    preflight = listener.call("OPTIONS", "/a", None, {**asked, "origin": "http://evil.example"})
    own = listener.call("OPTIONS", "/a", None, {**asked, "origin": listener.origin})
    called = listener.get("/a", {"origin": listener.origin})
    assert (preflight.status, own.status, called.status) == (403, 204, 200)
    for answered in (preflight, own, called):
        assert not [n for n, _ in answered.headers if n.lower().startswith("access-control")]


def test_a_request_without_host_is_400(listener: Listener) -> None:
    answer = listener.raw(b"GET /a HTTP/1.0\r\n\r\n")
    assert b" 400 " in answer.partition(b"\r\n")[0]
    assert b"no Host header" in answer


def test_a_verdict_says_nothing_of_other_names(listener: Listener) -> None:
    failure = HostPolicy.for_address("127.0.0.1", ["secret.example"]).check(
        [(b"host", b"evil.example")]
    )
    assert isinstance(failure, Failure)
    assert "secret.example" not in failure.detail
