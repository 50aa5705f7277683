"""Turns an upstream's response into the answer that the caller gets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from naftiko_runtime.consumes.decoding import decode_answer, says_json
from naftiko_runtime.consumes.echoes import spellings_of, without, without_secrets
from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.plan.jsonpath import JsonPathBudgetExceeded
from naftiko_runtime.plan.operation import OutputPlan, Scope, UpstreamRequest

PASSED_HEADERS = frozenset(
    "cache-control content-disposition content-language etag expires last-modified link location "
    "retry-after vary www-authenticate x-request-id".split()
)
"""Upstream headers that callers see besides Content-Type."""


def answer_of(
    output: OutputPlan, request: UpstreamRequest, response: UpstreamResponse, scope: Scope
) -> Answer:
    """The answer of a call: the upstream's bytes, or what the output mapping makes of them.

    An error status, a redirect and an empty body are passed on as they came. Raises CallFailed when
    the answer is not what the file says it is.
    """
    content_type = response.header("content-type")
    headers = tuple([pair for pair in response.headers if pair[0] in PASSED_HEADERS])
    body = response.body
    if request.secrets:
        spellings = spellings_of(request.secrets)
        headers = tuple(
            [(name, without(value.encode(), spellings).decode()) for name, value in headers]
        )
        body = without(body, spellings)
    if not 200 <= response.status < 300 or not body:
        return Answer(response.status, content_type, body, headers)
    if output.map is None:
        if output.raw_format.declared and _must_be_json(output) and not says_json(content_type):
            decode_answer(response, output.raw_format, operation=request.operation)
            content_type = "application/json"
        return Answer(response.status, content_type or output.raw_format.media_type, body, headers)
    document = decode_answer(response, output.raw_format, operation=request.operation)
    value = mapped(output, document, scope, request.operation)
    return json_answer(value, request.secrets, response.status, headers)


def takes_long(output: OutputPlan, response: UpstreamResponse) -> bool:
    """Whether other calls should not wait for the answer to be mapped."""
    return output.map is not None and len(response.body) > output.raw_format.large


def json_answer(
    value: JsonValue,
    secrets: tuple[str, ...],
    status: int = 200,
    headers: tuple[tuple[str, str], ...] = (),
) -> Answer:
    """A value as an answer, without the credentials that an upstream may have echoed into it."""
    encoded = encode_json(value)
    body = without_secrets(encoded, secrets)
    shown: MaybeJson = value if body == encoded else MISSING
    return Answer(status, "application/json", body, headers, shown)


def mapped(output: OutputPlan, document: JsonValue, scope: Scope, operation: str) -> JsonValue:
    """A document through its output mapping. Raises CallFailed when a path's budget runs out."""
    if output.map is None:
        return document
    try:
        return output.map(document, scope)
    except JsonPathBudgetExceeded:
        raise _beyond(f'the answer of "{operation}" is too large for its output mapping') from None


@contextmanager
def within_budget(complaint: str) -> Iterator[None]:
    """Makes a path that visits too much of upstreams' answers a failed call."""
    try:
        yield
    except JsonPathBudgetExceeded:
        raise _beyond(complaint) from None


def _beyond(complaint: str) -> CallFailed:
    return fail(FailureKind.UPSTREAM_INVALID, complaint, executed=True)


def _must_be_json(output: OutputPlan) -> bool:
    return output.raw_format.name == "json"
