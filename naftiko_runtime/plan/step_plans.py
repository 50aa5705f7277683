"""The plans of steps, and of the sequences that they make up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from naftiko_runtime.failures import Failure
from naftiko_runtime.json_values import JsonValue, MaybeJson
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.calls import CallPlan, OutputPlan, Scope, Shelf


@dataclass(frozen=True, slots=True)
class StepFlow:
    """When a step runs: after the steps whose indexes are in `waits`, and only if `when` holds."""

    waits: frozenset[int] = frozenset()
    when: Callable[[Scope], bool] | None = None


@dataclass(frozen=True, slots=True)
class RepeatPlan:
    """How often a call is made: until `until` holds for a scope in which the step's name stands for
    its latest answer, and before the first one for what `start` finds. `every` is in seconds."""

    until: Callable[[Scope], bool]
    limit: int
    every: float
    counter: str | None
    collect: bool
    start: Callable[[Scope], MaybeJson] | None
    may_end_short: bool


@dataclass(frozen=True, slots=True)
class Keeping:
    """An answer also answers equal requests that come within `seconds`."""

    shelf: Shelf
    seconds: float


@dataclass(frozen=True, slots=True)
class CallStepPlan:
    """A step that calls an upstream and stores its answer under the step's name. An answer that
    nothing reads (`is_read`) may be of any kind. One that is `optional` may fail."""

    name: str
    call: CallPlan
    output: OutputPlan
    is_read: bool = True
    flow: StepFlow = StepFlow()
    repeat: RepeatPlan | None = None
    keeping: Keeping | None = None
    optional: bool = False

    @property
    def is_barrier(self) -> bool:
        return not self.call.is_safe


@dataclass(frozen=True, slots=True)
class LookupStepPlan:
    """A step that finds rows in an earlier step's output; MISSING when none matches."""

    name: str
    look_up: Callable[[Scope], MaybeJson]
    match: str = ""
    """The field of the rows that is compared, for traces."""
    flow: StepFlow = StepFlow()

    @property
    def is_barrier(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class ValueStepPlan:
    """A step that makes a value of what is there already; MISSING when it finds nothing."""

    name: str
    find: Callable[[Scope], MaybeJson]
    flow: StepFlow = StepFlow()

    @property
    def is_barrier(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class EndStepPlan:
    """A step that ends the call with a failure: a refusal, or a question to the caller. `fail` is
    told whether an earlier step may have changed something."""

    name: str
    fail: Callable[[Scope, bool], Failure]
    flow: StepFlow = StepFlow()

    @property
    def is_barrier(self) -> bool:
        return True


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
    flow: StepFlow = StepFlow()

    @property
    def is_barrier(self) -> bool:
        return True


StepPlan: TypeAlias = CallStepPlan | LookupStepPlan | ValueStepPlan | EndStepPlan | ScriptStepPlan
"""`is_barrier` says that a step keeps its place: it waits for all before it, and all after it wait
for it."""


@dataclass(frozen=True, slots=True)
class OrchestrationPlan:
    """Steps, and what becomes of their outputs: the object that `result` makes of them, or the
    last call's answer where there is no `result`."""

    steps: tuple[StepPlan, ...]
    result: Callable[[Scope], MaybeJson] | None = None

    @property
    def method(self) -> str:
        """The method of the first call that can change something, else GET."""
        calls = [step.call for step in self.steps if isinstance(step, CallStepPlan)]
        return next((call.method for call in calls if not call.is_safe), "GET")

    @property
    def operation(self) -> str:
        calls = [step.call.operation for step in self.steps if isinstance(step, CallStepPlan)]
        return ", ".join(calls)


@dataclass(frozen=True, slots=True)
class ErrorPlan:
    """One entry of `errors`, compiled: `when` is asked about the failure as an object (see
    `engine.errors`), `body` makes of it what REST callers get."""

    when: Callable[[JsonValue], bool] | None = None
    status: int | None = None
    message: Callable[[Scope], str] | None = None
    body: Callable[[JsonValue, Scope], JsonValue] | None = None
    schema: Mapping[str, JsonValue] | None = None
    """The JSON Schema of what `body` makes."""
