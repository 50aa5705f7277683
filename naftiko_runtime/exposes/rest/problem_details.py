"""Failures as problem documents (RFC 9457)."""

from __future__ import annotations

from typing import Final

from naftiko_runtime.exposes.authentication import Refusal
from naftiko_runtime.exposes.rest.reply import Reply
from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import JsonValue, Missing

PROBLEM_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:naftiko:problem:"
"""A URN, since a URL would belong to somebody's host; docs/errors.md explains each."""

_JSON: Final = b"application/json"
_UPSTREAM: Final = frozenset(
    {
        FailureKind.UPSTREAM_UNREACHABLE,
        FailureKind.UPSTREAM_UNTRUSTED,
        FailureKind.UPSTREAM_CREDENTIALS,
        FailureKind.UPSTREAM_BROKEN,
        FailureKind.UPSTREAM_INVALID,
        FailureKind.UPSTREAM_TOO_LARGE,
        FailureKind.UPSTREAM_TIMEOUT,
    }
)


def problem_document(failure: Failure) -> dict[str, JsonValue]:
    """`type`, `title`, `status`, `detail`; `field` where an input is at fault; `step` where one of
    a sequence failed; `executed` where an upstream was to be called; `details` (see Failure)."""
    kind = failure.kind
    document: dict[str, JsonValue] = {
        "type": TYPE_PREFIX + kind.slug,
        "title": kind.title,
        "status": failure.http_status,
        "detail": failure.detail,
    }
    if failure.field is not None:
        document["field"] = failure.field
    if failure.step is not None:
        document["step"] = failure.step
    if kind in _UPSTREAM or failure.step is not None:
        document["executed"] = failure.executed
    document.update(failure.details)
    return document


def problem_reply(failure: Failure, *headers: tuple[bytes, bytes]) -> Reply:
    """The answer to a failed call, with further headers (`allow`): a problem document, or what the
    file gives instead."""
    if failure.retry_after is not None:
        headers = (*headers, (b"retry-after", b"%d" % failure.retry_after))
    if not isinstance(failure.body, Missing):
        return _reply(failure.body, failure.http_status, *headers, content_type=_JSON)
    return _reply(problem_document(failure), failure.http_status, *headers)


def refusal_reply(refusal: Refusal) -> Reply:
    """The answer to a caller who is not let in, with what would let him in."""
    return problem_reply(refusal.failure, *refusal.headers)


def internal_error_reply(incident: str) -> Reply:
    """The answer when a bug showed: nothing but the id under which it was logged."""
    detail = f'the call failed inside the runtime - its log has the reason under "{incident}"'
    document = problem_document(Failure(FailureKind.INTERNAL, detail))
    document["incident"] = incident
    return _reply(document, FailureKind.INTERNAL.status)


def _reply(
    document: JsonValue,
    status: int,
    *headers: tuple[bytes, bytes],
    content_type: bytes = PROBLEM_TYPE.encode(),
) -> Reply:
    body = encode_json(document)
    return Reply(
        status,
        [
            (b"content-type", content_type),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            *headers,
        ],
        body,
    )
