"""Runs the steps of an operation, those that nothing orders at the same time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import field, replace
from math import ceil
from typing import Any, TypeVar

from naftiko_runtime.consumes.decoding import decode_answer
from naftiko_runtime.consumes.messages import UpstreamResponse, Upstreams
from naftiko_runtime.consumes.retrying import retry_after
from naftiko_runtime.engine.answers import answer_of, json_answer, mapped, takes_long, within_budget
from naftiko_runtime.engine.beside import beside
from naftiko_runtime.engine.explaining import UpstreamRefused, refusal_of
from naftiko_runtime.engine.kept import send_or_recall
from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.engine.scripts import run_script
from naftiko_runtime.engine.tracing import step_span
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.json_codec import LARGE
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson, Missing
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import (
    CallStepPlan,
    EndStepPlan,
    LookupStepPlan,
    OrchestrationPlan,
    OutputPlan,
    Scope,
    ScriptStepPlan,
    StepPlan,
    UpstreamRequest,
    ValueStepPlan,
)
from naftiko_runtime.plan.step_plans import RepeatPlan
from naftiko_runtime.telemetry.spans import current_span

T = TypeVar("T")

_SECONDS = re.compile("[0-9]{1,9}")


@dataclass(slots=True)
class _Run:
    """One execution of a sequence: its scope, each call step's exchange by index, the names of
    the steps that may have changed something, the secrets that scripts were given, and the bytes
    of answers that were read."""

    scope: Scope
    upstreams: Upstreams
    exchanges: dict[int, tuple[UpstreamRequest, UpstreamResponse]] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    size: int = 0

    @property
    def secrets(self) -> tuple[str, ...]:
        sent = (text for request, _ in self.exchanges.values() for text in request.secrets)
        return (*sent, *self.given)

    @property
    def last(self) -> tuple[UpstreamRequest, UpstreamResponse]:
        """The exchange of the last step that had one."""
        return self.exchanges[max(self.exchanges)]

    @property
    def takes_long(self) -> bool:
        """Whether other calls should not wait for what is made of the answers so far."""
        return self.size > LARGE


async def orchestrate(
    plan: OrchestrationPlan, output: OutputPlan, scope: Scope, upstreams: Upstreams
) -> Answer:
    """The answer of a sequence of steps: what `result` makes of their outputs, or else the last
    call's answer. Raises CallFailed, naming the step, when one fails: the rest is not run."""
    run = _Run(scope, upstreams)
    await _run_steps(plan.steps, run)
    is_last = plan.result is None and bool(run.exchanges)
    if takes_long(output, run.last[1]) if is_last else run.takes_long:
        return await beside(_end, plan, output, run)
    return _end(plan, output, run)


def _end(plan: OrchestrationPlan, output: OutputPlan, run: _Run) -> Answer:
    scope = run.scope
    if plan.result is not None:
        with within_budget("the answers of its steps are too large for its mappings"):
            found = plan.result(scope)
        value: JsonValue = None if isinstance(found, Missing) else found
        return json_answer(mapped(output, value, scope, plan.operation), run.secrets)
    if run.exchanges:
        request, response = run.last
        return answer_of(output, replace(request, secrets=run.secrets), response, scope)
    last = scope.steps.get(plan.steps[-1].name)
    return json_answer(mapped(output, last, scope, plan.operation), run.secrets)


async def _made(run: _Run, make: Callable[[Scope], T], scope: Scope) -> T:
    """What is made of a scope, which other steps may write to meanwhile."""
    if not run.takes_long:
        return make(scope)
    return await beside(make, replace(scope, steps={**scope.steps}))


async def _run_steps(steps: tuple[StepPlan, ...], run: _Run) -> None:
    waiting = dict(enumerate(steps))
    done: set[int] = set()
    running: dict[asyncio.Task[None], int] = {}
    try:
        while waiting or running:
            ready = [index for index, step in waiting.items() if step.flow.waits <= done]
            if len(ready) == 1 and not running:
                index = ready[0]
                await _run_step(index, waiting.pop(index), run)
                done.add(index)
                continue
            for index in ready:
                running[asyncio.create_task(_run_step(index, waiting.pop(index), run))] = index
            finished, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(finished, key=running.__getitem__):
                done.add(running.pop(task))
                task.result()
    finally:
        for task in running:  # safe calls alone run side by side: they may be cut off
            task.cancel()
        if running:
            await asyncio.gather(*running, return_exceptions=True)


async def _run_step(index: int, step: StepPlan, run: _Run) -> None:
    if step.flow.when is not None:
        with within_budget(
            f'the answers of earlier steps are too large for `when` of "{step.name}"'
        ):
            if not await _made(run, step.flow.when, run.scope):
                return
    span = current_span()
    try:
        if span is None:
            await RUNNERS[type(step)](index, step, run)
        else:
            with step_span(span, index, step):
                await RUNNERS[type(step)](index, step, run)
    except CallFailed as failed:
        if isinstance(step, CallStepPlan) and step.optional:
            return
        if not isinstance(step, EndStepPlan):
            failed.failure = _named(failed.failure, step.name, run.changed)
        raise


def _named(failure: Failure, step: str, changed: Sequence[str]) -> Failure:
    """The failure of a step, which says what earlier steps have changed: the caller must not take
    it for a failure of everything."""
    detail = f'step "{step}": {failure.detail}'
    if not changed:
        return replace(failure, detail=detail, step=step)
    names = ", ".join(f'"{name}"' for name in changed)
    verb = "has" if len(changed) == 1 else "have"
    detail += f"; {names} {verb} been carried out before, so look before repeating"
    return replace(failure, detail=detail, step=step, executed=True)


async def _run_call(index: int, step: StepPlan, run: _Run) -> None:
    assert isinstance(step, CallStepPlan)
    if step.repeat is None:
        value = await _exchange(index, step, run, run.scope)
    else:
        value = await _repeat(index, step, step.repeat, run)
    if not isinstance(value, Missing):
        run.scope.steps[step.name] = value


async def _exchange(index: int, step: CallStepPlan, run: _Run, scope: Scope) -> MaybeJson:
    """One call; MISSING for an answer that is empty or that nothing reads."""
    request = await _made(run, step.call.build, scope)
    if step.keeping is None:
        response = await run.upstreams.send(request)
    else:
        response = await send_or_recall(step.keeping, request, run.upstreams)
    run.exchanges[index] = (request, response)
    if not 200 <= response.status < 300:
        failure = Failure(
            FailureKind.STEP_FAILED,
            f'"{request.operation}" answered with status {response.status}',
            executed=True,
            status=response.status if response.status >= 400 else None,
            retry_after=None if run.changed else _pause_of(response),
        )
        raise UpstreamRefused(failure, refusal_of(response.status, response.body, run.secrets))
    if not step.call.is_safe and step.name not in run.changed:
        run.changed.append(step.name)
    if not response.body or not step.is_read:
        return MISSING
    run.size += len(response.body)
    if len(response.body) <= step.output.raw_format.large:
        return _read(step, request, response, scope)
    return await beside(_read, step, request, response, replace(scope, steps={**scope.steps}))


def _read(
    step: CallStepPlan, request: UpstreamRequest, response: UpstreamResponse, scope: Scope
) -> JsonValue:
    document = decode_answer(response, step.output.raw_format, operation=request.operation)
    return mapped(step.output, document, scope, request.operation)


async def _repeat(index: int, step: CallStepPlan, repeat: RepeatPlan, run: _Run) -> MaybeJson:
    """The last answer, or all answers as one list. Steps that run at the same time do not see what
    the name and the counter stand for meanwhile."""
    view = replace(run.scope, steps={**run.scope.steps})
    complaint = f'the answers of "{step.name}" are too large for its `until`'
    if repeat.start is not None:
        with within_budget(complaint):
            _put(view, step.name, await _made(run, repeat.start, view))
            if await _made(run, repeat.until, view):
                return view.steps.get(step.name, MISSING)
    collected: list[JsonValue] = []
    for number in range(repeat.limit):
        if number and repeat.every:
            await asyncio.sleep(repeat.every)
        if repeat.counter is not None:
            view.steps[repeat.counter] = number
        answer = await _exchange(index, step, run, view)
        _put(view, step.name, answer)
        if not isinstance(answer, Missing):
            collected += answer if isinstance(answer, list) else [answer]
        with within_budget(complaint):
            if await _made(run, repeat.until, view):
                break
    else:
        if not repeat.may_end_short:
            detail = f'"{step.call.operation}" was called {repeat.limit} times, and never enough'
            raise CallFailed(Failure(FailureKind.STEP_FAILED, detail, executed=True))
    return collected if repeat.collect else view.steps.get(step.name, MISSING)


def _pause_of(response: UpstreamResponse) -> int | None:
    """Whole seconds after which an upstream wants to be asked again, as it says itself."""
    given = (response.header("retry-after") or "").strip()
    if response.status >= 400 and _SECONDS.fullmatch(given):
        return int(given)
    seconds = retry_after(response)
    return None if seconds is None else ceil(seconds)


def _put(scope: Scope, name: str, value: MaybeJson) -> None:
    if isinstance(value, Missing):
        scope.steps.pop(name, None)
    else:
        scope.steps[name] = value


async def _run_lookup(index: int, step: StepPlan, run: _Run) -> None:
    assert isinstance(step, LookupStepPlan)
    with within_budget("the answers of earlier steps are too large for its path"):
        value = await _made(run, step.look_up, run.scope)
    if not isinstance(value, Missing):
        run.scope.steps[step.name] = value


async def _run_value(index: int, step: StepPlan, run: _Run) -> None:
    assert isinstance(step, ValueStepPlan)
    with within_budget("the answers of earlier steps are too large for its path"):
        _put(run.scope, step.name, await _made(run, step.find, run.scope))


async def _run_end(index: int, step: StepPlan, run: _Run) -> None:
    assert isinstance(step, EndStepPlan)
    raise CallFailed(step.fail(run.scope, bool(run.changed)))


async def _run_script(index: int, step: StepPlan, run: _Run) -> None:
    assert isinstance(step, ScriptStepPlan)
    run.given.extend(step.secrets)
    value = await run_script(step, await _made(run, step.read, run.scope))
    if not isinstance(value, Missing):
        run.scope.steps[step.name] = value


RUNNERS: Mapping[type[StepPlan], Callable[[int, StepPlan, _Run], Coroutine[Any, Any, None]]] = {
    CallStepPlan: _run_call,
    LookupStepPlan: _run_lookup,
    ScriptStepPlan: _run_script,
    ValueStepPlan: _run_value,
    EndStepPlan: _run_end,
}
"""How each kind of step runs."""
