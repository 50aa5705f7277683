"""What a call ended in, kept for its repetitions."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping

from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.failures import Failure, FailureKind, Question
from naftiko_runtime.json_values import MISSING, JsonValue, Missing


class BadOutcome(Exception):
    """A document is no outcome: something else has written it."""


def write_outcome(outcome: Outcome) -> Mapping[str, JsonValue]:
    if isinstance(outcome, Failure):
        return {
            "failure": outcome.kind.slug,
            "detail": outcome.detail,
            "field": outcome.field,
            "executed": outcome.executed,
            "step": outcome.step,
            "status": outcome.status,
            "details": dict(outcome.details),
            "question": None if outcome.question is None else _written(outcome.question),
            "shape": None if isinstance(outcome.body, Missing) else [outcome.body],
        }
    return {
        "status": outcome.status,
        "type": outcome.content_type,
        "body": b64encode(outcome.body).decode(),
        "headers": [[name, value] for name, value in outcome.headers],
    }


def read_outcome(document: Mapping[str, JsonValue] | None) -> Outcome:
    """Raises BadOutcome."""
    if document is None:
        raise BadOutcome
    try:
        return _answer_of(document) if "body" in document else _failure_of(document)
    except (KeyError, IndexError, ValueError):
        raise BadOutcome from None


def _answer_of(document: Mapping[str, JsonValue]) -> Answer:
    status, body, rows = document["status"], document["body"], document["headers"]
    if not isinstance(status, int) or not isinstance(body, str) or not isinstance(rows, list):
        raise BadOutcome
    headers = [(str(row[0]), str(row[1])) for row in rows if isinstance(row, list)]
    return Answer(status, _text(document["type"]), b64decode(body), tuple(headers))


def _failure_of(document: Mapping[str, JsonValue]) -> Failure:
    status, details = document.get("status"), document.get("details")
    shape = document.get("shape")
    kinds = [kind for kind in FailureKind if kind.slug == document.get("failure")]
    if not kinds or not isinstance(details, dict):
        raise BadOutcome
    return Failure(
        kinds[0],
        _text(document["detail"]) or "",
        field=_text(document["field"]),
        executed=document["executed"] is not False,
        step=_text(document["step"]),
        status=status if isinstance(status, int) else None,
        details=details,
        question=_question_of(document.get("question")),
        body=shape[0] if isinstance(shape, list) and shape else MISSING,
    )


def _written(question: Question) -> dict[str, JsonValue]:
    return {
        "id": question.id,
        "message": question.message,
        "url": question.url,
        "operation": question.operation,
        "accept": dict(question.accept),
        "decline": dict(question.decline),
    }


def _question_of(document: JsonValue) -> Question | None:
    if document is None:
        return None
    if not isinstance(document, dict):
        raise BadOutcome
    accept, decline = document["accept"], document["decline"]
    if not isinstance(accept, dict) or not isinstance(decline, dict):
        raise BadOutcome
    id_, message = _text(document["id"]) or "", _text(document["message"]) or ""
    operation = _text(document["operation"]) or ""
    return Question(id_, message, _text(document["url"]), operation, accept, decline)


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None
