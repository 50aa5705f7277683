"""The keys of a request that make repetitions of it one call."""

from __future__ import annotations

from collections.abc import Sequence

from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.guards.identity import key_name
from naftiko_runtime.guards.limits import number_of
from naftiko_runtime.guards.request_paths import Odd, compile_request_path
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.destinations import destination_of
from naftiko_runtime.plan.operation import UpstreamRequest
from naftiko_runtime.settings.model import Idempotency


@dataclass(frozen=True, slots=True)
class Keys:
    """Names under which a call is claimed, and for how many seconds."""

    names: tuple[str, ...]
    window: float


def keys_of(
    request: UpstreamRequest, rules: Sequence[Idempotency], document: JsonValue
) -> Keys | None:
    """The keys of a request, None where it has none. They are the server's: whichever operation
    uses one, it is the same.

    Raises CallFailed for keys that are required and missing, cannot be read, or are given twice.
    """
    values: dict[str, list[str]] = {}
    for rule in rules:
        found = [_key(each, rule, request) for each in compile_request_path(rule.key)(document)]
        values[rule.key] = [each for each in found if each is not None]
        if len(set(values[rule.key])) < len(values[rule.key]):
            message = f'"{rule.key}" of "{request.operation}" is given twice in one request'
            raise fail(FailureKind.KEY_CONFLICT, f"{message} - give each a key of its own")
    names = {each for row in values.values() for each in row}
    if not names:
        return None
    origin = destination_of(request.url).origin
    written = tuple(sorted(key_name(origin, name) for name in names))
    return Keys(written, max(rule.window for rule in rules))


def _key(
    found: JsonValue | Missing | Odd, rule: Idempotency, request: UpstreamRequest
) -> str | None:
    if isinstance(found, Missing) or found is Odd.PLACE or found == "":
        if rule.required:
            raise _unusable(rule, request, "is missing: the operator wants a key for each call")
        return None
    if isinstance(found, Odd | list | dict):
        raise _unusable(rule, request, "cannot be read as a key")
    if isinstance(found, str):
        return found.strip()
    number = number_of(found)
    return str(found) if number is None else format(number.normalize(), "f")


def _unusable(rule: Idempotency, request: UpstreamRequest, what: str) -> CallFailed:
    return fail(FailureKind.INVALID_INPUT, f'"{rule.key}" of "{request.operation}" {what}')
