"""The spans of what an operation consists of: its function and its steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from naftiko_runtime.plan.operation import (
    CallStepPlan,
    EndStepPlan,
    LookupStepPlan,
    ScriptStepPlan,
    StepPlan,
    ValueStepPlan,
)
from naftiko_runtime.telemetry.spans import Attribute, Span

_OPERATION = "naftiko.operation.id"


def function_span(parent: Span, reference: str) -> Span:
    """The span of an aggregate function, `namespace.function`."""
    operation = parent.attributes.get(_OPERATION, "")
    attributes: dict[str, Attribute] = {"naftiko.aggregate.ref": reference, _OPERATION: operation}
    return parent.child("aggregate.function", attributes)


def step_span(parent: Span, index: int, step: StepPlan) -> Span:
    """The span of one step, by what kind of step it is."""
    attributes: dict[str, Attribute] = {
        "naftiko.step.index": index,
        "naftiko.step.name": step.name,
        _OPERATION: parent.attributes.get(_OPERATION, ""),
    }
    name, describe = _KINDS[type(step)]
    return parent.child(name, attributes | describe(step))


def _call(step: StepPlan) -> dict[str, Attribute]:
    assert isinstance(step, CallStepPlan)
    return {"naftiko.step.call": step.call.operation, "naftiko.namespace": step.call.upstream}


def _lookup(step: StepPlan) -> dict[str, Attribute]:
    assert isinstance(step, LookupStepPlan)
    return {"naftiko.step.match": step.match}


def _script(step: StepPlan) -> dict[str, Attribute]:
    assert isinstance(step, ScriptStepPlan)
    return {"naftiko.step.script.file": step.file, "naftiko.step.script.language": step.language}


def _plain(step: StepPlan) -> dict[str, Attribute]:
    return {}


_KINDS: Mapping[type[StepPlan], tuple[str, Callable[[StepPlan], dict[str, Attribute]]]] = {
    CallStepPlan: ("step.call", _call),
    LookupStepPlan: ("step.lookup", _lookup),
    ScriptStepPlan: ("step.script", _script),
    ValueStepPlan: ("step.value", _plain),
    EndStepPlan: ("step.end", _plain),
}
