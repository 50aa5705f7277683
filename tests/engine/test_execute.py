"""One call from its inputs to its answer, with upstreams that only exist in the test."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.engine.execute import execute
from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.failures import Failure, FailureKind, fail
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.plan.operation import UpstreamRequest
from tests.loaded_calls import Given, LoadedCall, in_body, load_call, one_call, query

pytestmark = pytest.mark.anyio

JSON_HEADERS = (("content-type", "application/json"),)


def answering(value: object, status: int = 200) -> UpstreamResponse:
    return UpstreamResponse(status, JSON_HEADERS, json.dumps(value).encode())


@dataclass
class FakeUpstreams:
    """Answers with one response, or with what a test makes of each request."""

    answer: UpstreamResponse | Callable[[UpstreamRequest], UpstreamResponse] = field(
        default_factory=lambda: answering({"ok": True})
    )
    requests: list[UpstreamRequest] = field(default_factory=list)

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        self.requests.append(request)
        return self.answer if isinstance(self.answer, UpstreamResponse) else self.answer(request)

    async def aclose(self) -> None:
        """Nothing is open."""


async def run(
    call: LoadedCall,
    upstreams: FakeUpstreams,
    values: dict[str, JsonValue] | None = None,
    body: MaybeJson = MISSING,
) -> Outcome:
    return await execute(call.tool, Given(values or {}, body), upstreams)


def response(
    body: bytes, content_type: str | None = "application/json", status: int = 200, **headers: str
) -> UpstreamResponse:
    given = [] if content_type is None else [("content-type", content_type)]
    given += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return UpstreamResponse(status, given, body)


# --- answers ------------------------------------------------------------------------------


async def test_an_identity_mapping_passes_the_bytes_through_unread() -> None:
    body = b'{ "price": 1.10,  "price": 2, "big": 12345678901234567890123 }\n'
    outcome = await run(one_call(), FakeUpstreams(response(body)))
    assert outcome == Answer(200, "application/json", body)


async def test_a_body_that_is_not_json_passes_too_where_no_format_is_declared() -> None:
    outcome = await run(one_call(), FakeUpstreams(response(b"<x/>", "application/xml")))
    assert outcome == Answer(200, "application/xml", b"<x/>")


MAPPED = one_call(
    outputs=[{"type": "object", "properties": {"id": {"type": "string", "mapping": "$.a.id"}}}]
)


async def test_a_mapping_makes_the_answer() -> None:
    outcome = await run(MAPPED, FakeUpstreams(answering({"a": {"id": 7}, "b": 1})))
    assert outcome == Answer(200, "application/json", b'{"id":"7"}', (), {"id": "7"})


@pytest.mark.parametrize("status", [400, 401, 404, 409, 429, 500, 503, 301, 304])
async def test_an_upstreams_status_passes_through_and_its_body_unmapped(status: int) -> None:
    outcome = await run(MAPPED, FakeUpstreams(answering({"error": "no"}, status)))
    assert outcome == Answer(status, "application/json", b'{"error": "no"}')


async def test_created_is_mapped_and_keeps_its_status() -> None:
    outcome = await run(MAPPED, FakeUpstreams(answering({"a": {"id": "7"}}, 201)))
    assert isinstance(outcome, Answer)
    assert (outcome.status, outcome.body) == (201, b'{"id":"7"}')


@pytest.mark.parametrize("status", [200, 204])
async def test_an_empty_body_stays_empty(status: int) -> None:
    outcome = await run(MAPPED, FakeUpstreams(UpstreamResponse(status, (), b"")))
    assert isinstance(outcome, Answer)
    assert (outcome.status, outcome.body) == (status, b"")


@pytest.mark.parametrize("body", [b"<html>login</html>", b"{", b"\xff\xfe", b"[1, 2,]"])
async def test_a_body_that_cannot_be_mapped_is_a_failure_after_the_call(body: bytes) -> None:
    outcome = await run(MAPPED, FakeUpstreams(response(body, "text/html")))
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.UPSTREAM_INVALID
    assert outcome.executed
    assert "up.run" in outcome.detail


async def test_only_headers_that_callers_may_see_are_passed_on() -> None:
    upstreams = FakeUpstreams(
        response(
            b"{}",
            etag='"1"',
            retry_after="5",
            location="/x/7",
            set_cookie="session=canary",
            server="secret-server",
            transfer_encoding="chunked",
        )
    )
    outcome = await run(one_call(), upstreams)
    assert isinstance(outcome, Answer)
    assert outcome.headers == (("etag", '"1"'), ("retry-after", "5"), ("location", "/x/7"))


# --- secrets ------------------------------------------------------------------------------


def with_secret(secret: str, **parts: Any) -> LoadedCall:
    return one_call(
        authentication={"type": "bearer", "token": "{{TOKEN}}"},
        binds=[{"namespace": "vault", "keys": {"TOKEN": "TOKEN"}}],
        variables={"TOKEN": secret},
        **parts,
    )


ECHO = {
    "outputs": [{"type": "object", "properties": {"x": {"type": "string", "mapping": "$.seen"}}}]
}


@pytest.mark.parametrize("parts", [{}, ECHO])
@pytest.mark.parametrize("status", [200, 401])
@pytest.mark.parametrize("secret", ["canary-5d1e9a77", 'can"ary\\5d/1e'])
async def test_r7_credentials_that_an_upstream_echoes_are_not_shown(
    parts: dict[str, Any], status: int, secret: str
) -> None:
    upstreams = FakeUpstreams(answering({"seen": f"your token is {secret}!"}, status))
    outcome = await run(with_secret(secret, **parts), upstreams)
    assert isinstance(outcome, Answer)
    shown = outcome.body.decode()
    assert secret not in shown
    (text,) = json.loads(shown).values()
    assert text == "your token is ***!"
    assert outcome.value is MISSING


async def test_r7_credentials_in_passed_headers_are_not_shown() -> None:
    secret = "canary-5d1e9a77"
    upstreams = FakeUpstreams(response(b"{}", location=f"https://up.example/?key={secret}"))
    outcome = await run(with_secret(secret), upstreams)
    assert isinstance(outcome, Answer)
    assert secret not in repr(outcome)


async def test_a_short_credential_does_not_spoil_answers() -> None:
    outcome = await run(with_secret("a"), FakeUpstreams(answering({"account": "abc"})))
    assert isinstance(outcome, Answer)
    assert json.loads(outcome.body) == {"account": "abc"}


# --- failures before the call -------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "values", "kind", "named"),
    [
        (
            one_call(parameters=[query("x", type="integer", required=True)]),
            {},
            FailureKind.INVALID_INPUT,
            "x",
        ),
        (
            one_call(parameters=[query("x", type="integer")]),
            {"x": "five"},
            FailureKind.INVALID_INPUT,
            "x",
        ),
        (one_call(path="/a/{x}"), {"x": ".."}, FailureKind.INVALID_INPUT, "x"),
        (
            one_call(
                authentication={"type": "bearer", "token": "{{TOKEN}}"},
                binds=[{"namespace": "v", "keys": {"TOKEN": "TOKEN"}}],
            ),
            {},
            FailureKind.UNSET_VARIABLE,
            "TOKEN",
        ),
    ],
)
async def test_a_call_that_cannot_be_made_calls_nobody(
    call: LoadedCall, values: dict[str, JsonValue], kind: FailureKind, named: str
) -> None:
    upstreams = FakeUpstreams()
    outcome = await run(call, upstreams, values)
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.field, outcome.executed) == (kind, named, False)
    assert upstreams.requests == []


async def test_a_required_body_is_asked_for() -> None:
    call = one_call(method="POST", parameters=[in_body("order", type="object", required=True)])
    upstreams = FakeUpstreams()
    outcome = await execute(call.rest, Given({}, textual=True), upstreams)
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.INVALID_INPUT
    assert upstreams.requests == []


async def test_a_failure_of_the_exchange_is_the_outcome() -> None:
    def refuse(request: UpstreamRequest) -> UpstreamResponse:
        raise fail(FailureKind.UPSTREAM_TIMEOUT, "too slow", executed=True)

    outcome = await run(one_call(), FakeUpstreams(refuse))
    assert outcome == Failure(FailureKind.UPSTREAM_TIMEOUT, "too slow", None, True)


async def test_one_call_sends_one_request_whatever_its_status() -> None:
    for status in (200, 401, 429, 500, 502, 503):
        upstreams = FakeUpstreams(answering({}, status))
        await run(one_call(method="POST"), upstreams, body={"a": 1})
        assert len(upstreams.requests) == 1


# --- steps --------------------------------------------------------------------------------

STEPS = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
    - type: http
      namespace: up
      baseUri: https://api.example.com
      resources:
        - name: ships
          path: /ships/{id}
          operations: [{name: ship, method: GET}]
        - name: crew
          path: /crew
          operations:
            - name: crew
              method: GET
              inputParameters: [{name: team, in: query}]
            - {name: sign, method: POST, body: {type: json, data: {name: "{{name}}"}}}
  exposes:
    - type: rest
      namespace: r
      port: 8080
      resources:
        - path: /run
          operations: [{method: GET, name: ping, call: up.crew}]
    - type: mcp
      namespace: m
      port: 9090
      tools:
        - name: run
          description: Runs.
          steps: STEPS
          MORE
"""


def stepped(steps: str, more: str = "") -> LoadedCall:
    call = load_call(STEPS.replace("STEPS", steps).replace("MORE", more))
    assert call.problems == (), call.messages
    return call


def by_path(**answers: object) -> FakeUpstreams:
    def answer(request: UpstreamRequest) -> UpstreamResponse:
        name = request.operation.partition(".")[2]
        value = answers[name]
        return value if isinstance(value, UpstreamResponse) else answering(value)

    return FakeUpstreams(answer)


SHIP = "{type: call, name: one, call: up.ship, with: {id: tools.id}}"
CREW = '{type: call, name: two, call: up.crew, with: {team: "{{one.team}}"}}'


async def test_a_step_reads_what_an_earlier_one_found() -> None:
    upstreams = by_path(ship={"team": "red & blue"}, crew=[{"name": "ada"}])
    outcome = await run(stepped(f"[{SHIP}, {CREW}]"), upstreams, {"id": "7"})
    assert [request.url for request in upstreams.requests] == [
        "https://api.example.com/ships/7",
        "https://api.example.com/crew?team=red%20%26%20blue",
    ]
    assert isinstance(outcome, Answer)
    assert json.loads(outcome.body) == [{"name": "ada"}]


async def test_mappings_make_the_result_of_steps() -> None:
    more = (
        "mappings: [{targetName: out.team, value: $.one.team}, {targetName: none, value: $.one.x}]"
    )
    upstreams = by_path(ship={"team": "red"}, crew=[])
    outcome = await run(stepped(f"[{SHIP}, {CREW}]", more), upstreams, {"id": "7"})
    assert isinstance(outcome, Answer)
    assert json.loads(outcome.body) == {"out": {"team": "red"}, "none": None}


LOOKUP = (
    "{type: lookup, name: found, index: two, match: KEY, lookupValue: VALUE, "
    "outputParameters: [name, age]}"
)
ROWS = [{"id": 1, "name": "ada", "age": 36}, {"id": 2, "name": "bob"}, {"id": 2, "name": "eve"}]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("$.one.id", {"name": "ada", "age": 36}),
        ('"{{tools.id}}"', {"name": "bob", "age": None}),
        ("$.one.ids", [{"name": "bob", "age": None}, {"name": "ada", "age": 36}]),
        ("$.one.none", None),
        ('"99"', None),
    ],
)
async def test_a_lookup_finds_rows_of_an_earlier_step(value: str, found: JsonValue) -> None:
    lookup = LOOKUP.replace("KEY", "id").replace("VALUE", value)
    call = stepped(f"[{SHIP}, {CREW}, {lookup}]", "mappings: [{targetName: found, value: $.found}]")
    upstreams = by_path(ship={"id": 1, "ids": [2, 99, 1], "team": "t"}, crew=ROWS)
    outcome = await run(call, upstreams, {"id": "2"})
    assert isinstance(outcome, Answer)
    assert json.loads(outcome.body) == {"found": found}


@pytest.mark.parametrize("status", [400, 404, 500, 302])
async def test_a_failed_step_is_named_and_nothing_after_it_runs(status: int) -> None:
    sign = '{type: call, name: three, call: up.sign, with: {name: "{{one.team}}"}}'
    upstreams = by_path(ship=answering({"error": "no"}, status), crew=[], sign={})
    outcome = await run(stepped(f"[{SHIP}, {sign}]"), upstreams, {"id": "7"})
    assert isinstance(outcome, Failure)
    assert outcome.step == "one"
    assert 'step "one"' in outcome.detail
    assert str(status) in outcome.detail
    assert len(upstreams.requests) == 1


async def test_a_call_that_changes_something_keeps_its_place_among_the_steps() -> None:
    sign = "{type: call, name: signed, call: up.sign, with: {name: tools.name}}"
    first = "{type: call, name: a, call: up.crew, with: {team: x}}"
    last = "{type: call, name: b, call: up.crew, with: {team: y}}"
    upstreams = by_path(crew=[], sign={"id": 1})
    await run(stepped(f"[{first}, {sign}, {last}]"), upstreams, {"name": 'a"b'})
    assert [(r.method, r.url.rpartition("=")[2]) for r in upstreams.requests] == [
        ("GET", "x"),
        ("POST", "https://api.example.com/crew"),
        ("GET", "y"),
    ]
    assert upstreams.requests[1].content == b'{"name":"a\\"b"}'


async def test_the_callers_body_is_not_sent_to_the_upstreams_of_steps_by_itself() -> None:
    text = STEPS.replace(
        '{name: sign, method: POST, body: {type: json, data: {name: "{{name}}"}}}',
        "{name: sign, method: POST}",
    )
    sign = "[{type: call, name: signed, call: up.sign}, {type: call, name: again, call: up.sign}]"
    call = load_call(text.replace("STEPS", sign).replace("MORE", ""))
    upstreams = by_path(sign={})
    await run(call, upstreams, {}, body={"secret": 1})
    assert [request.content for request in upstreams.requests] == [b"", b""]


# --- functions and mocks ------------------------------------------------------------------


async def test_a_function_is_called_with_its_own_names() -> None:
    text = STEPS.replace("steps: STEPS", "ref: shared.ship\n          with: {ship: tools.number}")
    function = """
  aggregates:
    - label: Shared
      namespace: shared
      functions:
        - name: ship
          description: A ship.
          inputParameters: [{name: ship, type: string, description: Its number.}]
          call: up.ship
          with: {id: shared.ship}
"""
    call = load_call(text.replace("          MORE\n", "") + function)
    assert call.problems == (), call.messages
    upstreams = by_path(ship={"team": "red"})
    outcome = await run(call, upstreams, {"number": "7/8", "ship": "9"})
    assert [request.url for request in upstreams.requests] == [
        "https://api.example.com/ships/7%2F8"
    ]
    assert isinstance(outcome, Answer)
    assert json.loads(outcome.body) == {"team": "red"}


def mocked(outputs: Sequence[dict[str, Any]]) -> LoadedCall:
    more = f"outputParameters: {json.dumps(outputs)}"
    return load_call(STEPS.replace("          steps: STEPS\n", "").replace("MORE", more))


async def test_a_mock_answers_from_its_values_in_their_types() -> None:
    call = mocked(
        [
            {"name": "hello", "type": "string", "value": "hi {{tools.who}}"},
            {"name": "count", "type": "number", "value": "5"},
            {"name": "on", "type": "boolean", "value": "true"},
        ]
    )
    assert call.problems == (), call.messages
    upstreams = FakeUpstreams()
    outcome = await run(call, upstreams, {"who": '{{x}}"'})
    assert isinstance(outcome, Answer)
    assert json.loads(outcome.body) == {"hello": 'hi {{x}}"', "count": 5, "on": True}
    assert upstreams.requests == []
