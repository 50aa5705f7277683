"""Raw formats of upstream answers: one module per `outputRawFormat`, each to a JSON value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from naftiko_runtime.consumes.formats import json_format
from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import UpstreamRequest

Decode: TypeAlias = Callable[[bytes, str | None], JsonValue]
"""Takes an answer's body and the charset that its Content-Type gives; raises ValueError."""

FORMATS: Mapping[str, Decode] = {"json": json_format.decode}
"""Decoder of each `outputRawFormat`."""


def decode_answer(
    request: UpstreamRequest, response: UpstreamResponse, raw_format: str | None
) -> JsonValue:
    """An answer's body as a JSON value; a file that names no format means JSON.

    Raises CallFailed (UPSTREAM_INVALID), which says what came instead.
    """
    name = raw_format or "json"
    content_type = response.header("content-type") or ""
    charset = _charset(content_type)
    try:
        return FORMATS[name](response.body, charset)
    except ValueError as error:
        came = _description(content_type, response.body)
        raise fail(
            FailureKind.UPSTREAM_INVALID,
            f'"{request.operation}" answered with {came} where outputRawFormat says {name}'
            f"{'' if raw_format else ' (the default)'}: {error}",
            executed=True,
        ) from None


def _charset(content_type: str) -> str | None:
    for parameter in content_type.split(";")[1:]:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset":
            return value.strip().strip('"')
    return None


def _description(content_type: str, body: bytes) -> str:
    """What an answer looks like, without any of its text."""
    start = body[:200].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")) or "html" in content_type:
        return "an HTML page (a login page, perhaps)"
    media_type = content_type.partition(";")[0].strip()
    return f'"{media_type[:60]}"' if media_type else "a body of no stated type"
