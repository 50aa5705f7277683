"""Values of typed formats as JSON values."""

from __future__ import annotations

import base64
import datetime
import math
import uuid
from decimal import Decimal

from naftiko_runtime.json_values import JsonValue


def as_json(value: object) -> JsonValue:
    """A value as JSON: bytes as base64 text, dates and times as ISO 8601 text, numbers exact.

    Raises ValueError for numbers that JSON does not know (NaN, infinities).
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("it holds a number that JSON does not know")
        return value
    if value is None or isinstance(value, bool | int | str | Decimal):
        return value
    if isinstance(value, dict):
        return {str(key): as_json(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise ValueError(f"it holds a {type(value).__name__}, which JSON has no form for")
