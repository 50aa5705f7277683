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
    ScriptStep,
    Step,
    StepMapping,
    StepReference,
    Value,
    references_of,
)
from naftiko_runtime.document.step_checks import first_name
from naftiko_runtime.document.step_values import (
    expressions_of_step,
    paths_of_step,
    values_of_step,
)
from naftiko_runtime.plan.jsonpath import compile_expression, names_of_path


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
    if isinstance(step, ScriptStep):
        return set(earlier)
    read = read_by_values(value for _, value in values_of_step(step))
    if isinstance(step, LookupStep):
        read.add(step.index)
        if isinstance(step.lookup_value, str):
            read |= read_by_path(step.lookup_value, earlier)
    found = [names_of_path(path) for path in paths_of_step(step)]
    found += [compile_expression(text).names for text in expressions_of_step(step)]
    for names in found:
        read |= set(earlier) if names is None else names
    return read & set(earlier)


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
