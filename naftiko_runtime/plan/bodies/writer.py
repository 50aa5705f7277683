"""What a compiled request body is."""

from __future__ import annotations

from collections.abc import Callable

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import Scope


@dataclass(frozen=True, slots=True)
class BodyWriter:
    """Writes a request's body; None when the call has none to send."""

    content_type: str
    write: Callable[[Scope], bytes | None]
