"""Credentials that an upstream echoes are in no part of an answer, its decoded value included."""

from __future__ import annotations

import json
from typing import Any

import pytest

from naftiko_runtime.engine.execute import execute
from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.json_values import MISSING
from tests.loaded_calls import Given
from tests.sequences import Scripted, call, mapping, operation, sequence

pytestmark = pytest.mark.anyio

SECRET = "canary-5d1e9a77"
PARTS: dict[str, Any] = {
    "variables": {"TOKEN": SECRET},
    "binds": [{"namespace": "env", "keys": {"TOKEN": "TOKEN"}}],
    "consumes": {"authentication": {"type": "bearer", "token": "{{TOKEN}}"}},
}
SHAPE = [{"type": "object", "properties": {"seen": {"type": "string", "mapping": "$.seen"}}}]


async def answer(echoed: str, **parts: Any) -> Answer:
    file = sequence([operation("first"), operation("second")], **parts, **PARTS)
    upstreams = Scripted({"first": {"seen": echoed}, "second": {"seen": "nothing"}})
    outcome = await execute(file.tool, Given({}), upstreams)
    assert isinstance(outcome, Answer), outcome
    return outcome


BEHAVIOURS = [
    {"behaviour": {"call": "up.first", "outputParameters": SHAPE}},
    {
        "steps": [call("one", "first"), call("two", "second")],
        "mappings": [mapping("seen", "$.one.seen")],
    },
]


@pytest.mark.parametrize("parts", BEHAVIOURS, ids=["a call", "steps"])
async def test_R7_a_value_that_would_show_a_credential_is_left_out(parts: dict[str, Any]) -> None:
    found = await answer(f"you are {SECRET}", **parts)
    assert json.loads(found.body) == {"seen": "you are ***"}
    assert found.value is MISSING


@pytest.mark.parametrize("parts", BEHAVIOURS, ids=["a call", "steps"])
async def test_any_other_value_is_at_hand(parts: dict[str, Any]) -> None:
    found = await answer("you are welcome", **parts)
    assert found.value == json.loads(found.body) == {"seen": "you are welcome"}
