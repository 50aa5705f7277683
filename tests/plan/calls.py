"""What tests of requests share: the tool's and the route's request, and failures."""

from __future__ import annotations

import pytest

from naftiko_runtime.failures import CallFailed
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import UpstreamRequest
from tests.loaded_calls import (
    LoadedCall,
)


def both(call: LoadedCall, values: dict[str, JsonValue]) -> UpstreamRequest:
    """The request of the tool and of the route, which have to be the same."""
    assert call.problems == ()
    rest = call.rest_request({name: as_text(value) for name, value in values.items()})
    assert call.tool_request(values) == rest
    return rest


def as_text(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [as_text(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def failure_of(call: LoadedCall, values: dict[str, JsonValue]) -> CallFailed:
    with pytest.raises(CallFailed) as raised:
        call.tool_request(values)
    return raised.value


def declared(name: str, type_: str, **keys: object) -> dict[str, object]:
    return {"name": name, "type": type_, "description": f"The {name}.", **keys}


BINDS = [{"namespace": "vault", "keys": {"TOKEN": "SOURCE_TOKEN"}}]
SECRET = "canary-5d1e9a"
