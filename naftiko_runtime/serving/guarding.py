"""The guards of a running process, as its operator's settings want them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from naftiko_runtime.audit.journal import AuditUnavailable
from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.consumes.messages import Upstreams
from naftiko_runtime.engine.execute import execute
from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.guards.guards import Guards
from naftiko_runtime.guards.no_store import NoStore
from naftiko_runtime.guards.open_operations import changing_tools
from naftiko_runtime.plan.operation import CapabilityPlan, Inputs, OperationPlan
from naftiko_runtime.problems import Problem
from naftiko_runtime.serving.collection import Collection
from naftiko_runtime.serving.report import Reporter
from naftiko_runtime.settings.model import ApprovalPage, RuntimeSettings
from naftiko_runtime.state.addresses import StateAddressError
from naftiko_runtime.state.memory import MemoryStore
from naftiko_runtime.state.opening import open_store
from naftiko_runtime.state.store import StateStore

if TYPE_CHECKING:
    from naftiko_runtime.audit.file_journal import FileJournal

_NAMED: Final = 3


class Guarding:
    """Implements SettingsListener. Owns the state store and the journal; ends with `aclose`.

    `page` says where the approval page is. `shares_port`: several processes answer the same
    callers, so that none of them may keep state for itself.
    """

    def __init__(
        self,
        upstreams: Upstreams,
        reporter: Reporter,
        page: Callable[[], ApprovalPage] | None = None,
        *,
        shares_port: bool = False,
    ) -> None:
        self._upstreams = upstreams
        self._reporter = reporter
        self._shares_port = shares_port
        self.store: StateStore = MemoryStore()
        self._state: Secret | None = None
        self._journal: FileJournal | None = None
        self._journals: list[FileJournal] = []  # calls end in the one that they began in
        self._audit: Path | None = None
        self._open: list[str] = []
        self._changing: dict[int, tuple[CapabilityPlan, list[str]]] = {}
        self.guards = Guards(upstreams, self.store, page=page)

    def call(self, plan: OperationPlan, inputs: Inputs) -> Awaitable[Outcome]:
        """Executes a call, guarded where there is something to guard."""
        guarded = self.guards.for_call(plan, inputs)
        return execute(plan, inputs, self._upstreams) if guarded is None else guarded.run()

    async def adopt(self, collection: Collection) -> list[Problem]:
        settings = collection.settings
        self._adopt_state(settings)
        await self._adopt_journal(settings)
        store = self._usable_store(settings)
        self.guards.adopt(settings, collection.plans, store, self._journal)
        self._say_what_is_open(collection)
        return []

    async def aclose(self) -> None:
        for journal in self._journals:
            await journal.aclose()
        await self.store.aclose()

    def _adopt_state(self, settings: RuntimeSettings) -> None:
        """State stays where it is until the process ends: what is parked or claimed there must not
        be forgotten."""
        if self._state is None:
            self._state = settings.state
            try:
                self.store = open_store(settings.state)
            except StateAddressError as error:
                self.store = self._no_store(str(error))
        elif settings.state != self._state:
            message = f"{settings.file}: state is kept somewhere else only after a restart"
            self._reporter.say(logging.WARNING, "state", message)

    def _usable_store(self, settings: RuntimeSettings) -> StateStore:
        remembers = any(rule.approve or rule.idempotency for rule in settings.guards)
        if remembers and self._shares_port and isinstance(self.store, MemoryStore):
            return self._no_store(
                f"{settings.file}: several workers cannot remember approvals and keys in the "
                "memory of each, so that a call could be executed twice - give the address of a "
                'Redis server as "state", or serve with one worker'
            )
        return self.store

    def _no_store(self, reason: str) -> NoStore:
        message = f"nothing that changes anything is sent: {reason}"
        self._reporter.say(logging.ERROR, "state", message)
        return NoStore(reason)

    async def _adopt_journal(self, settings: RuntimeSettings) -> None:
        if settings.audit == self._audit:
            return
        self._audit, self._journal = settings.audit, None
        if settings.audit is None:
            return
        from naftiko_runtime.audit.file_journal import FileJournal  # for the few that keep one

        self._journal = FileJournal(settings.audit)
        self._journals.append(self._journal)
        try:
            note = await self._journal.recover()
        except AuditUnavailable as error:
            message = f"nothing that changes anything is sent, as it cannot be recorded: {error}"
            self._reporter.say(logging.ERROR, "audit", message)
        else:
            if note is not None:
                self._reporter.say(logging.WARNING, "audit", note)

    def _changing_tools(self, collection: Collection) -> list[str]:
        """`changing_tools`, found anew only for plans that are new: it is done at each reload, and
        calls wait for it."""
        known = self._changing
        self._changing = {
            id(plan): known.get(id(plan)) or (plan, changing_tools([plan]))
            for plan in collection.plans
        }
        return [name for _, names in self._changing.values() for name in names]

    def _say_what_is_open(self, collection: Collection) -> None:
        """Without settings, everybody who reaches a port can use every tool."""
        found = [] if collection.settings.file else self._changing_tools(collection)
        if found and found != self._open:
            names = ", ".join(found[:_NAMED]) + (", ..." if len(found) > _NAMED else "")
            tools = f"{len(found)} tool{'s' if len(found) > 1 else ''}"
            verb = "change" if len(found) > 1 else "changes"
            message = (
                f"{tools} that {verb} something can be called unguarded ({names}) - a runtime.yaml "
                "beside the files guards them"
            )
            self._reporter.say(logging.WARNING, "unguarded", message, tools=len(found))
        self._open = found
