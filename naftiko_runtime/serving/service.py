"""The open ports of a process, and how a new set of tables takes the place of the old one."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import replace

from naftiko_runtime.consumes.messages import Streams
from naftiko_runtime.exposes.authentication import Gatekeeper
from naftiko_runtime.exposes.control.management import Management
from naftiko_runtime.exposes.host_check import HostPolicy
from naftiko_runtime.exposes.mcp.asking import Asking
from naftiko_runtime.exposes.mcp.table import McpTable
from naftiko_runtime.exposes.rest.application import Execute, RestApplication
from naftiko_runtime.exposes.rest.table import RestTable
from naftiko_runtime.exposes.skill.table import SkillTable
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.adapters import ControlAdapterPlan
from naftiko_runtime.problems import Consequence, Problem
from naftiko_runtime.serving.beside import Beside
from naftiko_runtime.serving.listener import Listener
from naftiko_runtime.serving.mcp_host import McpHost
from naftiko_runtime.serving.settings import PortSettings
from naftiko_runtime.serving.sharing import PortKey, PortPlan
from naftiko_runtime.serving.sockets import PortUnavailable, open_socket
from naftiko_runtime.serving.tables import PortTables
from naftiko_runtime.telemetry.recorder import Telemetry


@dataclass(frozen=True, slots=True)
class OpenPort:
    """A port as it is being served, to be announced. `plan` is where it was declared."""

    plan: PortPlan
    port: int
    rest: RestTable | None
    mcp: McpTable | None
    skills: SkillTable | None = None
    control: ControlAdapterPlan | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What a new set of tables led to: all ports that are open now, those of them that were not
    before, and those that were closed."""

    ports: tuple[OpenPort, ...]
    opened: tuple[OpenPort, ...]
    closed: tuple[OpenPort, ...]
    problems: tuple[Problem, ...]


class _Port:
    """One listener with the adapters behind it. Ends with `stop`."""

    def __init__(
        self,
        plan: PortPlan,
        opened: socket.socket,
        execute: Execute,
        settings: PortSettings,
        gatekeeper: Gatekeeper,
        telemetry: Telemetry | None,
        process: Management | None,
        streams: Streams | None,
        asking: Asking | None,
    ) -> None:
        self._asking = asking
        self._streams = streams
        self.listener = Listener(opened)
        self._hosts = HostPolicy.for_address(plan.address, settings.allowed_hosts)
        self._execute = execute
        self._gatekeeper = gatekeeper
        self._telemetry = telemetry
        self._beside = Beside(self._hosts, gatekeeper, process)
        # A session lives in one process; the next request may reach another one.
        self._keep_sessions = not settings.shared
        self._mcp: McpHost | None = None
        self.shown: OpenPort | None = None

    async def show(self, tables: PortTables) -> OpenPort:
        """Answers with these tables from now on."""
        self.swap_rest(tables.rest)
        await self._swap_mcp(tables.mcp)
        beside = self._beside.show(tables.skills, tables.control)
        self.listener.application.beside = beside
        self.shown = OpenPort(
            tables.plan,
            self.listener.port,
            tables.rest,
            tables.mcp,
            tables.skills,
            tables.control,
        )
        return self.shown

    def swap_rest(self, table: RestTable | None) -> None:
        application = self.listener.application
        if table is None:
            application.rest = None
        elif application.rest is None:
            application.rest = RestApplication(
                table,
                self._execute,
                self._hosts,
                self._telemetry,
                self._gatekeeper,
                self._streams,
            )
        else:
            application.rest.table = table

    async def _swap_mcp(self, table: McpTable | None) -> None:
        if self._mcp is not None and table is not None:
            await self._mcp.application.replace(table)
        elif self._mcp is not None:
            self.listener.application.mcp = None
            await self._mcp.stop()
            self._mcp = None
        elif table is not None:
            self._mcp = await McpHost.start(
                table,
                self._execute,
                self._hosts,
                keep_sessions=self._keep_sessions,
                telemetry=self._telemetry,
                gatekeeper=self._gatekeeper,
                asking=self._asking,
            )
            self.listener.application.mcp = self._mcp.application

    async def stop(self, grace: float, hurry: asyncio.Event) -> None:
        self.listener.stop_accepting()
        self._beside.close_streams()
        if self._mcp is not None:
            await self._mcp.application.close_streams()
        await self.listener.stop(grace, hurry)
        if self._mcp is not None:
            await self._mcp.stop()


class Service:
    """All ports of this process. `apply` is called by one coroutine at a time, `stop` once."""

    def __init__(
        self,
        settings: PortSettings,
        execute: Execute,
        grace: float,
        gatekeeper: Gatekeeper | None = None,
        telemetry: Telemetry | None = None,
        process: Management | None = None,
        streams: Streams | None = None,
        asking: Asking | None = None,
    ) -> None:
        """`gatekeeper` judges callers on all ports; the process's own knows issuers of tokens.
        `telemetry` says whether calls are recorded; `process` is what control adapters show, and
        without it none is served; nor is anything forwarded without `streams`. `asking` is for
        the users of MCP clients."""
        self._asking = asking
        self._streams = streams
        self._telemetry = telemetry
        self._process = process
        self._settings = settings
        self._gatekeeper = gatekeeper or Gatekeeper()
        self._execute = execute
        self._grace = grace
        self._ports: dict[PortKey, _Port] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._hurry = asyncio.Event()
        self._claim = settings.claim

    @property
    def is_open(self) -> bool:
        return bool(self._ports)

    async def apply(self, wanted: Sequence[PortTables]) -> Applied:
        """Serves exactly these tables. A port that cannot be opened is a problem, and the others
        are served; calls in flight end on the tables that they began with."""
        problems: list[Problem] = []
        opened: list[OpenPort] = []
        by_key = {tables.plan.key: tables for tables in wanted}
        staying = [key for key in by_key if key in self._ports]
        for key in staying:
            self._ports[key].swap_rest(by_key[key].rest)
        closed = [self._close(key) for key in list(self._ports) if key not in by_key]
        for key in staying:
            await self._ports[key].show(by_key[key])
        for key, tables in by_key.items():
            if key not in self._ports:
                try:
                    opened.append(await self._open(tables))
                except PortUnavailable as error:
                    problems.append(_unavailable(tables.plan, error))
                    opened += await self._open_again(tables, closed)
        self._claim = False  # by now, others of this service may have opened a new port first
        ports = tuple(port.shown for port in self._ports.values() if port.shown)
        still_open = {port.port for port in ports}
        gone = tuple(port for port in closed if port.port not in still_open)
        return Applied(ports, tuple(opened), gone, tuple(problems))

    async def _open(self, tables: PortTables) -> OpenPort:
        plan = tables.plan
        if self._claim:
            open_socket(plan.address, plan.port, plan.declared).close()
        opened = open_socket(plan.address, plan.port, plan.declared, shared=self._settings.shared)
        port = self._ports[plan.key] = _Port(
            plan,
            opened,
            self._execute,
            self._settings,
            self._gatekeeper,
            self._telemetry,
            self._process,
            self._streams,
            self._asking,
        )
        shown = await port.show(tables)
        await port.listener.accept()
        return shown

    async def _open_again(
        self, tables: PortTables, closed: Sequence[OpenPort]
    ) -> Sequence[OpenPort]:
        """A port whose new address cannot be had goes on at its last one."""
        last = next((port for port in closed if port.port == tables.plan.port), None)
        if last is None:
            return ()
        plan = replace(tables.plan, address=last.plan.address)
        return (await self._open(replace(tables, plan=plan)),)

    def _close(self, key: PortKey) -> OpenPort:
        port = self._ports.pop(key)
        port.listener.stop_accepting()
        task = asyncio.create_task(port.stop(self._grace, self._hurry))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        assert port.shown is not None, "a port is shown as soon as it is open"
        return port.shown

    def hurry(self) -> None:
        """Ends the grace period of all that is stopping."""
        self._hurry.set()

    async def stop(self) -> None:
        """Closes all ports at once, calls in flight having the grace period to finish."""
        for key in list(self._ports):
            self._close(key)
        await asyncio.gather(*self._closing)


def _unavailable(plan: PortPlan, error: PortUnavailable) -> Problem:
    return Problem(
        "port-unavailable",
        plan.place,
        (),
        error.reason,
        error.remedy,
        consequence=Consequence.PART,
    )
