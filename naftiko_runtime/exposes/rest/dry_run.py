"""The request header with which a caller asks what would be sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from naftiko_runtime.failures import FailureKind, fail

HEADER: Final = b"naftiko-dry-run"
_VALUES: Final = {b"true": True, b"?1": True, b"false": False, b"?0": False}


def wants_dry_run(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether nothing is to be changed. Raises CallFailed for a value that is neither yes nor no:
    whoever sends the header does not expect to be taken seriously."""
    for name, value in headers:
        if name == HEADER:
            wanted = _VALUES.get(value.strip().lower())
            if wanted is None:
                raise fail(
                    FailureKind.INVALID_INPUT,
                    'the header "Naftiko-Dry-Run" is "true" or "false"',
                    field="Naftiko-Dry-Run",
                )
            if wanted:
                return True
    return False
