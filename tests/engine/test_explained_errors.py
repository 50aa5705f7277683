"""What callers are told of failures where the file has words of its own (`errors`)."""

from __future__ import annotations

from typing import Any

import pytest

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.engine.execute import execute
from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.failures import Failure, FailureKind, fail
from naftiko_runtime.json_values import MISSING
from tests.loaded_calls import Given
from tests.sequences import Scripted, call, operation, response, sequence, text_input

pytestmark = pytest.mark.anyio

DETAIL = {
    "outputParameters": [
        {"type": "object", "properties": {"detail": {"type": "string", "mapping": "$.detail"}}}
    ]
}


def failing(*errors: Any, steps: bool = True, **keys: Any) -> Any:
    behaviour: dict[str, Any] = {"errors": list(errors)}
    if not steps:
        behaviour["call"] = "up.act"
    return sequence(
        [operation("act")],
        [call("act")] if steps else [],
        behaviour=behaviour,
        inputs=[text_input("id", required=False)],
        **keys,
    )


async def told(file: Any, answer: object) -> Failure:
    outcome = await execute(file.rest, Given({"id": "7"}), Scripted({"act": answer}))
    assert isinstance(outcome, Failure), outcome
    return outcome


@pytest.mark.parametrize("steps", [True, False])
async def test_an_upstream_s_error_has_the_status_words_and_shape_of_the_file(steps: bool) -> None:
    entry = {
        "when": "@.upstream.status == 400 && search(@.upstream.body.error, 'unknown')",
        "status": 404,
        "message": "no {{id}}: {{upstream.body.error}}",
    }
    file = failing(entry, DETAIL, steps=steps)
    failure = await told(file, response({"error": "unknown id"}, 400))
    assert (failure.http_status, failure.detail) == (404, "no 7: unknown id")
    assert failure.body == {"detail": "no 7: unknown id"}
    other = await told(file, response({"error": "closed"}, 400))
    assert other.http_status == 400
    assert other.body == {"detail": other.detail}
    assert "answered with status 400" in other.detail


@pytest.mark.parametrize("steps", [True, False])
async def test_an_error_that_no_entry_fits_is_told_as_ever(steps: bool) -> None:
    file = failing({"when": "@.kind == 'nope'", "status": 418} | DETAIL, steps=steps)
    outcome = await execute(file.rest, Given({}), Scripted({"act": response({"e": 1}, 400)}))
    if steps:
        assert isinstance(outcome, Failure)
        assert (outcome.http_status, outcome.body) == (400, MISSING)
    else:
        assert isinstance(outcome, Answer)
        assert (outcome.status, outcome.body) == (400, b'{"e": 1}')


async def test_each_part_comes_from_the_first_entry_that_fits_and_has_it() -> None:
    file = failing(
        {"when": "@.kind == 'upstream-unreachable'", "message": "nobody there"},
        {"status": 500},
        {"message": "something else", "status": 400},
        DETAIL,
    )
    failure = await told(file, fail(FailureKind.UPSTREAM_UNREACHABLE, "port closed"))
    assert (failure.http_status, failure.body) == (500, {"detail": "nobody there"})
    failure = await told(file, fail(FailureKind.UPSTREAM_TIMEOUT, "slow"))
    assert (failure.http_status, failure.body) == (500, {"detail": "something else"})


async def test_an_entry_leaves_other_failures_alone() -> None:
    file = failing({"when": "@.status == 502", "message": "mine"})
    assert (await told(file, fail(FailureKind.UPSTREAM_BROKEN, "broken"))).detail == "mine"
    assert (await told(file, fail(FailureKind.UPSTREAM_TIMEOUT, "slow"))).detail.endswith("slow")


async def test_invalid_input_is_told_in_the_file_s_shape() -> None:
    file = sequence(
        [operation("act")],
        [call("act")],
        behaviour={"errors": [{"status": 422}, DETAIL]},
        inputs=[{"name": "n", "type": "integer", "description": "A number.", "required": True}],
    )
    outcome = await file.run({"n": "x"})
    assert isinstance(outcome, Failure)
    assert outcome.http_status == 422
    assert outcome.body == {"detail": '"n": expected a whole number, got "x"'}


async def test_members_of_a_failure_can_be_left_out_or_kept() -> None:
    shape = {
        "outputParameters": [
            {
                "type": "object",
                "properties": {
                    "detail": {"type": "string", "mapping": "$.detail"},
                    "field": {"type": "string", "mapping": "$.field", "optional": True},
                    "upstream": {"type": "string", "mapping": "$.upstream.body"},
                },
            }
        ]
    }
    failure = await told(failing(shape), UpstreamResponse(500, [], b"<html>"))
    assert failure.body == {"detail": failure.detail, "upstream": "<html>"}


async def test_a_credential_that_an_upstream_echoes_is_not_told() -> None:
    secret = "s3cret-token-value"
    file = failing(
        {"message": "{{upstream.body.error}}"},
        consumes={"authentication": {"type": "bearer", "token": "{{TOKEN}}"}},
        variables={"TOKEN": secret},
        binds=[{"namespace": "env", "keys": {"TOKEN": "TOKEN"}}],
    )
    failure = await told(file, response({"error": f"bad {secret}"}, 401))
    assert failure.detail == "bad ***"


async def test_a_condition_of_errors_that_cannot_be_read_is_refused_where_it_stands() -> None:
    file = failing({"when": "@.status = 5"})
    problem = next(each for each in file.errors if each.rule == "jsonpath-syntax")
    assert problem.path[-3:] == ("errors", 0, "when")
