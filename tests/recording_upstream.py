"""A real HTTP server for tests: it records each request as it came over the wire and answers as
the test says.

    with RecordingUpstream() as upstream:
        upstream.answers(reply_json({"id": 1}))
        ...                                     # something calls upstream.url
        assert upstream.requests[0].target == "/orders/a%2Fb?limit=5"
"""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Any, Self

WAIT_SECONDS = 60.0
"""How long a test waits for something that should happen at once, before it fails."""


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request as the wire had it: nothing decoded, nothing merged."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """The first value of a header, its name in any case."""
        values = self.all(name)
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to give.

    `hold`: the answer waits until the event is set (a call in flight for as long as a test
    likes). `raw`: these bytes instead of a well-formed response. `chunks`: the body in pieces
    of chunked encoding. `break_off`: the connection closes after what has been sent (with
    `raw=b""`: without any answer).
    """

    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    hold: threading.Event | None = None
    raw: bytes | None = None
    chunks: Sequence[bytes] | None = None
    break_off: bool = False


Answerer = Callable[[RecordedRequest], Reply]


def reply_json(value: object, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> Reply:
    """An answer with a JSON body."""
    content = (("content-type", "application/json"), *headers)
    return Reply(status, content, json.dumps(value).encode())


def echo(request: RecordedRequest) -> Reply:
    """What an upstream answers unless told otherwise: the request's method, target and body."""
    seen = {"method": request.method, "target": request.target, "body": request.body.decode()}
    return reply_json(seen)


@dataclass
class RecordingUpstream:
    """The server. `requests` grows as requests arrive; `url` has no trailing slash."""

    tls: ssl.SSLContext | None = None
    requests: list[RecordedRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._answer: Answerer = echo
        self._arrived = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.upstream = self
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}"

    def answers(self, *replies: Reply | Answerer) -> None:
        """Answers the next requests with these in order, and all later ones with the last."""
        waiting = list(replies)
        lock = threading.Lock()

        def answer(request: RecordedRequest) -> Reply:
            with lock:
                reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            return reply if isinstance(reply, Reply) else reply(request)

        self._answer = answer

    def wait_for(self, count: int, seconds: float = WAIT_SECONDS) -> list[RecordedRequest]:
        """The requests so far, once there are at least `count` of them."""
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.requests) >= count, seconds)
        assert arrived, f"{len(self.requests)} requests arrived, not {count}"
        return list(self.requests)

    def record(self, request: RecordedRequest) -> Reply:
        """Called by the server's threads: keeps a request and chooses its answer."""
        with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()
        return self._answer(request)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingMixIn, HTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    upstream: RecordingUpstream

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    raw_requestline: bytes

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        # `self.path` is not the wire's: the base class folds leading slashes.
        method, target, *_ = self.raw_requestline.decode("latin-1").rstrip("\r\n").split(" ")
        headers = tuple((key, value) for key, value in self.headers.items())
        request = RecordedRequest(method, target, headers, self._body())
        reply = self.server.upstream.record(request)
        if reply.hold is not None:
            reply.hold.wait(WAIT_SECONDS * 2)
        self._send(reply)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, reply: Reply) -> None:
        if reply.raw is not None:
            self.wfile.write(reply.raw)
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        named = {name.lower() for name, _ in reply.headers}
        if reply.chunks is not None:
            self.send_header("transfer-encoding", "chunked")
        elif "content-length" not in named and reply.status not in (204, 304):
            self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        for chunk in reply.chunks or ():
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        if reply.chunks is not None and not reply.break_off:
            self.wfile.write(b"0\r\n\r\n")
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        if reply.break_off:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """The test's output stays the test's."""
