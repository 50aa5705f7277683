"""Decodes an upstream's answer, or says what came instead."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.formats import RawFormat
from naftiko_runtime.formats.json_format import read_json
from naftiko_runtime.json_values import JsonValue

_CHARSET: Final = re.compile(r';\s*charset="?([A-Za-z0-9._:-]+)"?', re.IGNORECASE)
_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_HTML: Final = re.compile(rb"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)


def decode_answer(
    response: UpstreamResponse, raw_format: RawFormat, *, operation: str
) -> JsonValue:
    """The value of an answer's body; `operation` is named in messages.

    One that says to be JSON, and is, is read as JSON in place of the structure that the file
    declares: some upstreams choose between the two. Raises CallFailed (UPSTREAM_INVALID) when the
    body is something else. An empty body is no value in any format: callers who accept one must
    look before.
    """
    content_type = response.header("content-type") or ""
    found = _CHARSET.search(content_type)
    charset = found[1] if found else None
    if not raw_format.as_it_came and says_json(content_type):
        with suppress(ValueError):
            return read_json(response.body, charset)
    try:
        return raw_format.read(response.body, charset)
    except ValueError as error:
        raise _unreadable(response, raw_format.name, operation, error) from error


def says_json(content_type: str | None) -> bool:
    """Whether a media type says JSON (RFC 6839 suffixes included)."""
    if content_type is None:
        return False
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def looks_like_html(body: bytes) -> bool:
    """Whether a body, or the beginning of one, is an HTML page."""
    rest = body[:4096].lstrip()
    while rest.startswith(b"<!--"):
        rest = rest[4:].partition(b"-->")[2].lstrip()
    return _HTML.match(rest) is not None


def _unreadable(
    response: UpstreamResponse, name: str, operation: str, error: ValueError
) -> CallFailed:
    """Says what came instead; the body itself is not shown, as it may hold anything."""
    expected = f"where {name.upper()} was expected"
    if not response.body.strip():
        what = f"an empty body {expected}"
    elif looks_like_html(response.body):
        what = (
            f"an HTML page {expected} - if it is a login page, the session has ended: log in again"
        )
    else:
        media_type = _MEDIA_TYPE.match(response.header("content-type") or "")
        declared = f" declared as {media_type[0]}" if media_type else ""
        what = f"a body{declared} that is not {name.upper()}: {error}"
    detail = f'"{operation}": the upstream answered {response.status} with {what}'
    return fail(FailureKind.UPSTREAM_INVALID, detail, executed=True)
