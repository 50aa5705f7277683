"""Sessions that are kept open by calls on a schedule."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.plan.load import load_file
from naftiko_runtime.plan.operation import CapabilityPlan, UpstreamRequest
from naftiko_runtime.problems import Problem
from naftiko_runtime.serving.keep_alive import KeepAlive, pause_after
from naftiko_runtime.settings.model import KeepAlive as Asked
from naftiko_runtime.settings.model import RuntimeSettings, UpstreamRule

pytestmark = pytest.mark.anyio

FILE = """\
naftiko: 1.0.0-alpha2
info: {label: Gateway, description: A gateway with sessions.}
capability:
  consumes:
    - type: http
      namespace: sessions
      baseUri: ORIGIN
      description: The gateway.
      resources:
        - name: tickle
          path: /tickle
          operations: [{name: tickle, method: POST, semantics: {safe: true}}]
        - {name: one, path: "/one/{id}", operations: [{name: one, method: GET}]}
    - type: http
      namespace: orders
      baseUri: ORIGIN
      description: The gateway.
      resources:
        - {name: orders, path: /orders, operations: [{name: list, method: GET}]}
  exposes:
    - type: mcp
      namespace: tools
      port: 9090
      tools:
        - name: list
          description: Lists.
          call: orders.list
          outputParameters: [{type: object, mapping: "$."}]
"""
OPEN = UpstreamResponse(200, (("content-type", "application/json"),), b"{}")
LOST = UpstreamResponse(401, (), b"")
OUT_OF_ORDER = UpstreamResponse(503, (), b"")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Upstreams:
    """Answers as told, and lets tests wait for calls."""

    answer: UpstreamResponse | Callable[[], UpstreamResponse] = OPEN
    requests: list[UpstreamRequest] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        async with self.news:
            self.requests.append(request)
            self.news.notify_all()
        return self.answer if isinstance(self.answer, UpstreamResponse) else self.answer()

    async def calls(self, count: int) -> None:
        async with self.news:
            await asyncio.wait_for(self.news.wait_for(lambda: len(self.requests) >= count), 20)
        await asyncio.sleep(0)

    async def aclose(self) -> None:
        """Nothing is open."""


@dataclass
class Served:
    """What a listener reads of a collection."""

    plans: tuple[CapabilityPlan, ...]
    settings: RuntimeSettings


def settings(
    every: float = 0.01, call: str = "sessions.tickle", match: str = "*"
) -> RuntimeSettings:
    return RuntimeSettings(upstreams=(UpstreamRule(match, keep_alive=Asked(call, every)),))


def load(folder: Path, origin: str = "https://localhost:5000") -> CapabilityPlan:
    path = folder / "gateway.yaml"
    path.write_text(FILE.replace("ORIGIN", f"{origin}/v1"))
    plan = load_file(path, {}, {}).plan
    assert plan is not None
    return plan


async def adopt(
    keep_alive: KeepAlive, settings: RuntimeSettings, *plans: CapabilityPlan
) -> list[Problem]:
    return await keep_alive.adopt(Served(plans, settings))  # type: ignore[arg-type]


def states(keep_alive: KeepAlive) -> list[tuple[object, object, object]]:
    described = [each for each in keep_alive.describe() if isinstance(each, Mapping)]
    return [(each["upstream"], each["call"], each["state"]) for each in described]


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [getattr(record, "event", "") for record in caplog.records]


def test_lost_session_is_called_more_seldom_but_never_by_far() -> None:
    assert [pause_after(60, in_vain) for in_vain in range(6)] == [60, 60, 120, 240, 240, 240]
    assert pause_after(60, 100_000) == 240


async def test_session_is_called_again_and_again(tmp_path: Path) -> None:
    upstreams = Upstreams()
    keep_alive = KeepAlive(upstreams)
    await adopt(keep_alive, settings(), load(tmp_path))
    await upstreams.calls(5)
    await keep_alive.aclose()
    assert {(each.method, each.url) for each in upstreams.requests} == {
        ("POST", "https://localhost:5000/v1/tickle")
    }
    made = len(upstreams.requests)
    await asyncio.sleep(0.05)
    assert len(upstreams.requests) == made


async def test_files_and_namespaces_of_one_gateway_share_its_session(tmp_path: Path) -> None:
    keep_alive = KeepAlive(Upstreams())
    await adopt(keep_alive, settings(60), load(tmp_path), load(tmp_path))
    assert len(keep_alive.describe()) == 1
    await keep_alive.aclose()


async def test_files_that_call_one_request_by_other_names_share_its_session(tmp_path: Path) -> None:
    keep_alive = KeepAlive(Upstreams())
    first = load(tmp_path)
    path = tmp_path / "other.yaml"
    path.write_text(
        FILE.replace("ORIGIN", "https://localhost:5000/v1").replace("sessions", "gateway")
    )
    second = load_file(path, {}, {}).plan
    assert second is not None
    both = RuntimeSettings(
        upstreams=tuple(
            UpstreamRule(name, keep_alive=Asked(f"{name}.tickle", 60))
            for name in ("sessions", "gateway")
        )
    )
    await adopt(keep_alive, both, first, second)
    assert [call for _, call, _ in states(keep_alive)] == ["sessions.tickle"]
    await keep_alive.aclose()


async def test_gateways_have_sessions_of_their_own(tmp_path: Path) -> None:
    upstreams = Upstreams()
    keep_alive = KeepAlive(upstreams)
    plans = [load(tmp_path, f"https://{host}") for host in ("a.example", "b.example")]
    await adopt(keep_alive, settings(60), *plans)
    await upstreams.calls(2)
    assert states(keep_alive) == [
        (f"https://{host}", "sessions.tickle", "open") for host in ("a.example", "b.example")
    ]
    await keep_alive.aclose()


async def test_lost_session_is_said_once_and_once_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "naftiko")
    upstreams = Upstreams(LOST)
    keep_alive = KeepAlive(upstreams)
    await adopt(keep_alive, settings(0.001), load(tmp_path))
    await upstreams.calls(4)
    assert states(keep_alive) == [("https://localhost:5000", "sessions.tickle", "lost")]
    assert events(caplog) == ["session-lost"]
    upstreams.answer = OPEN
    await upstreams.calls(len(upstreams.requests) + 4)
    await keep_alive.aclose()
    assert events(caplog) == ["session-lost", "session-back"]


async def test_calls_go_on_whatever_goes_wrong(tmp_path: Path) -> None:
    def unreachable() -> UpstreamResponse:
        raise fail(FailureKind.UPSTREAM_UNREACHABLE, "connection refused")

    def broken() -> UpstreamResponse:
        raise RuntimeError("a fault of the runtime")

    upstreams = Upstreams()
    keep_alive = KeepAlive(upstreams)
    await adopt(keep_alive, settings(0.001), load(tmp_path))
    for answer in (unreachable, OUT_OF_ORDER, broken, OPEN):
        upstreams.answer = answer
        await upstreams.calls(len(upstreams.requests) + 3)
    assert states(keep_alive) == [("https://localhost:5000", "sessions.tickle", "open")]
    await keep_alive.aclose()


async def test_new_settings_take_effect_at_once(tmp_path: Path) -> None:
    upstreams = Upstreams()
    keep_alive = KeepAlive(upstreams)
    plan = load(tmp_path)
    await adopt(keep_alive, settings(600), plan)
    await upstreams.calls(1)
    await adopt(keep_alive, settings(0.01), plan)
    await upstreams.calls(3)
    await adopt(keep_alive, settings(600, "orders.list"), plan)
    assert [call for _, call, _ in states(keep_alive)] == ["orders.list"]
    await adopt(keep_alive, RuntimeSettings(), plan)
    assert keep_alive.describe() == []


async def test_reload_of_the_file_goes_on_with_its_new_version(tmp_path: Path) -> None:
    upstreams = Upstreams()
    keep_alive = KeepAlive(upstreams)
    await adopt(keep_alive, settings(0.01), load(tmp_path))
    await upstreams.calls(1)
    text = FILE.replace("ORIGIN", "https://localhost:5000/v2")
    (tmp_path / "gateway.yaml").write_text(text)
    plan = load_file(tmp_path / "gateway.yaml", {}, {}).plan
    assert plan is not None
    await adopt(keep_alive, settings(0.01), plan)
    made = len(upstreams.requests)
    await upstreams.calls(made + 2)
    assert upstreams.requests[-1].url == "https://localhost:5000/v2/tickle"
    await keep_alive.aclose()


async def test_idle_one_calls_nothing(tmp_path: Path) -> None:
    upstreams = Upstreams()
    keep_alive = KeepAlive(upstreams, idle=True)
    await adopt(keep_alive, settings(0.001), load(tmp_path))
    await asyncio.sleep(0.02)
    assert upstreams.requests == []
    assert keep_alive.describe() == []


@pytest.mark.parametrize("call", ["sessions.other", "unknown.tickle", "sessions.one"])
async def test_call_that_cannot_be_made_is_not_made(tmp_path: Path, call: str) -> None:
    upstreams = Upstreams()
    keep_alive = KeepAlive(upstreams)
    await adopt(keep_alive, settings(0.001, call), load(tmp_path))
    await asyncio.sleep(0.02)
    assert upstreams.requests == []
    await keep_alive.aclose()
