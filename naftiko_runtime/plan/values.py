"""Compiles steps that make a value of what is there already: `value` and `unique`."""

from __future__ import annotations

import uuid

from naftiko_runtime.document.model import Source, ValueStep
from naftiko_runtime.json_values import MaybeJson, Missing
from naftiko_runtime.plan.calls import Scope
from naftiko_runtime.plan.conditions import compile_path
from naftiko_runtime.plan.getters import Compiler, Getter
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.step_plans import ValueStepPlan


def compile_value(step: ValueStep, compiler: Compiler) -> ValueStepPlan:
    """What `value` finds, else what `default` does; null is nothing too. Raises StepError."""
    first = _compile(step.value, step, compiler)
    if step.default is None:
        return ValueStepPlan(step.name, first)
    second = _compile(step.default, step, compiler)

    def find(scope: Scope) -> MaybeJson:
        value = first(scope)
        return second(scope) if isinstance(value, Missing) or value is None else value

    return ValueStepPlan(step.name, find)


def compile_unique(name: str) -> ValueStepPlan:
    """A random UUID (RFC 9562, version 4): no two calls are given the same one."""
    return ValueStepPlan(name, lambda scope: str(uuid.uuid4()))


def _compile(source: Source, step: ValueStep, compiler: Compiler) -> Getter:
    if isinstance(source, str):
        return compile_path(source, step, compiler)
    return compiler.value(source, Need())
