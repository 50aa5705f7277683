"""Executes one call of an operation's plan."""

from __future__ import annotations

from naftiko_runtime.consumes.formats import decode_answer
from naftiko_runtime.consumes.messages import UpstreamResponse, Upstreams
from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.plan.jsonpath import JsonPathBudgetExceeded
from naftiko_runtime.plan.operation import (
    Inputs,
    OperationPlan,
    OutputPlan,
    Scope,
    UpstreamRequest,
)

PASSED_HEADERS = frozenset(
    "cache-control content-disposition content-language etag expires last-modified link location "
    "retry-after vary www-authenticate x-request-id".split()
)
"""Upstream headers that callers see besides Content-Type."""

_SECRET_LENGTH = 8
"""Shorter credentials are not looked for in answers: they would match by chance."""


async def execute(plan: OperationPlan, inputs: Inputs, upstreams: Upstreams) -> Outcome:
    """Calls the upstream as the plan says and maps its answer.

    Never raises for what can go wrong with a call: that is the Failure it returns. An upstream's
    error status is an answer, returned as it came.
    """
    try:
        scope = Scope(bind_inputs(plan, inputs))
        if plan.accepts_body:
            scope.raw_body = inputs.raw_body()
            if scope.raw_body is None and plan.body_required:
                raise fail(FailureKind.INVALID_INPUT, "a JSON body is required", field="body")
        request = plan.call.build(scope)
        response = await upstreams.send(request)
        return _answer(plan.output, request, response, scope)
    except CallFailed as failed:
        return failed.failure


def bind_inputs(plan: OperationPlan, inputs: Inputs) -> dict[str, JsonValue]:
    """The caller's values by input name, checked and in their types.

    Raises CallFailed (INVALID_INPUT) for a value that does not fit or is required and not given.
    A null stands for "not given" where the input has a type.
    """
    values: dict[str, JsonValue] = {}
    for each in plan.inputs:
        value, textual = inputs.find(each)
        if value is None and each.type is not None:
            value = Missing.MISSING
        if not isinstance(value, Missing):
            values[each.name] = each.convert(value, textual)
        elif not isinstance(each.default, Missing):
            values[each.name] = each.default
        elif each.required:
            hint = f": {each.description}" if each.description else ""
            message = f'"{each.name}" is required{hint}'
            raise fail(FailureKind.INVALID_INPUT, message, field=each.name)
    return values


def _answer(
    output: OutputPlan, request: UpstreamRequest, response: UpstreamResponse, scope: Scope
) -> Answer:
    status = response.status
    headers = tuple(pair for pair in response.headers if pair[0] in PASSED_HEADERS)
    content_type = response.header("content-type")
    body = _without_secrets(response.body, request.secrets)
    if not 200 <= status < 300 or not body:
        return Answer(status, content_type, body, headers)
    if output.map is None:
        if output.raw_format == "json" and not _is_json(content_type):
            decode_answer(request, response, output.raw_format)
            content_type = "application/json"
        return Answer(status, content_type or "application/json", body, headers)
    document = decode_answer(request, response, output.raw_format)
    try:
        value = output.map(document, scope)
    except JsonPathBudgetExceeded:
        raise fail(
            FailureKind.UPSTREAM_INVALID,
            f'the answer of "{request.operation}" is too large for its output mapping',
            executed=True,
        ) from None
    encoded = _without_secrets(encode_json(value), request.secrets)
    return Answer(status, "application/json", encoded, headers, value)


def _is_json(content_type: str | None) -> bool:
    """Whether a media type says JSON (RFC 6839 suffixes included)."""
    if content_type is None:
        return False
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _without_secrets(body: bytes, secrets: tuple[str, ...]) -> bytes:
    """The answer without the credentials that went with the request, should it echo them."""
    for secret in secrets:
        if len(secret) >= _SECRET_LENGTH and secret.encode() in body:
            body = body.replace(secret.encode(), b"***")
    return body
