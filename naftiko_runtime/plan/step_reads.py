"""Finds which steps' outputs a part of a sequence reads, so that it waits for them and for no
others."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from naftiko_runtime.document.cross_checks import consumed_names
from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.document.model import (
    CallStep,
    ConsumedOperation,
    Consumes,
    LookupStep,
    OutputParameter,
    Step,
    StepMapping,
    StepReference,
    Value,
    references_of,
)
from naftiko_runtime.document.step_checks import first_name


def read_by_path(path: str, steps: Iterable[str]) -> set[str]:
    """The steps that a path may read."""
    name = first_name(path)
    return set(steps) if name is None else {name} & set(steps)


def read_by_values(values: Iterable[Value]) -> set[str]:
    """The steps that the references of values name."""
    return {
        reference.step
        for value in values
        for reference in references_of(value)
        if isinstance(reference, StepReference)
    }


def read_by_step(step: Step, earlier: Collection[str]) -> set[str]:
    """The earlier steps that a step names. A script sees them all."""
    if isinstance(step, LookupStep):
        if isinstance(step.lookup_value, str):
            return {step.index} | read_by_path(step.lookup_value, earlier)
        return {step.index} | read_by_values([step.lookup_value])
    if isinstance(step, CallStep):
        return read_by_values(value for _, value in step.call.arguments)
    return set(earlier)


def read_by_request(
    step: CallStep,
    consumes: Consumes,
    operation: ConsumedOperation,
    earlier: Collection[str],
    feeding: Iterable[StepMapping],
) -> set[str]:
    """The earlier steps that the consumed operation's own templates name, or that feed its
    parameters through mappings."""
    names = consumed_names(consumes, operation)
    given = {fold_name(name) for name, _ in step.call.arguments}
    wanted = {fold_name(name) for name in names} - given
    read = names & set(earlier)
    for mapping in feeding:
        if fold_name(mapping.target) in wanted:
            read |= read_by_path(mapping.value, earlier)
    return read


def read_by_outputs(outputs: Iterable[OutputParameter]) -> set[str]:
    """The steps that the `value` templates of outputs name."""
    read: set[str] = set()
    for output in outputs:
        if output.value is not None:
            read |= read_by_values([output.value])
        read |= read_by_outputs(child for _, child in output.properties or ())
        read |= read_by_outputs(o for o in (output.items, output.values) if o is not None)
    return read
