"""Reads `errors`: what callers are told of a failed call."""

from __future__ import annotations

from typing import Final

from naftiko_runtime.document.dialects import NameScope
from naftiko_runtime.document.element import Element
from naftiko_runtime.document.model import ErrorShape
from naftiko_runtime.document.outputs_reader import read_outputs
from naftiko_runtime.document.steps_reader import read_expression, read_text

ERROR_NAMES: Final = frozenset(
    {"kind", "title", "status", "detail", "field", "step", "executed", "upstream"}
)
"""What templates and conditions of `errors` can refer to beside the caller's inputs."""


def read_errors(element: Element, scope: NameScope) -> tuple[ErrorShape, ...]:
    scope = scope.with_steps(ERROR_NAMES)
    return tuple(_read_error(child, scope) for child in element.children("errors"))


def _read_error(element: Element, scope: NameScope) -> ErrorShape:
    shaped = element.values.get("outputParameters") is not None
    return ErrorShape(
        place=element.place,
        path=element.path,
        when=read_expression(element, "when"),
        status=element.number("status"),
        message=read_text(element, "message", scope) if element.text("message") else None,
        outputs=read_outputs(element, scope) if shaped else None,
    )
