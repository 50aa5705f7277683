"""Compiles what makes a call step call several times, or not at all: `repeat` and `keep`."""

from __future__ import annotations

from naftiko_runtime.document.model import CallStep, Repeat
from naftiko_runtime.plan.calls import CallPlan, Shelf
from naftiko_runtime.plan.conditions import StepError, compile_condition, compile_path
from naftiko_runtime.plan.getters import Compiler
from naftiko_runtime.plan.step_plans import Keeping, RepeatPlan


def compile_repeat(repeat: Repeat | None, outside: Compiler, inside: Compiler) -> RepeatPlan | None:
    """`inside` also knows the step itself and its counter. Raises StepError."""
    if repeat is None:
        return None
    if repeat.collect and repeat.start is not None:
        message = "`from` gives the first answer, and `collect` joins the lists of all answers"
        raise StepError("misplaced-key", repeat, message, "keep one of the two")
    return RepeatPlan(
        until=compile_condition(repeat.until, inside),
        limit=repeat.limit,
        every=repeat.every,
        counter=repeat.counter,
        collect=repeat.collect,
        start=None if repeat.start is None else compile_path(repeat.start, repeat, outside),
        may_end_short=repeat.may_end_short,
    )


def compile_keeping(step: CallStep, call: CallPlan, shelf: Shelf) -> Keeping | None:
    """Raises StepError for a call that can change something: it has to be made each time."""
    if not step.keep:
        return None
    _check_safe(step, call, "keep", "its answer cannot be kept")
    return Keeping(shelf, step.keep)


def check_optional(step: CallStep, call: CallPlan) -> None:
    """Raises StepError for a call that can change something: nobody would hear that it failed."""
    if step.optional:
        _check_safe(step, call, "optional", "it cannot fail unheard")


def _check_safe(step: CallStep, call: CallPlan, key: str, so: str) -> None:
    if not call.is_safe:
        message = f'"{call.operation}" is called with {call.method}, so {so}'
        raise StepError("misplaced-key", step, message, f"remove `{key}`", (*step.path, key))
