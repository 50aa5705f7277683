"""Consumed operations called on their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from naftiko_runtime.engine.execute import execute
from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.plan.load import load_file
from naftiko_runtime.plan.operation import CapabilityPlan
from tests.engine.fake_upstreams import FakeUpstreams, answering
from tests.loaded_calls import Given

FILE = """\
naftiko: 1.0.0-alpha2
info: {label: Sessions, description: A gateway's session.}
capability:
  consumes:
    - type: http
      namespace: web
      baseUri: https://localhost:5000/v1
      description: The gateway.
      resources:
        - name: session
          path: "/session/{{account}}"
          operations:
            - {name: keep, method: POST, inputParameters: [{name: note, in: query}]}
            - {name: look, method: GET}
  exposes:
    - type: mcp
      namespace: tools
      port: 9090
      tools:
        - name: look
          description: Looks.
          call: web.look
          outputParameters: [{type: object, mapping: "$."}]
"""


def load(tmp_path: Path, **base_uris: str) -> CapabilityPlan:
    path = tmp_path / "web.yaml"
    path.write_text(FILE)
    plan = load_file(path, {}, base_uris).plan
    assert plan is not None
    return plan


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_each_consumed_operation_has_a_plan_whether_it_is_exposed_or_not(tmp_path: Path) -> None:
    assert set(load(tmp_path).consumed) == {"web.keep", "web.look"}


@pytest.mark.anyio
async def test_plan_takes_what_the_operation_takes_and_gives_what_the_upstream_answers(
    tmp_path: Path,
) -> None:
    plan = load(tmp_path).consumed["web.keep"]()
    assert {each.name for each in plan.inputs} == {"account", "note"}
    upstreams = FakeUpstreams(answering({"session": "kept"}))
    outcome = await execute(plan, Given({"account": "DU 1", "note": "a&b"}), upstreams)
    assert isinstance(outcome, Answer)
    assert outcome.body == b'{"session": "kept"}'
    (request,) = upstreams.requests
    assert request.method == "POST"
    assert request.url == "https://localhost:5000/v1/session/DU%201?note=a%26b"
    assert request.operation == "web.keep"


def test_plan_is_made_once(tmp_path: Path) -> None:
    consumed = load(tmp_path).consumed
    assert consumed["web.look"]() is consumed["web.look"]()


def test_operation_of_an_unusable_upstream_says_so(tmp_path: Path) -> None:
    plan = load(tmp_path, web="ftp://localhost")
    with pytest.raises(ValueError, match="no usable baseUri"):
        plan.consumed["web.look"]()
