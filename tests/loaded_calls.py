"""Loads capabilities of one consumed operation, and calls what they expose without any network.

call = one_call(path="/orders/{id}", parameters=[query("limit", type="integer")])
request = call.rest_request({"id": "7", "limit": "5"})
assert request.url == "https://api.example.com/v1/orders/7?limit=5"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.engine.execute import bind_inputs
from naftiko_runtime.failures import CallFailed, Failure
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.plan.load import LoadedFile, load_file
from naftiko_runtime.plan.operation import (
    CallPlan,
    InputPlan,
    Inputs,
    OperationPlan,
    Scope,
    UpstreamRequest,
)
from naftiko_runtime.plan.origin import UNKNOWN_REST, Origin
from naftiko_runtime.problems import Problem

BASE = "https://api.example.com/v1"


class Given:
    """A caller's values by name, as an adapter hands them to the engine.

    With `textual` they come as text, as a REST caller's path and query do; `body` is the whole
    request body.
    """

    def __init__(
        self,
        values: Mapping[str, JsonValue],
        body: MaybeJson = MISSING,
        *,
        textual: bool = False,
        origin: Origin = UNKNOWN_REST,
        dry_run: bool = False,
    ) -> None:
        self.origin = origin
        self.dry_run = dry_run
        self._values = values
        self._body = body
        self._textual = textual

    def find(self, plan: InputPlan) -> tuple[MaybeJson, bool]:
        if plan.whole_body and self._body is not MISSING:
            return self._body, False
        if plan.body_path is not None and self._body is not MISSING:
            return plan.body_path(self._body), False
        if plan.name in self._values:
            return self._values[plan.name], self._textual
        for name, value in self._values.items():
            if fold_name(name) == plan.loose:
                return value, self._textual
        return MISSING, False

    def raw_body(self) -> bytes | None:
        return None if self._body is MISSING else encode_json(self._body)

    def has_encoded_body(self) -> bool:
        return False


def build(plan: OperationPlan, given: Inputs) -> UpstreamRequest:
    """The request that a call of the plan sends. Raises CallFailed where it sends none."""
    assert isinstance(plan.action, CallPlan)
    scope = Scope(bind_inputs(plan.inputs, given))
    if plan.accepts_body:
        scope.raw_body = given.raw_body()
    return plan.action.build(scope)


@dataclass(frozen=True, slots=True)
class LoadedCall:
    """A loaded file that exposes its one consumed operation as a route and as a tool."""

    file: LoadedFile

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.file.problems

    @property
    def messages(self) -> list[str]:
        return [problem.message for problem in self.file.problems]

    @property
    def rest(self) -> OperationPlan:
        assert self.file.plan is not None, self.messages
        return self.file.plan.rest[0].operations[0].operation

    @property
    def tool(self) -> OperationPlan:
        assert self.file.plan is not None, self.messages
        return self.file.plan.mcp[0].tools[0].operation

    def rest_request(
        self, values: Mapping[str, JsonValue] | None = None, body: MaybeJson = MISSING
    ) -> UpstreamRequest:
        return build(self.rest, Given(values or {}, body, textual=True))

    def tool_outcome(self, values: Mapping[str, JsonValue]) -> UpstreamRequest | Failure:
        """The request of the tool, or why there is none."""
        try:
            return self.tool_request(values)
        except CallFailed as failed:
            return failed.failure

    def tool_request(
        self, values: Mapping[str, JsonValue] | None = None, body: MaybeJson = MISSING
    ) -> UpstreamRequest:
        return build(self.tool, Given(values or {}, body))


def parameter(place: str, name: str, **keys: object) -> dict[str, object]:
    return {"name": name, "in": place, **keys}


def query(name: str, **keys: object) -> dict[str, object]:
    return parameter("query", name, **keys)


def header(name: str, **keys: object) -> dict[str, object]:
    return parameter("header", name, **keys)


def in_path(name: str, **keys: object) -> dict[str, object]:
    return parameter("path", name, **keys)


def in_body(name: str, **keys: object) -> dict[str, object]:
    return parameter("body", name, **keys)


def one_call_text(
    *,
    path: str = "/things",
    method: str = "GET",
    base_uri: str = BASE,
    parameters: Sequence[Mapping[str, object]] = (),
    adapter_parameters: Sequence[Mapping[str, object]] = (),
    resource_parameters: Sequence[Mapping[str, object]] = (),
    body: object = None,
    authentication: Mapping[str, object] | None = None,
    binds: Sequence[Mapping[str, object]] = (),
    route: str = "/run",
    route_method: str | None = None,
    rest_with: Mapping[str, object] | None = None,
    tool_with: Mapping[str, object] | None = None,
    rest_inputs: Sequence[Mapping[str, object]] = (),
    tool_inputs: Sequence[Mapping[str, object]] = (),
    outputs: Sequence[Mapping[str, object]] = (),
) -> str:
    """A capability file: `up.run` consumed, exposed at `route` (namespace `up-rest`) and as the
    tool `run` (namespace `up-mcp`). What is not given is left out of the file."""
    operation: dict[str, Any] = {"name": "run", "method": method}
    resource: dict[str, Any] = {"name": "things", "path": path}
    consumed: dict[str, Any] = {"type": "http", "namespace": "up", "baseUri": base_uri}
    _give(operation, inputParameters=list(parameters), body=body)
    _give(resource, inputParameters=list(resource_parameters))
    _give(consumed, inputParameters=list(adapter_parameters), authentication=authentication)
    exposed: dict[str, Any] = {"method": route_method or method, "name": "run", "call": "up.run"}
    tool: dict[str, Any] = {"name": "run", "description": "Runs it.", "call": "up.run"}
    answer = [dict(each) for each in outputs] or [{"type": "object", "mapping": "$."}]
    _give(exposed, inputParameters=list(rest_inputs), outputParameters=answer)
    _give(tool, inputParameters=list(tool_inputs), outputParameters=answer)
    _give(exposed, **{"with": rest_with})
    _give(tool, **{"with": tool_with})
    rest = {"type": "rest", "namespace": "up-rest", "port": 8080}
    mcp = {"type": "mcp", "namespace": "up-mcp", "port": 9090, "tools": [tool]}
    document: dict[str, Any] = {
        "naftiko": "1.0.0-alpha2",
        "info": {"label": "One call", "description": "A call."},
        "capability": {
            "consumes": [consumed | {"resources": [resource | {"operations": [operation]}]}],
            "exposes": [rest | {"resources": [{"path": route, "operations": [exposed]}]}, mcp],
        },
    }
    _give(document, binds=list(binds))
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _give(mapping: dict[str, Any], **members: object) -> None:
    mapping.update({key: value for key, value in members.items() if value not in (None, [], {})})


def one_call(
    *,
    variables: Mapping[str, str] | None = None,
    base_uris: Mapping[str, str] | None = None,
    **parts: Any,
) -> LoadedCall:
    """Loads `one_call_text(**parts)`; `variables` is the environment."""
    return load_call(one_call_text(**parts), variables, base_uris)


def load_call(
    text: str,
    variables: Mapping[str, str] | None = None,
    base_uris: Mapping[str, str] | None = None,
) -> LoadedCall:
    path = Path("one-call.yaml")
    return LoadedCall(load_file(path, variables or {}, base_uris or {}, text.encode()))
