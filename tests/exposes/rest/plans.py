"""Plans made by hand, and an engine that records what it is asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.document.model import ParameterPlace, ParameterType
from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.plan.operation import (
    CallPlan,
    InputPlan,
    Inputs,
    OperationPlan,
    OutputPlan,
    RestAdapterPlan,
    RestOperationPlan,
    Scope,
    UpstreamRequest,
)
from naftiko_runtime.problems import Place

PATH = ParameterPlace.PATH
QUERY = ParameterPlace.QUERY
HEADER = ParameterPlace.HEADER
COOKIE = ParameterPlace.COOKIE
BODY = ParameterPlace.BODY


def given(
    name: str,
    *places: ParameterPlace,
    variable: str | None = None,
    whole_body: bool = False,
    body_path: Callable[[JsonValue], MaybeJson] | None = None,
    type_: ParameterType | None = None,
    required: bool = False,
    default: MaybeJson = MISSING,
    description: str = "",
    schema: Mapping[str, JsonValue] | None = None,
    exact: bool = False,
) -> InputPlan:
    """An input called `name`, looked for at `places`; `exact` where no other spelling will do."""
    return InputPlan(
        name=name,
        loose="" if exact else fold_name(name),
        type=type_,
        schema=schema if schema is not None else ({"type": type_.value} if type_ else {}),
        description=description,
        required=required,
        default=default,
        places=places,
        route_variable=variable,
        whole_body=whole_body,
        body_path=body_path,
    )


def served(
    method: str,
    route: str,
    *inputs: InputPlan,
    name: str = "",
    upstream_method: str | None = None,
    body: bool = False,
    body_required: bool = False,
    body_schema: Mapping[str, JsonValue] | None = None,
    output: Mapping[str, JsonValue] | None = None,
    label: str = "",
    description: str = "",
    place: Place | None = None,
) -> RestOperationPlan:
    """One operation; `name` is what its answers tell apart."""
    name = name or f"{method} {route}"
    return RestOperationPlan(
        method=method,
        route=route,
        name=name,
        label=label,
        description=description,
        operation=OperationPlan(
            name=name,
            inputs=inputs,
            action=CallPlan("up", "up.operation", upstream_method or method, _never_built),
            output=OutputPlan(schema=output),
            accepts_body=body,
            body_required=body_required,
            body_schema=body_schema,
        ),
        place=place or Place("orders.yaml", 7, 3),
    )


def adapter(
    *operations: RestOperationPlan, namespace: str = "orders-rest", description: str = ""
) -> RestAdapterPlan:
    return RestAdapterPlan(
        namespace, 8080, None, description, tuple(operations), Place("orders.yaml", 3, 5)
    )


def _never_built(scope: Scope) -> UpstreamRequest:
    raise AssertionError("no test of the adapter sends anything upstream")


Script = Callable[[OperationPlan, Inputs], Awaitable[Outcome]]


@dataclass
class Engine:
    """Answers with what it found of each input, or as a test's script says.

    `calls` are the names of the operations it was asked for, in order.
    """

    script: Script | None = None
    calls: list[str] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)
    finished: threading.Event = field(default_factory=threading.Event)

    async def execute(self, plan: OperationPlan, inputs: Inputs) -> Outcome:
        self.calls.append(plan.name)
        if self.script is not None:
            return await self.script(plan, inputs)
        return echo(plan, inputs)

    def answers(self, outcome: Outcome | Exception) -> None:
        """Ends every call from now on in this way."""

        async def script(plan: OperationPlan, inputs: Inputs) -> Outcome:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        self.script = script


def echo(plan: OperationPlan, inputs: Inputs) -> Answer:
    """`{"operation", "found": {NAME: {"value", "textual"}}, "body"}`; inputs that were not given
    are left out."""
    found: dict[str, Any] = {}
    for each in plan.inputs:
        value, textual = inputs.find(each)
        if value is not MISSING:
            found[each.name] = {"value": value, "textual": textual}
    document: dict[str, Any] = {"operation": plan.name, "found": found}
    if plan.accepts_body:
        raw = inputs.raw_body()
        document["body"] = None if raw is None else raw.decode()
    return Answer(200, "application/json", json.dumps(document, default=str).encode())


def texts(found: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an echo, without where they came from."""
    return {name: entry["value"] for name, entry in found.items()}


def labelled(*adapters: RestAdapterPlan) -> Sequence[tuple[str, RestAdapterPlan]]:
    return [("Orders", each) for each in adapters]
