"""One paper gateway and one or two real runtimes in front of it that can be killed at any time.

The gateway of these tests takes a client's order id as often as it is sent, unlike the real one:
that an order is placed once is left to the runtime alone.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from examples.paper_gateway.faults import Fault, FaultBoard
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.orders import Order
from examples.paper_gateway.server import RunningGateway, running_gateway
from tests.capabilities.shipped import FOLDER
from tests.examples.paper import AAPL
from tests.redis_server import RedisServer
from tests.serving_process import START_SECONDS, Serving, clean_environment

TIMEOUT = 0.4
"""How long the runtimes wait for the gateway."""

_SETTINGS = """\
upstreams:
  "*":
    timeout: {timeout}ms
    breaker: {{failures: 10000}}
    login: {login}
guards:
  - match: "*.placeorder"
    idempotency: {{key: "$.body.orders[*].cOID", window: 24h, required: true}}
audit: {{file: audit.jsonl}}
state: "{state}"
"""


class CountingBoard(FaultBoard):
    """A board that counts the placements which reach the gateway, whatever becomes of them."""

    def __init__(self) -> None:
        super().__init__()
        self.placements = 0
        self.struck: list[Fault] = []

    def strike(self, method: str, path: str) -> Fault | None:
        self.placements += method == "POST" and path.endswith("/orders")
        fault = super().strike(method, path)
        if fault is not None:
            self.struck.append(fault)
        return fault


def watched_gateway() -> tuple[PaperGateway, CountingBoard]:
    gateway = PaperGateway(pacing=0, client_id_window=0.0)
    board = CountingBoard()
    gateway.faults = board
    gateway.market.pin(AAPL, Decimal("230.00"), gateway.clock())
    return gateway, board


@dataclass
class Rig:
    """What a run plays with. `folder` holds the capability file, the settings and the journal,
    `redis` the state unless the one runtime keeps it in memory."""

    folder: Path
    running: RunningGateway
    board: CountingBoard
    runtimes: list[Serving]
    redis: RedisServer | None = None
    killed: set[int] = field(default_factory=set)

    @property
    def gateway(self) -> PaperGateway:
        return self.running.gateway

    @property
    def journal(self) -> Path:
        return self.folder / "audit.jsonl"

    def open_session(self) -> None:
        """Somebody logs in, and the calls that a session begins with are made."""
        self.gateway.session.log_in()
        self.gateway.session.memory.accounts_listed = True
        self.gateway.session.memory.orders_listed = True

    def orders(self, client_id: str) -> list[Order]:
        return [o for o in self.gateway.book.orders() if o.request.client_id == client_id]

    def kill(self, index: int) -> None:
        """As `kill -9`: no handler runs, nothing is finished."""
        self.runtimes[index].process.kill()
        self.killed.add(index)

    def restart_the_killed(self) -> None:
        for index in self.killed:
            self.runtimes[index].stop()
            _close(self.runtimes[index])
            self.runtimes[index] = self._launch()
        self.killed.clear()
        for serving in self.runtimes:
            _await_ready(serving)

    def start(self, count: int) -> None:
        self.runtimes += [self._launch() for _ in range(count)]
        for serving in self.runtimes:
            _await_ready(serving)

    def stop(self) -> None:
        for serving in self.runtimes:
            serving.process.kill()
            serving.stop()
            _close(serving)

    def _launch(self) -> Serving:
        arguments = [
            *("serve", str(self.folder), "--log-format=json", "--no-watch"),
            *("--port=8000=0", "--port=8080=0", "--port=9090=0"),
            *("--ca", str(self.running.certificate_path)),
            f"--base-uri=web-orders={self.running.base_uri}",
            f"--base-uri=trading={self.running.base_uri}",
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.impatient", *arguments],
            env=clean_environment({"ACCEPTED_QUESTIONS": "o10151"}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        return Serving(process)


def _await_ready(serving: Serving) -> None:
    serving.wait_until(lambda: bool(serving.events_of("ready")), START_SECONDS)


def _close(serving: Serving) -> None:
    if serving.process.stderr is not None:
        serving.process.stderr.close()


@asynccontextmanager
async def opened_rig(
    folder: Path, count: int, redis: RedisServer | None = None
) -> AsyncIterator[Rig]:
    state = "memory" if redis is None else redis.url
    gateway, board = watched_gateway()
    for name in ("web-orders.yaml", "trading.yaml"):
        shutil.copy(FOLDER / name, folder)
    with running_gateway(gateway) as running:
        settings = _SETTINGS.format(timeout=round(TIMEOUT * 1000), login=running.url, state=state)
        (folder / "runtime.yaml").write_text(settings)
        rig = Rig(folder, running, board, [], redis)
        try:
            await asyncio.to_thread(rig.start, count)
            yield rig
        finally:
            await asyncio.to_thread(rig.stop)
