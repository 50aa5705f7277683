"""Checks of parameters that a schema cannot express: their places."""

from __future__ import annotations

import re

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.document.element import Reading
from naftiko_runtime.document.model import (
    Consumes,
    ExposedOperation,
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
    """Checks an exposed operation's path against its inputs."""
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
