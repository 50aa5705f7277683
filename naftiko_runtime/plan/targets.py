"""Compiles where consumed operations go."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from naftiko_runtime.document.model import ConsumedOperation, Consumes
from naftiko_runtime.plan.destinations import (
    HIDDEN_SLASH,
    Target,
    decoded_path,
    destination_of,
    plain_path,
)
from naftiko_runtime.plan.url import Base

_VARIABLE: Final = "[^/]*"


def targets_of(consumes: Iterable[Consumes], bases: Mapping[str, Base]) -> tuple[Target, ...]:
    """The targets of all consumed operations whose server is known."""
    return tuple(
        target
        for each in consumes
        if (base := bases.get(each.namespace)) is not None
        for operation in each.operations.values()
        if (target := _target_of(operation, base)) is not None
    )


def _target_of(operation: ConsumedOperation, base: Base) -> Target | None:
    if base.origin is None:
        return None
    origin = destination_of(base.origin).origin
    text = "".join(
        part if isinstance(part, str) else HIDDEN_SLASH
        for part in (*base.path.parts, "/", *operation.url_path.parts)
    ).partition("?")[0]
    pieces = plain_path(decoded_path(text)).split(HIDDEN_SLASH)
    pattern = re.compile(_VARIABLE.join(map(re.escape, pieces)))
    return Target(operation.reference, operation.method, origin, pattern)
