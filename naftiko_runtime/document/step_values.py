"""The values with templates that steps hold, and where they stand."""

from __future__ import annotations

from collections.abc import Iterator

from naftiko_runtime.document.model import (
    Call,
    CallStep,
    FailStep,
    LookupStep,
    QuestionStep,
    ScriptStep,
    Source,
    Step,
    Value,
    ValueStep,
)
from naftiko_runtime.problems import DocumentPath


def values_of_call(call: Call) -> Iterator[tuple[DocumentPath, Value]]:
    for name, value in call.arguments:
        yield (*call.path[:-1], "with", name), value


def values_of_step(step: Step) -> Iterator[tuple[DocumentPath, Value]]:
    """Each value of a step with its path in the file."""
    if isinstance(step, CallStep):
        yield from values_of_call(step.call)
    elif isinstance(step, LookupStep):
        yield from _of_source(step, "lookupValue", step.lookup_value)
    elif isinstance(step, ScriptStep):
        for name, value in step.arguments:
            yield (*step.path, "with", name), value
    elif isinstance(step, ValueStep):
        yield from _of_source(step, "value", step.value)
        yield from _of_source(step, "default", step.default)
    elif isinstance(step, FailStep):
        yield (*step.path, "message"), step.message
    elif isinstance(step, QuestionStep):
        yield (*step.path, "message"), step.message
        yield (*step.path, "id"), step.id
        for key, arguments in (("accept", step.accept), ("decline", step.decline)):
            for name, value in arguments:
                yield (*step.path, "answer", key, name), value


def paths_of_step(step: Step) -> Iterator[str]:
    """The JSONPaths over inputs and outputs that a step holds as text."""
    if isinstance(step, ValueStep):
        yield from (source for source in (step.value, step.default) if isinstance(source, str))
    elif isinstance(step, CallStep) and step.repeat is not None and step.repeat.start is not None:
        yield step.repeat.start


def expressions_of_step(step: Step) -> Iterator[str]:
    """The texts of a step's conditions."""
    if step.when is not None:
        yield step.when.text
    if isinstance(step, CallStep) and step.repeat is not None:
        yield step.repeat.until.text


def _of_source(step: Step, key: str, source: Source | None) -> Iterator[tuple[DocumentPath, Value]]:
    if source is not None and not isinstance(source, str):
        yield (*step.path, key), source
