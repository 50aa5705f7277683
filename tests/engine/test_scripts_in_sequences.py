"""Script steps among other steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from naftiko_runtime.engine.outcome import Answer
from tests.engine.scripting import anyio_backend, processes
from tests.script_files import any_input, script, scripts
from tests.sequences import Scripted, call, mapping, operation

__all__ = ["anyio_backend", "processes"]

pytestmark = pytest.mark.anyio


async def test_a_script_that_fails_stops_the_steps_after_it(tmp_path: Path) -> None:
    check = "if (context.orders.length > 1) throw new Error('too many orders')"
    file = scripts(
        tmp_path,
        {"check.js": check},
        [call("orders"), script("check.js", "check"), call("buy")],
        operations=[operation("orders"), operation("buy", method="POST")],
    )
    upstreams = Scripted({"orders": [1, 2]})
    failure = await file.failure({}, upstreams)
    assert upstreams.urls == ["/orders"]
    assert failure.detail == (
        'step "check": the script "check.js" failed at line 1: Error: too many orders'
    )
    assert not failure.executed


async def test_a_script_that_fails_after_a_change_says_so(tmp_path: Path) -> None:
    file = scripts(
        tmp_path,
        {"sum.py": "result = 1 / 0"},
        [call("buy"), script("sum.py", "sum")],
        operations=[operation("buy", method="POST")],
    )
    failure = await file.failure({}, Scripted({"buy": {}}))
    assert failure.executed
    assert failure.detail.endswith('; "buy" has been carried out before, so look before repeating')


async def test_calls_and_mappings_read_what_a_script_gave(tmp_path: Path) -> None:
    pick = "result = {id: context.ships.find((s) => s.name === context.name).id}"
    file = scripts(
        tmp_path,
        {"pick.js": pick},
        [
            call("ships"),
            script("pick.js", "pick"),
            call("ship", "get-ship", id="{{pick.id}}"),
        ],
        inputs=[any_input("name")],
        operations=[operation("ships"), operation("get-ship", "/ships/{id}")],
        mappings=[mapping("id", "$.pick.id"), mapping("crew", "$.ship.crew")],
    )
    upstreams = Scripted({"ships": [{"name": "A", "id": 7}], "get-ship": {"crew": [1]}})
    assert await file.value({"name": "A"}, upstreams) == {"id": 7, "crew": [1]}
    assert upstreams.urls == ["/ships", "/ships/7"]


async def test_r7_a_secret_that_a_script_was_given_does_not_reach_the_caller(
    tmp_path: Path,
) -> None:
    step = script("a.js") | {"with": {"key": "{{API_KEY}}"}}
    file = scripts(
        tmp_path,
        {"a.js": "result = {sent: context.key, length: context.key.length}"},
        [step],
        binds=[{"namespace": "env", "keys": {"API_KEY": "API_KEY"}}],
        variables={"API_KEY": "canary-7f3a"},
    )
    assert await file.value() == {"value": {"sent": "***", "length": 11}}


async def test_without_mappings_a_script_at_the_end_of_no_call_is_the_answer(
    tmp_path: Path,
) -> None:
    file = scripts(tmp_path, {"a.py": "result = {'a': 1.5}"}, [script("a.py")], mappings=[])
    outcome = await file.run()
    assert isinstance(outcome, Answer)
    assert outcome.body == b'{"a":1.5}'
