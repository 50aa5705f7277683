"""Checks of parameters that a schema cannot express: their places and their patterns."""

from __future__ import annotations

import re
from collections.abc import Sequence

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.document.element import Reading
from naftiko_runtime.document.model import (
    ConsumedParameter,
    Consumes,
    ExposedOperation,
    InputParameter,
    InputReference,
    ParameterPlace,
)
from naftiko_runtime.problems import Severity

_ROUTE_VARIABLE = re.compile(r"\{\{?\s*([^{}]+?)\s*\}\}?")


def check_consumed(consumes: Consumes, reading: Reading) -> None:
    """Checks the parameters of an upstream's operations, unless it comes from another file."""
    if consumes.place.file != reading.document.file:
        return
    for operation in consumes.operations.values():
        in_path = {
            fold_name(".".join((r.name, *r.rest)))
            for r in (*consumes.base_uri.references, *operation.url_path.references)
            if isinstance(r, InputReference)
        }
        _check_patterns(operation.parameters, reading)
        for parameter in operation.parameters:
            if parameter.location is ParameterPlace.PATH and (
                fold_name(parameter.name) not in in_path
            ):
                reading.report(
                    "path-variable",
                    parameter.path,
                    f'the path "{operation.url_path.source}" has no place for "{parameter.name}"',
                    f"put {{{parameter.name}}} into the path, or say where else it goes with `in`",
                    severity=Severity.WARNING,
                )


def check_route(operation: ExposedOperation, reading: Reading) -> None:
    """Checks an exposed operation's path and its inputs."""
    variables = _ROUTE_VARIABLE.findall(operation.route)
    for name in {name for name in variables if variables.count(name) > 1}:
        reading.refuse(
            "duplicate-variable",
            operation.path,
            f'the path "{operation.route}" holds the variable "{name}" twice',
            "give each variable a name of its own",
        )
    folded = {fold_name(name) for name in variables}
    for parameter in operation.parameters:
        if parameter.location is ParameterPlace.PATH and fold_name(parameter.name) not in folded:
            reading.report(
                "path-variable",
                parameter.path,
                f'the path "{operation.route}" has no variable "{parameter.name}"',
                "callers give it in the query instead; put it into the path, or say `in: query`",
                severity=Severity.WARNING,
            )
    check_inputs(operation.parameters, reading)


def check_inputs(parameters: Sequence[InputParameter], reading: Reading) -> None:
    """Checks what an operation, tool or function declares as its inputs."""
    _check_patterns(parameters, reading)


def _check_patterns(
    parameters: Sequence[ConsumedParameter | InputParameter], reading: Reading
) -> None:
    for parameter in parameters:
        pattern = parameter.schema.get("pattern")
        if not isinstance(pattern, str):
            continue
        try:
            re.compile(pattern)
        except re.error as error:
            reading.report(
                "pattern",
                (*parameter.path, "pattern"),
                f'the pattern "{pattern}" cannot be read, so values are not checked: {error.msg}',
                "write a regular expression as Python reads it",
                severity=Severity.WARNING,
            )
