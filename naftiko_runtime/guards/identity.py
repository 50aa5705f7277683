"""What makes two calls the same call: hashes over all that may not differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

from naftiko_runtime.guards.masking import masked_headers, masked_url, masked_value
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import CallPlan, OperationPlan, UpstreamRequest
from naftiko_runtime.plan.origin import Origin


def approval_hash(origin: Origin, plan: OperationPlan, request: UpstreamRequest) -> str:
    """What a person approves: this caller, this version of the file, this request to the byte."""
    return _hash("approval", *_caller(origin), plan.version, *_sent(request))


def repetition_hash(
    origin: Origin,
    plan: OperationPlan,
    request: UpstreamRequest,
    arguments: Mapping[str, JsonValue],
) -> str:
    """What repetitions have in common: caller, exposed operation and request; where the operation
    is more than this request, also its arguments, as a repetition is given the answer of all. The
    version of the file does not count: a reload must not make a second order of a repetition."""
    given: JsonValue = None
    if not isinstance(plan.action, CallPlan):
        given = [[name, arguments[name]] for name in sorted(arguments)]
    whole = encode_json(masked_value(given, request.secrets)).decode()
    return _hash("repetition", origin.principal, plan.capability, plan.name, whole, *_sent(request))


def key_name(origin: str, value: str) -> str:
    """Under what a key is kept that is used at a server."""
    return f"{origin}/{_hash('key', value)}"


def question_name(capability: str, operation: str, name: str, value: str) -> str:
    """Under what a question is kept that is answered by an operation with such an argument."""
    return _hash("question", capability, operation, name, value)


def _caller(origin: Origin) -> tuple[str, str]:
    return origin.protocol, origin.principal


def _sent(request: UpstreamRequest) -> Iterable[str]:
    headers = encode_json(dict(masked_headers(request.headers, request.secrets))).decode()
    return (
        request.upstream,
        request.operation,
        request.method,
        masked_url(request.url, request.secrets),
        headers,
        "none" if request.content is None else sha256(request.content).hexdigest(),
    )


def _hash(*parts: str) -> str:
    return sha256(encode_json([*parts])).hexdigest()
