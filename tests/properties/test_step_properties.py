"""Sequences with conditions and repeated calls do what a plain loop would."""

from __future__ import annotations

import asyncio
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.plan.operation import UpstreamRequest
from tests.sequences import Scripted, call, mapping, operation, response, sequence, text_input

PAGE = operation("page", "/pages/{n}", inputParameters=[{"name": "n", "in": "path"}])
PAGES = sequence(
    [PAGE],
    [
        call("page", n="{{number}}")
        | {
            "repeat": {
                "until": "!@.page[2]",
                "limit": 20,
                "counter": "number",
                "collect": True,
            }
        }
    ],
    mappings=[mapping("all", "$.page")],
)
NAMES = ["one", "two", "three", "four"]


class Pages(Scripted):
    """Pages of three from a list."""

    def __init__(self, items: list[int]) -> None:
        super().__init__()
        self._items = items

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        self.sent.append(request)
        number = int(request.url.rpartition("/")[2])
        return response(self._items[3 * number : 3 * number + 3])


@settings(max_examples=50)
@given(st.lists(st.integers(), max_size=25))
def test_all_pages_make_up_the_whole_in_as_many_calls_as_it_takes(items: list[int]) -> None:
    upstreams = Pages(items)
    assert asyncio.run(PAGES.value({}, upstreams)) == {"all": items}
    assert len(upstreams.sent) == len(items) // 3 + 1


@st.composite
def guarded(draw: st.DrawFn) -> list[tuple[str, str, bool, str | None, bool]]:
    """Steps: name, method, what the answer says of `go`, and the step whose `go` has to hold, or
    must not."""
    steps: list[tuple[str, str, bool, str | None, bool]] = []
    for name in NAMES[: draw(st.integers(1, 4))]:
        earlier = [each[0] for each in steps]
        on = draw(st.none() | st.sampled_from(["flag", *earlier]))
        method = draw(st.sampled_from(["GET", "POST"]))
        steps.append((name, method, draw(st.booleans()), on, draw(st.booleans())))
    return steps


@settings(max_examples=80)
@given(guarded(), st.booleans())
def test_steps_run_exactly_where_their_conditions_hold(
    steps: list[tuple[str, str, bool, str | None, bool]], flag: bool
) -> None:
    expected: dict[str, bool] = {}
    for name, _, go, on, wanted in steps:
        holds = flag if on == "flag" else expected.get(on or "", False)
        if on is None or holds is wanted:
            expected[name] = go
    declared = []
    for name, _, _, on, wanted in steps:
        asked = "@.flag == 'yes'" if on == "flag" else f"@.{on}.go == true"
        when = {} if on is None else {"when": asked if wanted else f"!({asked})"}
        declared.append(call(name) | when)
    file = sequence(
        [operation(name, method=method) for name, method, *_ in steps],
        declared,
        inputs=[text_input("flag")],
        mappings=[mapping(name, f"$.{name}.go") for name, *_ in steps],
    )
    upstreams = Scripted({name: {"go": go} for name, _, go, *_ in steps})
    outcome = asyncio.run(file.value({"flag": "yes" if flag else "no"}, upstreams))
    assert outcome == {name: expected.get(name) for name, *_ in steps}
    assert sorted(upstreams.urls) == sorted(f"/{name}" for name in expected)
    assert json.dumps(outcome)
