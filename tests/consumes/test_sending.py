"""What an upstream gets is what was asked to be sent, byte for byte."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.consumes.trust import TrustStore
from tests.consumes.conftest import Opener
from tests.consumes.raw_upstream import Connection, RawRequest, answer_all, raw_upstream
from tests.consumes.requests import request

pytestmark = pytest.mark.anyio

TARGETS = [
    "/",
    "/a%2Fb",
    "/%2e%2e/%2E%2E/x",
    "/a/../b/./c",
    "//double//slash",
    "/a+b;v=1/it's(1)!*",
    "/%E2%82%AC%20%00%ff",
    "/trailing/",
    "/p?q=a+b&q=%2f&q=%2F&e=&flag&'=%27&;=;",
    "/p?$select=a,b&page[limit]=5&@id=1",
    "/p?a=b?c/d",
    "/p?",
    "?q=1",
    "",
]


async def sent_by(client: Opener, target: str) -> RawRequest:
    async with raw_upstream(answer_all) as upstream, client() as upstreams:
        await upstreams.send(request(upstream.url + target))
        return upstream.requests[0]


@pytest.mark.parametrize("target", TARGETS)
async def test_A1_the_target_arrives_as_it_was_written(client: Opener, target: str) -> None:
    written = target if target.startswith("/") else f"/{target}"
    assert (await sent_by(client, target)).line == f"GET {written} HTTP/1.1".encode()


async def test_a_fragment_stays_here(client: Opener) -> None:
    assert (await sent_by(client, "/p?q=1#part")).target == b"/p?q=1"


visible = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"))


@given(st.lists(visible, min_size=1, max_size=20))
@settings(max_examples=30)
def test_A1_any_target_of_visible_characters_arrives_as_it_was_written(paths: list[str]) -> None:
    async def exchange() -> list[bytes]:
        upstreams = HttpUpstreams(UpstreamSettings(trust=TrustStore(Path("/nonexistent"))))
        async with raw_upstream(answer_all) as upstream:
            for path in paths:
                await upstreams.send(request(f"{upstream.url}/{path}"))
            await upstreams.aclose()
            return [seen.target for seen in upstream.requests]

    assert asyncio.run(exchange()) == [f"/{path}".encode() for path in paths]


async def test_headers_arrive_in_order_with_repeats_and_their_spelling(client: Opener) -> None:
    given_headers = [("X-B", "2"), ("x-a", "1"), ("X-B", "3"), ("Accept", "text/csv")]
    async with raw_upstream(answer_all) as upstream, client() as upstreams:
        await upstreams.send(request(upstream.url, headers=given_headers))
    seen = [(k.decode(), v.decode()) for k, v in upstream.requests[0].headers]
    assert seen == [
        ("Host", f"localhost:{upstream.port}"),
        *given_headers,
        ("User-Agent", f"naftiko-runtime/{version('naftiko-runtime')}"),
        ("Accept-Encoding", "gzip, deflate"),
    ]


async def test_headers_that_are_given_replace_the_defaults(client: Opener) -> None:
    defaults = ["Host", "User-Agent", "Accept", "Accept-Encoding"]
    chosen = [(name.lower(), "mine") for name in defaults]
    async with raw_upstream(answer_all) as upstream, client() as upstreams:
        await upstreams.send(request(upstream.url, headers=chosen))
    for name in defaults:
        assert upstream.requests[0].all(name.lower().encode()) == [b"mine"]


@pytest.mark.parametrize("content", [None, b""])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_method_that_takes_a_body_says_that_there_is_none(
    client: Opener, method: str, content: bytes | None
) -> None:
    async with raw_upstream(answer_all) as upstream, client() as upstreams:
        await upstreams.send(request(upstream.url, method, content=content))
    assert upstream.requests[0].all(b"content-length") == [b"0"]
    assert upstream.requests[0].all(b"transfer-encoding") == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
async def test_other_methods_do_not_mention_a_body(client: Opener, method: str) -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.say(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with raw_upstream(script) as upstream, client() as upstreams:
        await upstreams.send(request(upstream.url, method))
    assert upstream.requests[0].all(b"content-length") == []
    assert upstream.requests[0].all(b"transfer-encoding") == []


@pytest.mark.parametrize("body", [b"{}", b"\x00\xff" * 100_000])
async def test_a_body_arrives_with_its_true_length_whatever_a_header_claims(
    client: Opener, body: bytes
) -> None:
    lies = [("Content-Length", "3"), ("Transfer-Encoding", "chunked")]
    async with raw_upstream(answer_all) as upstream, client() as upstreams:
        await upstreams.send(request(upstream.url, "POST", lies, body))
    assert upstream.requests[0].body == body
    assert upstream.requests[0].all(b"content-length") == [str(len(body)).encode()]
    assert upstream.requests[0].all(b"transfer-encoding") == []


async def test_one_connection_serves_calls_that_follow_each_other(client: Opener) -> None:
    async with raw_upstream(answer_all) as upstream, client() as upstreams:
        for _ in range(5):
            await upstreams.send(request(upstream.url, "POST"))
    assert len(upstream.requests) == 5
    assert upstream.connections == 1


async def test_E8_cookies_are_not_kept(client: Opener) -> None:
    async def script(connection: Connection) -> None:
        while True:
            await connection.request()
            await connection.answer(b"{}", b"Set-Cookie: session=1; Path=/")

    async with raw_upstream(script) as upstream, client() as upstreams:
        answer = await upstreams.send(request(upstream.url))
        await upstreams.send(request(upstream.url))
    assert answer.header("set-cookie") == "session=1; Path=/"
    assert [seen.all(b"cookie") for seen in upstream.requests] == [[], []]


async def test_E3_a_redirect_is_an_answer(client: Opener) -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.answer(b"", b"Location: http://localhost:1/", status=b"302 Found")

    async with raw_upstream(script) as upstream, client() as upstreams:
        answer = await upstreams.send(request(upstream.url))
    assert (answer.status, answer.header("location")) == (302, "http://localhost:1/")
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_E6_proxies_of_the_environment_are_ignored(
    client: Opener, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    async with raw_upstream(answer_all) as upstream, client() as upstreams:
        answer = await upstreams.send(request(upstream.url))
    assert answer.status == 200


async def test_an_ipv6_address_is_reached_and_named_in_brackets(client: Opener) -> None:
    heads: list[bytes] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    try:
        server = await asyncio.start_server(accept, "::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    port = server.sockets[0].getsockname()[1]
    async with server, client() as upstreams:
        answer = await upstreams.send(request(f"http://[::1]:{port}/"))
    assert answer.status == 204
    assert f"Host: [::1]:{port}\r\n".encode() in heads[0]
