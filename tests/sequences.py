"""Capabilities that run steps, and upstreams that answer them without any network.

file = sequence([operation("get-ship", "/ships/{imo}")], [call("ship", "get-ship")])
upstreams = Scripted({"get-ship": {"name": "Aurora"}})
outcome = await file.run({"imo": "1"}, upstreams)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.engine.execute import execute
from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.failures import CallFailed, Failure
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.plan.load import LoadedFile, load_file
from naftiko_runtime.plan.operation import InputPlan, OperationPlan, UpstreamRequest
from naftiko_runtime.problems import Problem, Severity
from tests.loaded_calls import BASE, Given

Keys = dict[str, Any]


def operation(name: str, path: str = "", method: str = "GET", **keys: Any) -> Keys:
    """A consumed operation; its path is its name where none is given."""
    return {"name": name, "method": method, "path": path or f"/{name}", **keys}


def call(name: str, operation: str | None = None, **arguments: Any) -> Keys:
    """A call step; the operation is called like the step where none is given."""
    step: Keys = {"name": name, "type": "call", "call": f"up.{operation or name}"}
    return step | ({"with": arguments} if arguments else {})


def lookup(name: str, index: str, match: str, value: str, *fields: str) -> Keys:
    return {
        "name": name,
        "type": "lookup",
        "index": index,
        "match": match,
        "lookupValue": value,
        "outputParameters": list(fields) or ["name"],
    }


def mapping(target: str, value: str) -> Keys:
    return {"targetName": target, "value": value}


def text_input(name: str, **keys: Any) -> Keys:
    return {"name": name, "type": "string", "description": f"The {name}.", **keys}


@dataclass
class Scripted:
    """Implements `Upstreams`: answers each operation by its name, with a JSON value, a response
    or an exception, and records what was sent and how far things ran side by side.

    `gates` hold an operation's answer back until the event is set.
    """

    answers: Mapping[str, object] = field(default_factory=dict)
    gates: Mapping[str, asyncio.Event] = field(default_factory=dict)
    sent: list[UpstreamRequest] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    on_send: Callable[[str], None] = lambda name: None

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        name = request.operation.partition(".")[2]
        self.sent.append(request)
        self.events.append(f"> {name}")
        self.on_send(name)
        try:
            if name in self.gates:
                await self.gates[name].wait()
            else:
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.events.append(f"x {name}")
            raise
        self.events.append(f"< {name}")
        answer = self.answers.get(name, {})
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, UpstreamResponse) else response(answer)

    async def aclose(self) -> None: ...

    @property
    def urls(self) -> list[str]:
        return [request.url.removeprefix(BASE) for request in self.sent]


def response(value: object = MISSING, status: int = 200) -> UpstreamResponse:
    """A JSON answer; one without a body where no value is given."""
    body = b"" if value is MISSING else json.dumps(value).encode()
    return UpstreamResponse(status, [("content-type", "application/json")], body)


def text_response(
    text: str, content_type: str = "text/plain", status: int = 200
) -> UpstreamResponse:
    return UpstreamResponse(status, [("content-type", content_type)], text.encode())


def failing(failure: Failure) -> CallFailed:
    return CallFailed(failure)


@dataclass(frozen=True, slots=True)
class LoadedSequence:
    """A file that exposes one behaviour as `/run` and as the tool `run`."""

    file: LoadedFile

    @property
    def errors(self) -> list[Problem]:
        return [p for p in self.file.problems if p.severity is Severity.ERROR]

    @property
    def problems(self) -> Sequence[Problem]:
        return self.file.problems

    @property
    def tool(self) -> OperationPlan:
        assert self.file.plan is not None, self.problems
        assert self.file.plan.mcp[0].tools, self.problems
        return self.file.plan.mcp[0].tools[0].operation

    @property
    def rest(self) -> OperationPlan:
        assert self.file.plan is not None, self.problems
        assert self.file.plan.rest[0].operations, self.problems
        return self.file.plan.rest[0].operations[0].operation

    def input(self, name: str) -> InputPlan:
        return next(plan for plan in self.tool.inputs if plan.name == name)

    async def run(
        self,
        inputs: Mapping[str, JsonValue] | None = None,
        upstreams: Scripted | None = None,
        body: MaybeJson = MISSING,
    ) -> Outcome:
        """What the tool answers."""
        return await execute(self.tool, Given(inputs or {}, body), upstreams or Scripted())

    async def value(
        self, inputs: Mapping[str, JsonValue] | None = None, upstreams: Scripted | None = None
    ) -> Any:
        """The JSON that the tool answers with."""
        outcome = await self.run(inputs, upstreams)
        assert isinstance(outcome, Answer), outcome
        return json.loads(outcome.body)

    async def failure(
        self, inputs: Mapping[str, JsonValue] | None = None, upstreams: Scripted | None = None
    ) -> Failure:
        outcome = await self.run(inputs, upstreams)
        assert isinstance(outcome, Failure), outcome
        return outcome


def sequence(
    operations: Sequence[Keys],
    steps: Sequence[Keys] = (),
    *,
    mappings: Sequence[Keys] = (),
    outputs: Sequence[Keys] = (),
    inputs: Sequence[Keys] = (),
    behaviour: Keys | None = None,
    aggregates: Sequence[Keys] = (),
    method: str = "GET",
    variables: Mapping[str, str] | None = None,
    binds: Sequence[Keys] = (),
    consumes: Keys | None = None,
) -> LoadedSequence:
    """Loads a file whose route and tool do what `behaviour`, or else the steps, say; what is None
    there is left out."""
    given = dict(behaviour or {})
    for key, value in (("steps", steps), ("mappings", mappings), ("outputParameters", outputs)):
        if value:
            given[key] = list(value)
    tool = _present({"name": "run", "description": "Runs it.", **given})
    route = _present({"name": "run", "method": method, **given})
    if inputs:
        tool["inputParameters"] = [dict(each) for each in inputs]
        route["inputParameters"] = [{"in": "query"} | _placeless(each) for each in inputs]
    document: Keys = {
        "naftiko": "1.0.0-alpha2",
        "info": {"label": "Sequence", "description": "Steps."},
        "capability": {
            "exposes": [
                {"type": "rest", "namespace": "seq-rest", "port": 8080}
                | {"resources": [{"path": "/run", "operations": [route]}]},
                {"type": "mcp", "namespace": "seq-mcp", "port": 9090, "tools": [tool]},
            ],
        },
    }
    if operations:
        document["capability"]["consumes"] = [_consumes(operations) | (consumes or {})]
    if aggregates:
        document["capability"]["aggregates"] = list(aggregates)
    if binds:
        document["binds"] = list(binds)
    text = yaml.safe_dump(document, sort_keys=False)
    return LoadedSequence(load_file(Path("sequence.yaml"), variables or {}, {}, text.encode()))


def _present(keys: Keys) -> Keys:
    return {key: value for key, value in keys.items() if value is not None}


def _placeless(parameter: Keys) -> Keys:
    return {key: value for key, value in parameter.items() if key != "required"}


def _consumes(operations: Sequence[Keys]) -> Keys:
    resources = [
        {
            "name": each["name"],
            "path": each["path"],
            "operations": [{key: value for key, value in each.items() if key != "path"}],
        }
        for each in operations
    ]
    return {"type": "http", "namespace": "up", "baseUri": BASE, "resources": resources}
