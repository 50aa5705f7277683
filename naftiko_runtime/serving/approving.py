"""How people get to decide about the calls of a process: on the page, through an MCP client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.consumes.messages import Upstreams
from naftiko_runtime.exposes.mcp.asking import Asking
from naftiko_runtime.problems import Problem
from naftiko_runtime.serving.approval_port import ApprovalPort
from naftiko_runtime.serving.collection import Collection
from naftiko_runtime.serving.guarding import Guarding
from naftiko_runtime.serving.report import Reporter
from naftiko_runtime.serving.stored_decisions import StoredDecisions


class Approving:
    """A SettingsListener that looks after the guards of a process and after the page on which
    people decide. Ends with `aclose`. The options are those of ApprovalPort and Guarding."""

    def __init__(
        self,
        upstreams: Upstreams,
        reporter: Reporter,
        key: Secret,
        *,
        moved: Mapping[int, int] = MappingProxyType({}),
        takes_any_port: bool = False,
        idle: bool = False,
        shares_port: bool = False,
    ) -> None:
        self._halt_file: Path | None = None
        self._port = ApprovalPort(
            reporter, key, self._decisions, moved=moved, takes_any_port=takes_any_port, idle=idle
        )
        self.guarding = Guarding(
            upstreams, reporter, lambda: self._port.page, shares_port=shares_port
        )
        self.asking = Asking(
            key.reveal().encode(),
            lambda: self.guarding.store,
            decided=lambda id_: self._decisions().decided(id_),
        )
        """What MCP adapters need for asking their clients' users."""

    async def adopt(self, collection: Collection) -> list[Problem]:
        self._halt_file = collection.settings.halt
        problems = await self.guarding.adopt(collection)
        return [*problems, *await self._port.adopt(collection)]

    async def aclose(self) -> None:
        await self._port.stop()
        await self.guarding.aclose()

    def _decisions(self) -> StoredDecisions:
        guards = self.guarding.guards
        return StoredDecisions(self.guarding.store, guards.approvals, guards.halt, self._halt_file)
