"""The guards of a process: what its calls are judged by, from version to version."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from naftiko_runtime.audit.journal import Journal
from naftiko_runtime.consumes.messages import (
    RequestStream,
    StreamedResponse,
    Streams,
    Upstreams,
)
from naftiko_runtime.failures import CallFailed, FailureKind
from naftiko_runtime.guards import refusals
from naftiko_runtime.guards.approvals import Approvals
from naftiko_runtime.guards.call import GuardedCall
from naftiko_runtime.guards.claims import Claims
from naftiko_runtime.guards.desk import Desk
from naftiko_runtime.guards.halting import Halt
from naftiko_runtime.guards.questions import Questions
from naftiko_runtime.guards.records import Recording
from naftiko_runtime.guards.refusal_records import RefusalRecords
from naftiko_runtime.guards.request_document import describe_request
from naftiko_runtime.guards.rulebook import Rulebook
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.calls import is_safe
from naftiko_runtime.plan.destinations import Target
from naftiko_runtime.plan.operation import CapabilityPlan, Inputs, OperationPlan, UpstreamRequest
from naftiko_runtime.plan.origin import UNKNOWN_REST, Origin
from naftiko_runtime.settings.model import NO_SETTINGS, ApprovalPage, RuntimeSettings
from naftiko_runtime.state.store import StateStore, StateUnavailable

_MOST_KNOWN: Final = 20_000


class Guards:
    """Owned by the process and used from its event loop. Calls that have begun end under the
    rules under which they began."""

    def __init__(
        self,
        upstreams: Upstreams,
        store: StateStore,
        settings: RuntimeSettings = NO_SETTINGS,
        journal: Journal | None = None,
        page: Callable[[], ApprovalPage] | None = None,
    ) -> None:
        """`page` says where the approval page really is; without it, where the settings want it.
        `halt` is what stops every change."""
        self._upstreams = upstreams
        self._store = store
        self._settings = settings
        self._journal = journal
        self._refusals = RefusalRecords()
        self._page = page
        self._targets: tuple[Target, ...] = ()
        self._known: dict[tuple[int, str], tuple[OperationPlan, bool]] = {}
        self.halt = Halt(settings.halt, store)
        self._desk = self._new_desk()

    @property
    def approvals(self) -> Approvals:
        """The calls that wait for a person."""
        return self._desk.approvals

    def adopt(
        self,
        settings: RuntimeSettings,
        plans: Iterable[CapabilityPlan],
        store: StateStore,
        journal: Journal | None,
    ) -> None:
        """Judges by these settings from now on, knowing where the consumed operations of these
        files go; keeps state in this store, and records in this journal."""
        self._settings, self._store, self._journal = settings, store, journal
        self.halt = Halt(settings.halt, store)
        judged = plans if settings.guards else ()
        self._targets = tuple(target for plan in judged for target in plan.targets)
        self._known = {}
        self._desk = self._new_desk()

    def for_call(self, plan: OperationPlan, inputs: Inputs) -> GuardedCall | None:
        """What executes a call in place of `execute`; None where nothing is there to judge."""
        protocol = inputs.origin.protocol
        known = self._known.get((id(plan), protocol))
        if known is None:
            known = self._look_up(plan, protocol)
        if known[1] or inputs.dry_run:
            return GuardedCall(self._desk, plan, inputs)
        return None

    @asynccontextmanager
    async def forwarding(
        self, request: UpstreamRequest, origin: Origin
    ) -> AsyncIterator[Recording | None]:
        """The time in which a request is passed on as it came. Raises CallFailed where it must
        not be: guards cannot read what goes through as a stream. Whoever passes it on notes its
        outcome in the recording, if there is one."""
        if is_safe(request):
            yield None
            return
        try:
            await self._judge_forward(request, origin)
        except CallFailed as failed:
            why = failed.failure
            await self._refusals.note(
                self._desk.journal, lambda: _entry(request, origin), why.kind.slug, why.detail
            )
            raise
        recording = Recording(self._desk.journal, lambda: _entry(request, origin))
        await recording.begin()
        try:
            yield recording
        except CallFailed as failed:
            await recording.failed(failed.failure)
            raise

    async def _judge_forward(self, request: UpstreamRequest, origin: Origin) -> None:
        await self.check_halt()
        if self._desk.rules.guards_server_of(request, origin.protocol):
            raise CallFailed(refusals.not_forwarded(request.method, request.upstream))

    async def check_halt(self) -> None:
        """Raises CallFailed where nothing may be changed, or nobody knows."""
        try:
            reason = await self.halt.reason()
        except StateUnavailable as error:
            why = "the state that the guards share cannot be reached"
            raise CallFailed(refusals.unavailable(FailureKind.STATE_UNAVAILABLE, why)) from error
        if reason is not None:
            raise CallFailed(refusals.halted(reason))

    def _look_up(self, plan: OperationPlan, protocol: str) -> tuple[OperationPlan, bool]:
        """Kept with the plan itself, whose identity is then nobody else's."""
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        found = (plan, self._desk.rules.concerns(plan, protocol))
        self._known[id(plan), protocol] = found
        return found

    def _new_desk(self) -> Desk:
        settings = self._settings
        return Desk(
            upstreams=self._upstreams,
            rules=Rulebook(settings.guards, self._targets),
            halt=lambda: self.halt,
            approvals=Approvals(self._store),
            claims=Claims(self._store),
            questions=Questions(self._store),
            journal=self._journal,
            refusals=self._refusals,
            page=self._page or (lambda: settings.approvals),
        )


def _entry(request: UpstreamRequest, origin: Origin) -> Mapping[str, JsonValue]:
    return {
        "protocol": origin.protocol,
        "caller": origin.principal,
        "capability": "",
        "name": request.operation,
        "arguments": {},
        "request": describe_request(request),
        "guards": {},
    }


class GuardedStreams:
    """Implements `Streams` over another one: what is passed on as it comes is judged too."""

    def __init__(self, streams: Streams, guards: Guards, origin: Origin = UNKNOWN_REST) -> None:
        self._streams = streams
        self._guards = guards
        self._origin = origin

    def of(self, origin: Origin) -> GuardedStreams:
        """The same for the requests of one caller."""
        return GuardedStreams(self._streams, self._guards, origin)

    @asynccontextmanager
    async def stream(
        self, request: UpstreamRequest, body: RequestStream | None
    ) -> AsyncIterator[StreamedResponse]:
        permit = None if is_safe(request) else self._guards.check_halt
        async with (
            self._guards.forwarding(request, self._origin) as recording,
            self._streams.stream(replace(request, permit=permit), body) as response,
        ):
            if recording is not None:
                await recording.answered(response.status)
            yield response
