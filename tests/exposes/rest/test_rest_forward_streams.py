"""Forwarded bodies go through as they come, both ways, and end with those who sent them."""

from __future__ import annotations

import hashlib
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.exposes.rest.forwarding_files import forwarding
from tests.recording_upstream import RecordingUpstream, Reply
from tests.served_files import SECONDS, ServedFiles, served


class Peer:
    """One side of a raw exchange; `data` is what came last."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.data = b""

    def until(self, end: bytes) -> bytes:
        """What comes up to and including some bytes."""
        while end not in self.data:
            piece = self.connection.recv(65536)
            assert piece, f"the connection ended after {self.data!r}"
            self.data += piece
        found, _, self.data = self.data.partition(end)
        return found + end

    def until_end(self) -> bytes:
        """What comes until the other side ends the connection."""
        try:
            while piece := self.connection.recv(65536):
                self.data += piece
        except ConnectionResetError:
            pass
        return self.data

    def say(self, data: bytes) -> None:
        self.connection.sendall(data)


@contextmanager
def upstream_playing(script: Callable[[Peer], None]) -> Iterator[str]:
    """An upstream that plays a script on its first connection; its URL."""
    failures: list[BaseException] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(SECONDS)

        def play() -> None:
            try:
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(SECONDS)
                    script(Peer(connection))
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=play)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            thread.join(SECONDS)
            assert not thread.is_alive(), "the upstream's script did not end"
    assert failures == []


@contextmanager
def calling(files: ServedFiles, head: bytes) -> Iterator[Peer]:
    with socket.create_connection(("127.0.0.1", files.port()), SECONDS) as connection:
        connection.sendall(head)
        yield Peer(connection)


GET = b"GET /proxy/x HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /proxy/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n"


def test_an_answer_comes_piece_by_piece_as_the_upstream_sends_it() -> None:
    seen = threading.Event()

    def script(caller: Peer) -> None:
        caller.until(b"\r\n\r\n")
        caller.say(CHUNKED + b"5\r\nfirst\r\n")
        assert seen.wait(SECONDS)
        caller.say(b"6\r\nsecond\r\n0\r\n\r\n")

    with (
        upstream_playing(script) as url,
        served(forwarding(url)) as files,
        calling(files, GET) as answer,
    ):
        assert answer.until(b"first\r\n").startswith(b"HTTP/1.1 200 OK\r\n")
        seen.set()
        assert answer.until(b"0\r\n\r\n") == b"6\r\nsecond\r\n0\r\n\r\n"


def test_a_request_goes_piece_by_piece_as_the_caller_sends_it() -> None:
    seen = threading.Event()

    def script(caller: Peer) -> None:
        caller.until(b"\r\n\r\n")
        assert caller.until(b"first\r\n") == b"5\r\nfirst\r\n"
        seen.set()
        assert caller.until(b"0\r\n\r\n") == b"6\r\nsecond\r\n0\r\n\r\n"
        caller.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with (
        upstream_playing(script) as url,
        served(forwarding(url)) as files,
        calling(files, POST + b"5\r\nfirst\r\n") as answer,
    ):
        assert seen.wait(SECONDS)
        answer.say(b"6\r\nsecond\r\n0\r\n\r\n")
        assert answer.until(b"ok").startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("mebibytes", [40])
def test_bodies_have_no_limit(upstream: RecordingUpstream, mebibytes: int) -> None:
    block = bytes(range(256)) * 4096
    upstream.answers(Reply(200, (("content-type", "x/y"),), chunks=[block] * mebibytes))
    with served(forwarding(upstream.url)) as files:
        connection = files.connect()
        connection.request("POST", "/proxy/x", iter([block] * mebibytes))
        response = connection.getresponse()
        digest = hashlib.sha256()
        while piece := response.read(2**20):
            digest.update(piece)
        connection.close()
    expected = hashlib.sha256(block * mebibytes).hexdigest()
    assert digest.hexdigest() == expected
    assert hashlib.sha256(upstream.requests[0].body).hexdigest() == expected


def test_a_caller_who_hangs_up_ends_the_exchange_with_the_upstream() -> None:
    def script(caller: Peer) -> None:
        caller.until(b"\r\n\r\n")
        caller.say(CHUNKED + b"5\r\nfirst\r\n")
        assert caller.until_end() == b""

    with (
        upstream_playing(script) as url,
        served(forwarding(url)) as files,
        calling(files, GET) as answer,
    ):
        answer.until(b"first\r\n")


def test_a_caller_who_hangs_up_before_the_answer_ends_the_exchange() -> None:
    arrived = threading.Event()

    def script(caller: Peer) -> None:
        caller.until(b"\r\n\r\n")
        arrived.set()
        assert caller.until_end() == b""

    with (
        upstream_playing(script) as url,
        served(forwarding(url)) as files,
        calling(files, GET),
    ):
        assert arrived.wait(SECONDS)


def test_a_caller_who_hangs_up_in_the_middle_of_the_body_ends_the_request() -> None:
    arrived = threading.Event()

    def script(caller: Peer) -> None:
        caller.until(b"first\r\n")
        arrived.set()
        assert not caller.until_end().endswith(b"0\r\n\r\n")

    with upstream_playing(script) as url, served(forwarding(url)) as files:
        with calling(files, POST + b"5\r\nfirst\r\n"):
            assert arrived.wait(SECONDS)
        assert files.get("/docs").status == 200  # the listener goes on


def test_an_answer_that_breaks_off_is_no_whole_answer() -> None:
    def script(caller: Peer) -> None:
        caller.until(b"\r\n\r\n")
        caller.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    with upstream_playing(script) as url, served(forwarding(url)) as files:
        connection = files.connect()
        connection.request("GET", "/proxy/x")
        response = connection.getresponse()
        assert response.status == 200
        with pytest.raises(http.client.IncompleteRead):
            response.read()
        connection.close()


def test_a_chunked_answer_that_breaks_off_is_no_whole_answer() -> None:
    def script(caller: Peer) -> None:
        caller.until(b"\r\n\r\n")
        caller.say(CHUNKED + b"5\r\nfirst\r\n")

    with (
        upstream_playing(script) as url,
        served(forwarding(url)) as files,
        calling(files, GET) as answer,
    ):
        assert not answer.until_end().endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"]
)
def test_what_is_no_answer_is_a_problem(said: bytes) -> None:
    def script(caller: Peer) -> None:
        caller.until(b"\r\n\r\n")
        caller.say(said)

    with upstream_playing(script) as url, served(forwarding(url)) as files:
        answered = files.get("/proxy/x")
    assert answered.status == 502
    assert answered.json()["type"] == "urn:naftiko:problem:upstream-broken"
    assert answered.json()["executed"] is True


def test_an_answer_before_the_whole_request_has_come_reaches_the_caller() -> None:
    def script(caller: Peer) -> None:
        caller.until(b"first\r\n")
        caller.say(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")

    with (
        upstream_playing(script) as url,
        served(forwarding(url)) as files,
        calling(files, POST + b"5\r\nfirst\r\n") as answer,
    ):
        answer.say(b"0\r\n\r\n")
        assert answer.until(b"no").startswith(b"HTTP/1.1 413 ")


def test_connections_to_the_upstream_are_used_again() -> None:
    def script(caller: Peer) -> None:
        for _ in range(3):
            caller.until(b"\r\n\r\n")
            caller.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with upstream_playing(script) as url, served(forwarding(url)) as files:
        assert [files.get("/proxy/x").body for _ in range(3)] == [b"ok"] * 3
