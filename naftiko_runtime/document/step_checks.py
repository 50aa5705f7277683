"""Checks of `steps` and `mappings`: that what they name is there, and comes before."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence

from naftiko_runtime.document.element import Reading
from naftiko_runtime.document.model import (
    Behaviour,
    InputParameter,
    InputReference,
    LookupStep,
    ScriptStep,
    Step,
    StepMapping,
    references_of,
)
from naftiko_runtime.document.step_values import values_of_step
from naftiko_runtime.problems import DocumentPath

_FIRST_NAME = re.compile(r"""\$?\.?(?:\[\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*\]|([\w-]+))""")


def first_name(path: str) -> str | None:
    """The step that a path such as `$.get-ship.crew` starts at; None where it may be any."""
    match = _FIRST_NAME.match(path)
    return None if match is None else next(name for name in match.groups() if name is not None)


def check_steps(
    behaviour: Behaviour, parameters: Sequence[InputParameter], reading: Reading
) -> None:
    """Reports what makes steps impossible to run as they are written. `parameters` are the inputs
    that their caller is declared to give."""
    lines: dict[str, int] = {}
    names = [step.name for step in behaviour.steps]
    inputs = {parameter.name for parameter in parameters}
    for index, step in enumerate(behaviour.steps):
        if step.name in lines:
            reading.refuse(
                "duplicate-step",
                (*step.path, "name"),
                f'"{step.name}" is also the step at line {lines[step.name]}',
                "give each step a name of its own",
            )
        _check_lookup(step, lines, reading)
        _check_order(step, set(names[index:]) - lines.keys() - inputs, reading)
        lines[step.name] = step.place.line


def check_mappings(
    mappings: Sequence[StepMapping], steps: Sequence[Step], reading: Reading
) -> None:
    """Reports mappings that read no step, or write where another one does."""
    names = [step.name for step in steps]
    for mapping in mappings:
        _check_path((*mapping.path, "value"), mapping.value, "step", names, reading)
    _check_targets(mappings, reading)


def _check_lookup(step: Step, earlier: Mapping[str, int], reading: Reading) -> None:
    if not isinstance(step, LookupStep):
        return
    if step.index not in earlier:
        _refuse((*step.path, "index"), step.index, "earlier step", earlier, reading)
    if isinstance(step.lookup_value, str):
        path = (*step.path, "lookupValue")
        _check_path(path, step.lookup_value, "earlier step", earlier, reading)


def _check_order(step: Step, later: Collection[str], reading: Reading) -> None:
    """A reference to a step that has not run yet would be taken for a caller's input."""
    if isinstance(step, ScriptStep):
        return
    for path, value in values_of_step(step):
        for reference in references_of(value):
            if isinstance(reference, InputReference) and reference.name in later:
                reading.refuse(
                    "step-order",
                    path,
                    f'the step "{reference.name}" has not run when "{step.name}" does',
                    "move it before this one",
                )


def _check_path(
    path: DocumentPath, text: str, what: str, known: Collection[str], reading: Reading
) -> None:
    name = first_name(text)
    if name is not None and name not in known:
        _refuse(path, name, what, known, reading)


def _check_targets(mappings: Sequence[StepMapping], reading: Reading) -> None:
    seen: dict[tuple[str, ...], int] = {}
    for mapping in mappings:
        target = tuple(mapping.target.split("."))
        for other, line in seen.items():
            shorter = min(len(other), len(target))
            if other[:shorter] == target[:shorter]:
                reading.refuse(
                    "mapping-conflict",
                    (*mapping.path, "targetName"),
                    f'"{mapping.target}" and "{".".join(other)}" at line {line} write to one place',
                    "give each mapping a target of its own",
                )
                break
        seen.setdefault(target, mapping.place.line)


def _refuse(
    path: DocumentPath, name: str, what: str, known: Collection[str], reading: Reading
) -> None:
    close = difflib.get_close_matches(name, list(known), 1, 0.5)
    if close:
        remedy = f'did you mean "{close[0]}"?'
    else:
        remedy = f"known: {', '.join(known)}" if known else "there is none"
    reading.refuse("unknown-reference", path, f'"{name}" names no {what}', remedy)
