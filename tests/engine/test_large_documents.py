"""Large documents are read beside the event loop, which goes on meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from naftiko_runtime.engine.execute import execute
from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.failures import Failure
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import OperationPlan
from naftiko_runtime.telemetry.spans import current_span
from tests.loaded_calls import Given
from tests.recording_upstream import WAIT_SECONDS
from tests.sequences import Scripted, call, mapping, operation, sequence, text_response
from tests.telemetry.recording import recorder

pytestmark = pytest.mark.anyio

NAME = {"type": "object", "properties": {"n": {"type": "string", "mapping": "$.name"}}}
READ = sequence([operation("list")], behaviour={"call": "up.list"}, outputs=[NAME]).tool
LARGE = text_response('{"name": "A"}' + " " * 2**20, "application/json")


class HeldReading:
    """Stands for a format that takes long: each document waits until it is `released`."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.count = 0
        self.most = 0
        self.seen: list[object] = []
        self._lock = threading.Lock()

    def read(self, body: bytes, charset: str | None) -> JsonValue:
        self.seen.append(current_span())
        with self._lock:
            self.count += 1
            self.most = max(self.most, self.count)
        assert self.released.wait(WAIT_SECONDS), "the event loop did not go on"
        with self._lock:
            self.count -= 1
        return {"name": "A"}

    def plan(self) -> OperationPlan:
        raw_format = replace(READ.output.raw_format, read=self.read)
        return replace(READ, output=replace(READ.output, raw_format=raw_format))

    def call(self) -> asyncio.Task[Any]:
        return asyncio.ensure_future(execute(self.plan(), Given({}), Scripted({"list": LARGE})))

    async def begun(self) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while not self.count:
                await asyncio.sleep(0.001)


async def small_answer() -> object:
    outcome = await execute(READ, Given({}), Scripted({"list": {"name": "B"}}))
    assert isinstance(outcome, Answer)
    return outcome.value


async def test_other_calls_are_answered_while_a_large_document_is_read() -> None:
    reading = HeldReading()
    large = reading.call()
    await reading.begun()
    assert await small_answer() == {"n": "B"}
    assert not large.done()
    reading.released.set()
    assert (await large).body == b'{"n":"A"}'


async def test_only_a_few_large_documents_are_read_at_a_time() -> None:
    reading = HeldReading()
    calls = [reading.call() for _ in range(10)]
    await reading.begun()
    await small_answer()
    reading.released.set()
    assert [each.body for each in await asyncio.gather(*calls)] == [b'{"n":"A"}'] * 10
    assert reading.most <= 2


async def test_a_call_that_is_given_up_does_not_wait_for_its_document() -> None:
    reading = HeldReading()
    large = reading.call()
    await reading.begun()
    large.cancel()
    with pytest.raises(asyncio.CancelledError):
        await large
    reading.released.set()
    assert await small_answer() == {"n": "B"}


async def test_a_large_document_is_read_in_the_span_of_its_call() -> None:
    reading = HeldReading()
    reading.released.set()
    with recorder().start("root", None, {}) as span:
        await reading.call()
    assert reading.seen == [span]


async def test_what_is_wrong_with_a_large_document_is_told_as_of_a_small_one() -> None:
    answers = [text_response("{]" + " " * spaces, "application/json") for spaces in (0, 2**20)]
    small, large = [
        await execute(READ, Given({}), Scripted({"list": answer})) for answer in answers
    ]
    assert isinstance(small, Failure)
    assert small == large


STEPS = sequence(
    [operation("a"), operation("b"), operation("c", "/c/{{id}}")],
    [
        call("a"),
        call("b"),
        {"name": "name", "type": "value", "value": "$.a.items[0].name"},
        call("c", id="{{a.first}}") | {"when": "@.b.open"},
    ],
    mappings=[mapping("name", "$.name"), mapping("c", "$.c.ok")],
)


async def test_steps_see_large_answers_of_others_as_they_see_small_ones() -> None:
    outcomes = [await STEPS.value({}, Scripted(_answers(size))) for size in (0, 2**20)]
    assert outcomes[0] == outcomes[1] == {"name": "A", "c": True}


def _answers(size: int) -> Mapping[str, object]:
    first = {"first": "A", "items": [{"name": "A"}], "padding": "x" * size}
    return {"a": first, "b": {"open": True, "padding": "y" * size}, "c": {"ok": True}}
