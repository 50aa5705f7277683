"""Compiles what makes a call step call several times, or not at all: `repeat` and `keep`."""

from __future__ import annotations

from naftiko_runtime.document.model import CallStep, Repeat
from naftiko_runtime.plan.calls import SAFE_METHODS, CallPlan, Shelf
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
    if call.method not in SAFE_METHODS:
        raise StepError(
            "misplaced-key",
            step,
            f'"{call.operation}" is called with {call.method}, so its answer cannot be kept',
            "remove `keep`",
            (*step.path, "keep"),
        )
    return Keeping(shelf, step.keep)
