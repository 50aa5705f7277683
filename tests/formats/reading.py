"""Reads documents as the runtime reads answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from naftiko_runtime.formats import compile_format
from naftiko_runtime.json_values import JsonValue


def read(
    name: str,
    document: str | bytes,
    schema: str | None = None,
    charset: str | None = None,
    folder: Path = Path(),
) -> JsonValue:
    """The JSON value of a document. Raises ValueError."""
    body = document.encode() if isinstance(document, str) else document
    return compile_format(name, schema, folder).read(body, charset)


def refusal(
    name: str, document: str | bytes, schema: str | None = None, charset: str | None = None
) -> str:
    """Why a document cannot be read."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        read(name, document, schema, charset)
    return str(refused.value)
