"""Tells callers of failures in the words and the shape that the file gives (`errors`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from naftiko_runtime.consumes.echoes import without_secrets
from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.json_codec import JsonError, decode_json
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson, Missing
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.jsonpath import JsonPathBudgetExceeded
from naftiko_runtime.plan.operation import ErrorPlan, OperationPlan, Scope

_LONGEST_TEXT: Final = 2000
"""Characters of an upstream's error that is no JSON; error pages can be long."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An upstream's error answer, without credentials."""

    status: int
    body: bytes


class UpstreamRefused(CallFailed):
    """A step's call that was answered with an error."""

    def __init__(self, failure: Failure, refusal: Refusal) -> None:
        super().__init__(failure)
        self.refusal = refusal


def refusal_of(status: int, body: bytes, secrets: tuple[str, ...]) -> Refusal:
    return Refusal(status, without_secrets(body, secrets))


def explain_failed(plan: OperationPlan, failed: CallFailed, scope: Scope) -> Failure:
    """The failure as the file tells of it."""
    refusal = failed.refusal if isinstance(failed, UpstreamRefused) else None
    return explain(plan, failed.failure, scope, refusal)


def explain_answer(plan: OperationPlan, answer: Answer, scope: Scope) -> Outcome:
    """An upstream's error answer to a single call; the answer itself where no entry fits it."""
    failure = Failure(
        FailureKind.STEP_FAILED,
        f'"{plan.action.operation}" answered with status {answer.status}',
        executed=True,
        status=answer.status,
    )
    explained = explain(plan, failure, scope, Refusal(answer.status, answer.body))
    return answer if explained is failure else explained


def explain(
    plan: OperationPlan,
    failure: Failure,
    scope: Scope | None = None,
    refusal: Refusal | None = None,
) -> Failure:
    """A failure with the status, detail and body of the first entries that fit it; the same one
    where none does."""
    if not plan.errors:
        return failure
    seen = _document(failure, refusal)
    found = [entry for entry in plan.errors if _fits(entry, seen)]
    if not found:
        return failure
    explained = failure
    status = next((entry.status for entry in found if entry.status is not None), None)
    if status is not None:
        explained = replace(explained, status=status)
    message = next((entry.message for entry in found if entry.message is not None), None)
    values = Scope({} if scope is None else scope.values, steps=seen)
    if message is not None:
        explained = replace(explained, detail=message(values) or failure.detail)
    body = next((entry.body for entry in found if entry.body is not None), None)
    if body is not None:
        told = _document(explained, refusal)
        values = replace(values, steps=told)
        explained = replace(explained, body=body(told, values))
    return explained


def _fits(entry: ErrorPlan, seen: dict[str, JsonValue]) -> bool:
    if entry.when is None:
        return True
    try:
        return entry.when(seen)
    except JsonPathBudgetExceeded:
        return False


def _document(failure: Failure, refusal: Refusal | None) -> dict[str, JsonValue]:
    """A failure as conditions and templates of `errors` see it."""
    document: dict[str, JsonValue] = {
        "kind": failure.kind.slug,
        "title": failure.kind.title,
        "status": failure.http_status,
        "detail": failure.detail,
        "executed": failure.executed,
    }
    if failure.field is not None:
        document["field"] = failure.field
    if failure.step is not None:
        document["step"] = failure.step
    if refusal is not None:
        document["upstream"] = {"status": refusal.status, "body": _read(refusal.body)}
    return {**failure.details, **document}


def _read(body: bytes) -> JsonValue:
    if not body:
        return None
    value: MaybeJson = MISSING
    try:
        value = decode_json(body)
    except JsonError:
        value = body.decode(errors="replace")[:_LONGEST_TEXT]
    return None if isinstance(value, Missing) else value
