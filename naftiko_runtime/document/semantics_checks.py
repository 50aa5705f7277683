"""Checks methods against declared semantics: of consumed operations against their own, of REST
operations against those of the functions that they refer to."""

from __future__ import annotations

from naftiko_runtime.document.element import Reading
from naftiko_runtime.document.model import AggregateFunction, Consumes, ExposedOperation
from naftiko_runtime.problems import Severity

_SAFE = frozenset({"GET", "HEAD"})
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""RFC 9110, section 9.2."""

_MADE_FOR_CHANGES = frozenset({"PUT", "PATCH", "DELETE"})
"""RFC 9110, section 9.3, and RFC 5789: changes are all that these methods mean."""


def check_declared_safe(consumes: Consumes, reading: Reading) -> None:
    """Refuses operations whose `semantics` deny what their method means, unless they come from
    another file."""
    if consumes.place.file != reading.document.file:
        return
    for operation in consumes.operations.values():
        if operation.declared_safe and operation.method in _MADE_FOR_CHANGES:
            said, meant = "is safe", "a change"
        elif operation.declared_safe is False and operation.method in _SAFE:
            said, meant = "is not safe", "that nothing is changed"
        else:
            continue
        reading.refuse(
            "method-semantics",
            (*operation.path, "semantics"),
            f'"{operation.name}" {said} by its `semantics`, and {operation.method} means {meant}',
            "remove `semantics`, or correct the method",
        )


def check_semantics(
    operation: ExposedOperation, function: AggregateFunction, reading: Reading
) -> None:
    """Warns of a method that promises what the function's `semantics` deny, or hides what they
    promise: clients and caches go by the method."""
    method, semantics = operation.method, function.semantics
    if semantics.safe is False and method in _SAFE:
        promise, denial = "promises that nothing is changed", "is not safe"
    elif semantics.safe is True and method not in _SAFE:
        promise, denial = "tells callers that something is changed", "is safe"
    elif semantics.idempotent is False and method in _IDEMPOTENT:
        promise, denial = "promises that it can be repeated", "is not idempotent"
    else:
        return
    reading.report(
        "semantics",
        (*operation.path, "method"),
        f'{method} {promise}, and "{function.reference}" {denial} (line {function.place.line})',
        "use another method, or correct the function's `semantics`",
        severity=Severity.WARNING,
    )
