"""Runs examples: `naftiko serve` with all files of a page, and recording upstreams in the place of
the hosts that they name."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from tests.docs.examples import Example, Exchange, Message, Upstream, adapters_of
from tests.docs.matching import Given, check_answer, check_body, check_headers
from tests.docs.mcp_calls import call_mcp
from tests.recording_upstream import WAIT_SECONDS, RecordedRequest, RecordingUpstream, Reply
from tests.serving_process import Serving, serve

_ORIGIN = re.compile(r"https?://(?:[a-z0-9-]+\.)+example\.(?:com|org|net)(?::\d+)?")
_HOST = re.compile(r"(?:[a-z0-9-]+\.)+example\.(?:com|org|net)(?::\d+)?")
_PORT = re.compile(r"^(\s*(?:- )?port:\s*)(\d+)[ \t]*$", re.MULTILINE)
_FIRST_PORT = 20_000
_SECONDS = 30.0


@dataclass
class Upstreams:
    """A recording upstream for each host that examples name, which answers what the exchange at
    hand says and nothing else."""

    stack: ExitStack
    by_origin: dict[str, RecordingUpstream] = field(default_factory=dict)
    expected: list[Upstream] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    lock: threading.Condition = field(default_factory=threading.Condition)

    def in_place(self, text: str) -> str:
        """The text with upstreams that run instead of the hosts of its URLs; a host alone is one
        of plain HTTP."""
        if _HOST.fullmatch(text):
            return self._of(f"http://{text}").url.removeprefix("http://")
        return _ORIGIN.sub(lambda match: self._of(match.group()).url, text)

    def placed(self, message: Message) -> Message:
        headers = tuple((name, self.in_place(value)) for name, value in message.headers)
        return replace(message, headers=headers, body=self.in_place(message.body))

    def _of(self, origin: str) -> RecordingUpstream:
        if origin not in self.by_origin:
            upstream = self.stack.enter_context(RecordingUpstream())
            upstream.answers(lambda request: self._answer(origin, request))
            self.by_origin[origin] = upstream
        return self.by_origin[origin]

    def play(self, expected: Sequence[Upstream]) -> None:
        with self.lock:
            self.expected, self.sent, self.faults = list(expected), [], []

    def _answer(self, origin: str, request: RecordedRequest) -> Reply:
        """The reply to the first expected request of that method and URL which has not come."""
        start = f"{request.method} {origin}{request.target}"
        with self.lock:
            self.sent.append(start)
            self.lock.notify_all()
            for position, each in enumerate(self.expected):
                if each.sent.start == start:
                    return self._reply(self.expected.pop(position), request)
            self.faults.append(f"nothing expects {start}")
        return Reply(599)

    def _reply(self, upstream: Upstream, request: RecordedRequest) -> Reply:
        try:
            check_headers(self.placed(upstream.sent), list(request.headers))
            check_body(self.placed(upstream.sent).body, request.body.decode(errors="replace"))
        except AssertionError as error:
            self.faults.append(f"{upstream.sent.start} (line {upstream.sent.line}): {error}")
            return Reply(599)
        return _reply_of(self.placed(upstream.reply))

    def check(self) -> None:
        """All expected requests came as they were expected, some perhaps after the answer, and no
        others."""
        with self.lock:
            self.lock.wait_for(lambda: self.faults or not self.expected, WAIT_SECONDS)
            left = [each.sent.start for each in self.expected]
            assert not self.faults, "; ".join(self.faults)
            assert not left, f"not sent: {left}; sent: {self.sent}"


def _reply_of(message: Message) -> Reply:
    status = int(message.start.split()[0])
    headers = [(name, value) for name, value in message.headers]
    body = message.body.encode()
    if message.body.startswith("hex "):
        body = bytes.fromhex(message.body.removeprefix("hex "))
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", _type_of(message.body)))
    return Reply(status, headers, body)


def _type_of(body: str) -> str:
    try:
        json.loads(body)
    except ValueError:
        return "text/plain"
    return "application/json"


@dataclass
class Stage:
    """A running page."""

    serving: Serving
    upstreams: Upstreams
    ports: dict[int, dict[str, int]]
    """Of each example (by its line) the port in the text to the one in the served file."""

    files: dict[int, Path]

    def problems_of(self, example: Example) -> list[str]:
        """What the process says of the example's file: `line:column: severity: message`."""
        path = f"{self.files[example.line]}:"
        lines = [
            str(event["message"])
            for event in self.serving.events_of("problem")
            if str(event["message"]).startswith(path)
        ]
        return [line.removeprefix(path) for line in lines]

    def perform(self, example: Example, exchange: Exchange) -> None:
        self.upstreams.play(exchange.upstreams)
        answer = self.upstreams.placed(exchange.answer)
        if exchange.call.start.startswith("MCP "):
            url = self.serving.mcp(self._port(example, "mcp", None))
            given = call_mcp(url, exchange.call, raw=exchange.answer.start[:1].isdigit())
        else:
            given = self._request(example, exchange.call)
        self.upstreams.check()
        check_answer(answer, given)

    def _request(self, example: Example, call: Message) -> Given:
        method, _, target = call.start.partition(" ")
        parts = urlsplit(target)
        declared = self._port(example, "", str(parts.port) if parts.netloc else None)
        if parts.netloc:
            target = target.partition(parts.netloc)[2] or "/"
        url = urlsplit(self._url(declared))
        assert url.hostname is not None
        connection = HTTPConnection(url.hostname, url.port, timeout=_SECONDS)
        try:
            connection.putrequest(method, target)
            body = call.body.encode()
            named = {name.lower() for name, _ in call.headers}
            if body and "content-type" not in named:
                connection.putheader("Content-Type", "application/json")
            if body:
                connection.putheader("Content-Length", str(len(body)))
            for name, value in call.headers:
                connection.putheader(name, value)
            connection.endheaders(body or None)
            response = connection.getresponse()
            return Given(str(response.status), response.getheaders(), response.read().decode())
        finally:
            connection.close()

    def _url(self, declared: int) -> str:
        event = self.serving.events_of("listening", declared=declared)[0]
        return str(event["url"])

    def _port(self, example: Example, kind: str, named: str | None) -> int:
        """The served port of the one adapter of a kind (or of none but MCP), or of the port that
        the call names."""
        ports = self.ports[example.line]
        if named is not None:
            return ports[named]
        declared = {
            str(adapter["port"])
            for adapter in adapters_of(example.capability)
            if "port" in adapter and (adapter["type"] == "mcp") is (kind == "mcp")
        }
        assert len(declared) == 1, f"which of the ports {sorted(declared)} is called?"
        return ports[declared.pop()]


@contextmanager
def staged(examples: Sequence[Example], folder: Path) -> Iterator[Stage]:
    """Serves the examples of a page in one process, each on ports of its own."""
    with ExitStack() as stack:
        upstreams = Upstreams(stack)
        ports: dict[int, dict[str, int]] = {}
        files: dict[int, Path] = {}
        variables: dict[str, str] = {}
        for number, example in enumerate(examples):
            home = folder / f"example-{number:02}"
            ports[example.line] = {}
            files[example.line] = _write(example, home, upstreams, ports, number)
            for name, value in example.variables.items():
                value = upstreams.in_place(value).replace("$PWD", str(home))
                assert variables.setdefault(name, value) == value, f"two values of {name}"
        for example in examples:
            lent = [name for name in variables if name in example.capability]
            assert not set(lent) - set(example.variables), (
                f"{example.name} exports not all of {lent}"
            )
        upstreams.play([each for example in examples for each in example.at_load])
        moved = [port for of_example in ports.values() for port in of_example.values()]
        # what is beside a capability counts only where its own folder is served
        served = folder if len(examples) > 1 else home
        serving = stack.enter_context(serve(served, env=variables, ports=moved))
        upstreams.check()
        yield Stage(serving, upstreams, ports, files)


def _write(
    example: Example,
    home: Path,
    upstreams: Upstreams,
    ports: dict[int, dict[str, int]],
    number: int,
) -> Path:
    own = ports[example.line]

    def moved(match: re.Match[str]) -> str:
        own.setdefault(match[2], _FIRST_PORT + 10 * number + len(own))
        return f"{match[1]}{own[match[2]]}"

    for name, text in {**example.files, "capability.yaml": example.capability}.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(upstreams.in_place(_PORT.sub(moved, text)), encoding="utf-8")
    return home / "capability.yaml"
