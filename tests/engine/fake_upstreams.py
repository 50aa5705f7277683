"""Upstreams that only exist in a test."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.engine.execute import execute
from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.plan.operation import UpstreamRequest
from tests.loaded_calls import Given, LoadedCall

JSON_HEADERS = (("content-type", "application/json"),)


def answering(value: object, status: int = 200) -> UpstreamResponse:
    return UpstreamResponse(status, JSON_HEADERS, json.dumps(value).encode())


@dataclass
class FakeUpstreams:
    """Answers with one response, or with what a test makes of each request."""

    answer: UpstreamResponse | Callable[[UpstreamRequest], UpstreamResponse] = field(
        default_factory=lambda: answering({"ok": True})
    )
    requests: list[UpstreamRequest] = field(default_factory=list)

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        self.requests.append(request)
        return self.answer if isinstance(self.answer, UpstreamResponse) else self.answer(request)

    async def aclose(self) -> None:
        """Nothing is open."""


async def run(
    call: LoadedCall,
    upstreams: FakeUpstreams,
    values: dict[str, JsonValue] | None = None,
    body: MaybeJson = MISSING,
) -> Outcome:
    return await execute(call.tool, Given(values or {}, body), upstreams)


def response(
    body: bytes, content_type: str | None = "application/json", status: int = 200, **headers: str
) -> UpstreamResponse:
    given = [] if content_type is None else [("content-type", content_type)]
    given += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return UpstreamResponse(status, given, body)
