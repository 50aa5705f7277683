"""Calls one operation of capability files, for somebody at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.engine.execute import execute
from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.engine.scripts import stop_scripts
from naftiko_runtime.failures import CallFailed, Failure
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import (
    CallPlan,
    CapabilityPlan,
    OperationPlan,
    UpstreamRequest,
)
from naftiko_runtime.plan.origin import Origin
from naftiko_runtime.serving.collection import Collection
from naftiko_runtime.serving.given_text import read_given
from naftiko_runtime.serving.guarding import Guarding
from naftiko_runtime.serving.report import Reporter
from naftiko_runtime.serving.settings import UpstreamChoices
from naftiko_runtime.serving.terminal_guard import TERMINAL, StatelessGuard, for_a_terminal
from naftiko_runtime.serving.upstreams import open_upstreams

ORIGIN: Final = Origin(TERMINAL)
_NAMED: Final = 8


class UnknownOperation(ValueError):
    """No operation goes by a name, or several do; the message says which there are."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a call would send first. `has_more`: what it would send then depends on the answers.
    No request at all means that the file itself has the answer."""

    requests: tuple[UpstreamRequest, ...]
    has_more: bool = False


def find_operation(plans: Sequence[CapabilityPlan], name: str) -> OperationPlan:
    """The operation that a name stands for: a consumed one (`namespace.operation`), else an
    exposed operation or tool, with its adapter's namespace or without. Raises UnknownOperation,
    and ValueError for one that cannot be called."""
    folded = name.casefold()
    for plan in plans:
        for reference, compiled in plan.consumed.items():
            if reference.casefold() == folded:
                return compiled()
    exposed = list(_exposed(plans))
    found = [plan for plan in exposed if plan.name.casefold() == folded]
    found = found or [p for p in exposed if p.name.partition(".")[2].casefold() == folded]
    names = sorted({plan.name for plan in found})
    if len(names) > 1:
        raise UnknownOperation(f'"{name}" could be {" or ".join(names)} - name the one you mean')
    if found:
        return found[0]
    raise UnknownOperation(_unknown(plans, exposed, name))


def _exposed(plans: Sequence[CapabilityPlan]) -> Iterator[OperationPlan]:
    for plan in plans:
        yield from (each.operation for adapter in plan.mcp for each in adapter.tools)
        yield from (each.operation for adapter in plan.rest for each in adapter.operations)


def _unknown(plans: Sequence[CapabilityPlan], exposed: list[OperationPlan], name: str) -> str:
    consumed = [reference for plan in plans for reference in plan.consumed]
    known = list(dict.fromkeys([*consumed, *(plan.name for plan in exposed)]))
    close = get_close_matches(name.casefold(), [each.casefold() for each in known], n=1)
    if close:
        near = next(each for each in known if each.casefold() == close[0])
        return f'there is no operation "{name}" - did you mean "{near}"?'
    listed = ", ".join(known[:_NAMED]) + (", ..." if len(known) > _NAMED else "")
    remedy = f"there are {listed}" if known else "there is none in these files"
    return f'there is no operation "{name}" - {remedy}'


async def call_operation(
    plan: OperationPlan,
    given: Mapping[str, str],
    collection: Collection,
    choices: UpstreamChoices,
) -> Outcome:
    """What the call ends in, under the operator's settings. Raises TrustError for a CA file that
    is not usable."""
    try:
        inputs = read_given(plan, given, ORIGIN)
    except CallFailed as failed:
        return failed.failure
    upstreams = open_upstreams(choices)
    upstreams.adopt(collection.settings)
    targets = [target for each in collection.plans for target in each.targets]
    stateless = StatelessGuard(upstreams, collection.settings, targets, plan)
    guarding = Guarding(stateless, Reporter(speaks=False))
    try:
        await guarding.adopt(for_a_terminal(collection))
        return await guarding.call(plan, inputs)
    finally:
        await guarding.aclose()
        await stop_scripts()
        await upstreams.aclose()


async def preview_operation(plan: OperationPlan, given: Mapping[str, str]) -> Preview | Failure:
    """What would be sent, or why nothing would be. Nothing leaves."""
    recorder = _Recorder()
    try:
        outcome = await execute(plan, read_given(plan, given, ORIGIN, dry_run=True), recorder)
    except _Shown:
        return Preview(tuple(recorder.requests), not isinstance(plan.action, CallPlan))
    except CallFailed as failed:
        return failed.failure
    finally:
        await stop_scripts()
    return outcome if isinstance(outcome, Failure) else Preview(())


class _Shown(Exception):
    """A call has come to what it would send."""


class _Recorder:
    """Implements `Upstreams` by sending nothing. Requests that would go out side by side all come
    here before the first of them ends the call."""

    def __init__(self) -> None:
        self.requests: list[UpstreamRequest] = []

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        self.requests.append(request)
        raise _Shown

    async def aclose(self) -> None:
        """Nothing is open."""
