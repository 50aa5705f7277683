"""Steps, functions and mocks from a caller's inputs to an answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.failures import Failure
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import UpstreamRequest
from tests.engine.fake_upstreams import FakeUpstreams, answering, run
from tests.loaded_calls import LoadedCall, load_call

pytestmark = pytest.mark.anyio


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
