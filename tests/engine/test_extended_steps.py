"""Steps beyond the specification: conditions, repeated and kept calls, values, refusals,
questions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.engine.execute import execute
from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.plan.operation import UpstreamRequest
from tests.engine.fake_upstreams import JSON_HEADERS
from tests.loaded_calls import Given
from tests.sequences import (
    Scripted,
    call,
    failing,
    mapping,
    operation,
    response,
    sequence,
    text_input,
)

pytestmark = pytest.mark.anyio

LOST = Failure(FailureKind.UPSTREAM_UNREACHABLE, "nobody there")
POST_BODY = {"type": "json", "data": {"n": "{{n}}"}}


class Answering(Scripted):
    """Answers with what a function makes of each request."""

    def __init__(self, answer: Callable[[UpstreamRequest], object]) -> None:
        super().__init__()
        self._answer = answer

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        self.sent.append(request)
        await asyncio.sleep(0)
        found = self._answer(request)
        return found if isinstance(found, UpstreamResponse) else response(found)


def bodies(upstreams: Scripted) -> list[Any]:
    return [json.loads(request.content or b"null") for request in upstreams.sent]


# --- when -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("flag", "called"), [("yes", True), ("no", False), (None, False)])
async def test_a_step_runs_if_its_condition_holds(flag: str | None, called: bool) -> None:
    file = sequence(
        [operation("check"), operation("act")],
        [call("check"), call("act") | {"when": "@.flag == 'yes' && @.check.open"}],
        inputs=[text_input("flag", required=False)],
        mappings=[mapping("check", "$.check"), mapping("act", "$.act")],
    )
    upstreams = Scripted({"check": {"open": True}, "act": {"done": 1}})
    given = {} if flag is None else {"flag": flag}
    found = await file.value(given, upstreams)
    assert found == {"check": {"open": True}, "act": {"done": 1} if called else None}
    assert upstreams.urls == ["/check", "/act"][: 1 + called]


async def test_a_condition_waits_for_the_steps_that_it_reads_and_for_no_others() -> None:
    file = sequence(
        [operation("slow"), operation("fast"), operation("last")],
        [call("slow"), call("fast"), call("last") | {"when": "@.fast.go"}],
        mappings=[mapping("last", "$.last"), mapping("slow", "$.slow")],
    )
    gate = asyncio.Event()
    upstreams = Scripted({"slow": 1, "fast": {"go": 1}, "last": 3}, {"slow": gate})
    upstreams.on_send = lambda name: gate.set() if name == "last" else None
    assert await file.value({}, upstreams) == {"last": 3, "slow": 1}
    assert upstreams.events.index("> last") < upstreams.events.index("< slow")


async def test_without_mappings_the_last_call_that_was_made_gives_the_answer() -> None:
    file = sequence(
        [operation("first"), operation("second")],
        [call("first"), call("second") | {"when": "@.first.more"}],
    )
    assert await file.value({}, Scripted({"first": {"more": 1}, "second": 2})) == 2
    assert await file.value({}, Scripted({"first": {"n": 1}, "second": 2})) == {"n": 1}


@pytest.mark.parametrize(
    ("when", "rule", "says"),
    [
        ("@.frist.open", "unknown-reference", '"frist" names no input and no earlier step'),
        ("@.first.open =", "jsonpath-syntax", "write =="),
        ("@.second", "unknown-reference", '"second"'),
    ],
)
async def test_a_condition_that_cannot_hold_is_refused_where_it_stands(
    when: str, rule: str, says: str
) -> None:
    file = sequence(
        [operation("first"), operation("second")],
        [call("first"), call("second") | {"when": when}],
        inputs=[text_input("flag")],
    )
    problem = next(each for each in file.errors if each.rule == rule)
    assert says in str(problem)
    assert problem.path[-3:] == ("steps", 1, "when")


# --- repeat ---------------------------------------------------------------------------------


def pages(of: dict[str, list[int]]) -> Answering:
    return Answering(lambda request: of.get(request.url.rpartition("/")[2], []))


async def test_a_call_is_repeated_until_there_is_enough_and_its_lists_are_joined() -> None:
    file = sequence(
        [operation("list", "/pages/{page}", inputParameters=[{"name": "page", "in": "path"}])],
        [
            call("list", page="{{number}}")
            | {"repeat": {"until": "!@.list[1]", "limit": 9, "counter": "number", "collect": True}}
        ],
        mappings=[mapping("all", "$.list")],
    )
    upstreams = pages({"0": [1, 2], "1": [3, 4], "2": [5]})
    assert await file.value({}, upstreams) == {"all": [1, 2, 3, 4, 5]}
    assert upstreams.urls == ["/pages/0", "/pages/1", "/pages/2"]


async def test_a_call_that_never_gives_enough_fails_at_its_limit() -> None:
    file = sequence(
        [operation("look")], [call("look") | {"repeat": {"until": "@.look.ready", "limit": 3}}]
    )
    upstreams = Scripted({"look": {"ready!": True}})
    failure = await file.failure({}, upstreams)
    assert failure.kind is FailureKind.STEP_FAILED
    assert '"up.look" was called 3 times' in failure.detail
    assert len(upstreams.sent) == 3


async def test_a_call_may_go_on_with_what_it_has_at_its_limit() -> None:
    repeat = {"until": "@.look.ready", "limit": 2, "atLimit": "continue"}
    file = sequence([operation("look")], [call("look") | {"repeat": repeat}])
    upstreams = Scripted({"look": {"n": 1}})
    assert await file.value({}, upstreams) == {"n": 1}
    assert len(upstreams.sent) == 2


def confirming() -> Any:
    """A placement that is followed by as many confirmations as there are questions."""
    place = operation("place", method="POST", body=POST_BODY)
    confirm = operation(
        "confirm",
        "/confirm/{id}",
        method="POST",
        inputParameters=[{"name": "id", "in": "path"}],
        body={"type": "json", "data": {"yes": True}},
    )
    repeat = {"from": "$.place", "until": "!@.confirm.question", "limit": 5}
    return sequence(
        [place, confirm],
        [call("place", n=1), call("confirm", id="{{confirm.question}}") | {"repeat": repeat}],
        mappings=[mapping("done", "$.confirm.done")],
    )


@pytest.mark.parametrize("questions", [0, 1, 3])
async def test_a_repeated_call_goes_on_from_an_earlier_answer(questions: int) -> None:
    left = [f"q{number}" for number in range(questions)]

    def answer(request: UpstreamRequest) -> object:
        return {"question": left.pop(0)} if left else {"done": True}

    upstreams = Answering(answer)
    assert await confirming().value({}, upstreams) == {"done": True}
    confirmed = [f"/confirm/q{number}" for number in range(questions)]
    assert upstreams.urls == ["/place", *confirmed]


async def test_a_call_that_changes_something_is_not_repeated_after_an_error() -> None:
    def answer(request: UpstreamRequest) -> object:
        return {"question": "q"} if request.url.endswith("/place") else response({}, 503)

    upstreams = Answering(answer)
    failure = await confirming().failure({}, upstreams)
    assert failure.status == 503
    assert failure.executed
    assert len(upstreams.sent) == 2


async def test_loops_at_the_same_time_do_not_see_each_other_s_counter() -> None:
    paths = [
        operation(name, f"/{name}/{{p}}", inputParameters=[{"name": "p", "in": "path"}])
        for name in ("a", "b")
    ]
    repeat = {"counter": "page", "collect": True, "limit": 10}
    file = sequence(
        paths,
        [
            call("a", p="{{page}}") | {"repeat": repeat | {"until": "@.a[0] == 2"}},
            call("b", p="{{page}}") | {"repeat": repeat | {"until": "@.b[0] == 5"}},
        ],
        mappings=[mapping("a", "$.a"), mapping("b", "$.b")],
    )
    upstreams = Answering(lambda request: [int(request.url.rpartition("/")[2])])
    assert await file.value({}, upstreams) == {"a": [0, 1, 2], "b": [0, 1, 2, 3, 4, 5]}


async def test_the_pause_between_two_calls_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    plain = asyncio.sleep

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await plain(0)

    repeat = {"until": "@.look == 3", "limit": 5, "every": "250ms"}
    file = sequence([operation("look")], [call("look") | {"repeat": repeat}])
    answers = iter([1, 2, 3])
    upstreams = Answering(lambda request: next(answers))
    monkeypatch.setattr("naftiko_runtime.engine.steps.asyncio.sleep", sleep)
    assert await file.value({}, upstreams) == 3
    assert [pause for pause in pauses if pause] == [0.25, 0.25]


# --- keep -----------------------------------------------------------------------------------


async def test_a_kept_answer_answers_equal_requests() -> None:
    file = sequence(
        [operation("who", "/who/{id}", inputParameters=[{"name": "id", "in": "path"}])],
        [call("who", id="{{id}}") | {"keep": "1m"}],
        inputs=[text_input("id")],
    )
    numbers = iter(range(10))
    upstreams = Answering(lambda request: next(numbers))
    assert [await file.value({"id": each}, upstreams) for each in "aabba"] == [0, 0, 1, 1, 0]
    assert upstreams.urls == ["/who/a", "/who/b"]


async def test_calls_at_the_same_time_share_one_kept_answer() -> None:
    file = sequence([operation("who")], [call("who") | {"keep": "1m"}])
    upstreams = Scripted({"who": 7})
    await asyncio.gather(*(file.value({}, upstreams) for _ in range(5)))
    assert len(upstreams.sent) == 1


async def test_an_error_is_not_kept() -> None:
    file = sequence([operation("who")], [call("who") | {"keep": "1m"}])
    answers = iter([response({}, 500), {"n": 1}])
    upstreams = Answering(lambda request: next(answers))
    assert (await file.failure({}, upstreams)).status == 500
    assert await file.value({}, upstreams) == {"n": 1}


async def test_a_call_that_can_change_something_cannot_be_kept() -> None:
    act = operation("act", method="POST", body={"type": "json", "data": {}})
    file = sequence([act], [call("act") | {"keep": "5s"}])
    assert any('"up.act" is called with POST' in str(problem) for problem in file.errors)


# --- optional -------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [{"n": 1}, response({}, 503), failing(LOST)])
async def test_a_sequence_does_without_an_optional_call_that_fails(answer: Any) -> None:
    file = sequence(
        [operation("hint"), operation("act")],
        [call("hint") | {"optional": True}, call("act")],
        mappings=[mapping("hint", "$.hint"), mapping("act", "$.act")],
    )
    hint = answer if isinstance(answer, dict) else None
    found = await file.value({}, Scripted({"hint": answer, "act": 2}))
    assert found == {"hint": hint, "act": 2}


async def test_a_call_that_can_change_something_cannot_be_optional() -> None:
    act = operation("act", method="POST", body={"type": "json", "data": {}})
    file = sequence([act], [call("act") | {"optional": True}])
    assert any("it cannot fail unheard" in str(problem) for problem in file.errors)


# --- calls by POST that change nothing ------------------------------------------------------


def post(name: str, *, safe: bool) -> dict[str, Any]:
    body = {"type": "json", "data": {"n": "{{n}}"}}
    return operation(name, method="POST", body=body, semantics={"safe": safe})


@pytest.mark.parametrize("safe", [True, False])
async def test_a_post_that_is_declared_safe_does_not_keep_its_place(safe: bool) -> None:
    file = sequence([post("find", safe=safe), operation("look")], [call("look"), call("find")])
    upstreams = Scripted()
    await file.value({"n": "1"}, upstreams)
    assert (sorted(upstreams.events[:2]) == ["> find", "> look"]) is safe


@pytest.mark.parametrize("safe", [True, False])
async def test_a_failure_after_a_post_that_is_declared_safe_is_no_reason_for_a_warning(
    safe: bool,
) -> None:
    file = sequence([post("find", safe=safe), operation("look")], [call("find"), call("look")])
    failure = await file.failure({"n": "1"}, Scripted({"look": failing(LOST)}))
    assert ("has been carried out" in failure.detail) is not safe
    assert failure.executed is not safe


async def test_a_post_that_is_declared_safe_can_be_kept_and_optional() -> None:
    file = sequence(
        [post("find", safe=True), operation("look")],
        [call("find") | {"keep": "1m", "optional": True}, call("look")],
        inputs=[text_input("n")],
        mappings=[mapping("find", "$.find")],
    )
    numbers = iter(range(10))
    upstreams = Answering(
        lambda request: next(numbers) if request.method == "POST" else response({})
    )
    assert [(await file.value({"n": each}, upstreams))["find"] for each in "aba"] == [0, 1, 0]
    lost = Scripted({"find": failing(LOST)})
    assert await file.value({"n": "c"}, lost) == {"find": None}


async def test_steps_that_only_search_are_as_a_whole_like_a_call_by_get() -> None:
    steps = [call("find"), call("look")]
    for safe, method in ((True, "GET"), (False, "POST")):
        file = sequence([post("find", safe=safe), operation("look")], steps)
        assert file.tool.action.method == method


# --- value and unique -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "found"), [("aapl", [1, 3]), ("MSFT", [2]), ("x", []), (None, [1, 2, 3])]
)
async def test_a_value_is_found_in_inputs_and_earlier_answers(
    symbol: str | None, found: list[int]
) -> None:
    path = "$.rows[?!$.symbol || upper(@.s) == upper($.symbol)].n"
    file = sequence(
        [operation("rows")],
        [call("rows"), {"type": "value", "name": "mine", "value": path}],
        inputs=[text_input("symbol", required=False)],
        mappings=[mapping("mine", "$.mine")],
    )
    rows = [{"s": "AAPL", "n": 1}, {"s": "msft", "n": 2}, {"s": "Aapl", "n": 3}]
    given: Any = {} if symbol is None else {"symbol": symbol}
    assert await file.value(given, Scripted({"rows": rows})) == {"mine": found}


async def test_a_value_has_a_default() -> None:
    steps = [
        call("who"),
        {"type": "value", "name": "id", "value": "$.who.chosen", "default": "$.who.all[0]"},
        {"type": "value", "name": "text", "value": "{{absent.x}}", "default": "for {{id}}"},
        {"type": "value", "name": "made", "value": {"id": "{{id}}", "n": [1, "{{text}}"]}},
    ]
    file = sequence(
        [operation("who")],
        [steps[0], call("absent", "who") | {"when": "1 == 2"}, *steps[1:]],
        mappings=[mapping("made", "$.made")],
    )
    for who, id_ in (({"chosen": "a", "all": ["b"]}, "a"), ({"chosen": None, "all": ["b"]}, "b")):
        found = await file.value({}, Scripted({"who": who}))
        assert found == {"made": {"id": id_, "n": [1, f"for {id_}"]}}


async def test_a_value_keeps_every_digit() -> None:
    file = sequence(
        [operation("rows")],
        [call("rows"), {"type": "value", "name": "n", "value": "$.rows.n"}],
        mappings=[mapping("n", "$.n")],
    )
    number = "0.1000000000000000055"
    answer = UpstreamResponse(200, JSON_HEADERS, f'{{"n": {number}}}'.encode())
    outcome = await file.run({}, Scripted({"rows": answer}))
    assert isinstance(outcome, Answer)
    assert outcome.body.decode() == f'{{"n":{number}}}'


async def test_unique_texts_are_never_the_same() -> None:
    file = sequence(
        [operation("act", method="POST", body=POST_BODY)],
        [{"type": "unique", "name": "key"}, call("act", n="{{key}}")],
    )
    upstreams = Scripted()
    for _ in range(20):
        await file.run({}, upstreams)
    keys = [body["n"] for body in bodies(upstreams)]
    assert len(set(keys)) == 20
    assert all(len(key) >= 32 for key in keys)


# --- fail -----------------------------------------------------------------------------------


async def test_a_refusal_ends_the_call_before_what_follows() -> None:
    fail = {
        "type": "fail",
        "name": "gone",
        "when": "!@.book.title",
        "status": 404,
        "message": "there is no book {{id}}",
    }
    file = sequence(
        [operation("book"), operation("order", method="POST", body=POST_BODY)],
        [call("book"), fail, call("order")],
        inputs=[text_input("id")],
    )
    upstreams = Scripted({"book": {"error": "?"}})
    failure = await file.failure({"id": "7"}, upstreams)
    assert failure == Failure(FailureKind.REFUSED_BY_FILE, "there is no book 7", status=404)
    assert upstreams.urls == ["/book"]
    found = Scripted({"book": {"title": "Emma"}, "order": {"order": 1}})
    assert await file.value({"id": "7"}, found) == {"order": 1}


@pytest.mark.parametrize(("said", "executed"), [(None, True), (False, False), (True, True)])
async def test_a_refusal_says_whether_something_was_changed(
    said: bool | None, executed: bool
) -> None:
    fail = {"type": "fail", "name": "no", "message": "no"}
    fail |= {} if said is None else {"executed": said}  # type: ignore[dict-item]
    file = sequence([operation("act", method="POST", body=POST_BODY)], [call("act"), fail])
    assert (await file.failure()).executed is executed


# --- question -------------------------------------------------------------------------------

ASK = {
    "type": "question",
    "name": "ask",
    "when": "@.act.question",
    "id": "{{act.id}}",
    "message": "{{act.question}}",
    "answer": {
        "operation": "run",
        "accept": {"id": "{{act.id}}", "yes": True},
        "decline": {"id": "{{act.id}}", "yes": False},
    },
}


async def test_a_question_goes_back_to_the_caller_with_how_to_answer_it() -> None:
    file = sequence(
        [operation("act", method="POST", body=POST_BODY)], [call("act"), ASK], method="POST"
    )
    upstreams = Scripted({"act": {"question": ["Sure?", "Really?"], "id": "q1"}})
    failure = await file.failure({}, upstreams)
    assert failure.kind is FailureKind.QUESTION_OPEN
    assert failure.detail == "Sure?\nReally?"
    answers = {"accept": {"id": "q1", "yes": True}, "decline": {"id": "q1", "yes": False}}
    shown = {"id": "q1", "message": "Sure?\nReally?", "answer": {"tool": "run", **answers}}
    assert failure.details == {"question": shown}
    assert failure.question is not None
    assert failure.question.operation == "run"
    assert failure.question.accept == answers["accept"]
    assert failure.question.decline == answers["decline"]
    over_rest = await execute(file.rest, Given({}), upstreams)
    assert isinstance(over_rest, Failure)
    assert over_rest.details["question"] == shown | {
        "answer": {"method": "POST", "path": "/run", **answers}
    }
    assert await file.value({}, Scripted({"act": {"done": 1}})) == {"done": 1}


async def test_a_question_that_nothing_can_answer_is_refused() -> None:
    ask = ASK | {"answer": {"operation": "nope", "accept": {}, "decline": {}}}
    file = sequence([operation("act", method="POST", body=POST_BODY)], [call("act"), ask])
    problems = [str(problem) for problem in file.errors]
    assert any('"nope" names no operation or tool of this adapter' in each for each in problems)
