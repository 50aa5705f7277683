"""The type of a decoded JSON document, and the marker for a value that is not there."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Final, Literal, TypeAlias

JsonValue: TypeAlias = (
    bool | int | float | Decimal | str | list["JsonValue"] | dict[str, "JsonValue"] | None
)


class Missing(Enum):
    """Distinguishes "not given" from JSON `null`."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final[Literal[Missing.MISSING]] = Missing.MISSING
MaybeJson: TypeAlias = JsonValue | Missing
