"""The plans of steps, and of the sequences that they make up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from naftiko_runtime.json_values import JsonValue, MaybeJson
from naftiko_runtime.plan.calls import CallPlan, OutputPlan, Scope


@dataclass(frozen=True, slots=True)
class CallStepPlan:
    """A step that calls an upstream and stores its answer under the step's name. `waits` holds the
    indexes of the steps that have to be done before. An answer that nothing reads (`is_read`) may
    be of any kind."""

    name: str
    call: CallPlan
    output: OutputPlan
    is_read: bool = True
    waits: frozenset[int] = frozenset()

    def after(self, waits: frozenset[int]) -> CallStepPlan:
        return replace(self, waits=waits)


@dataclass(frozen=True, slots=True)
class LookupStepPlan:
    """A step that finds rows in an earlier step's output; MISSING when none matches."""

    name: str
    look_up: Callable[[Scope], MaybeJson]
    waits: frozenset[int] = frozenset()
    match: str = ""
    """The field of the rows that is compared, for traces."""

    def after(self, waits: frozenset[int]) -> LookupStepPlan:
        return replace(self, waits=waits)


@dataclass(frozen=True, slots=True)
class ScriptSource:
    """One file of a script, made ready to run. `name` is its path in its folder, `lines` the
    original line of each line of `text`, empty where they are the same."""

    name: str
    text: str
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ScriptStepPlan:
    """A step that runs a script: its `sources` in order, the last one being `file` itself. `read`
    makes the object that the script sees as `context`. `timeout` is in seconds, `statements` the
    most that it may execute; `secrets` are texts that its messages must not show."""

    name: str
    language: str
    file: str
    sources: tuple[ScriptSource, ...]
    read: Callable[[Scope], dict[str, JsonValue]]
    timeout: float
    statements: int
    secrets: tuple[str, ...] = ()
    waits: frozenset[int] = frozenset()

    def after(self, waits: frozenset[int]) -> ScriptStepPlan:
        return replace(self, waits=waits)


StepPlan: TypeAlias = CallStepPlan | LookupStepPlan | ScriptStepPlan


@dataclass(frozen=True, slots=True)
class OrchestrationPlan:
    """Steps, and what becomes of their outputs: the object that `result` makes of them, or the
    last call's answer where there is no `result`."""

    steps: tuple[StepPlan, ...]
    result: Callable[[Scope], MaybeJson] | None = None

    @property
    def method(self) -> str:
        """The method of the first call that can change something, else GET."""
        methods = [step.call.method for step in self.steps if isinstance(step, CallStepPlan)]
        return next((method for method in methods if method != "GET"), "GET")

    @property
    def operation(self) -> str:
        calls = [step.call.operation for step in self.steps if isinstance(step, CallStepPlan)]
        return ", ".join(calls)
