"""The request that would be sent, as a document: what guards read and people are shown.

Whatever could be read in two ways is not read at all: a limit that cannot see a value lets nothing
through.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.guards.masking import masked_headers, masked_text, masked_url, masked_value
from naftiko_runtime.json_codec import JsonError, decode_request_json
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import UpstreamRequest

_FORM: Final = "application/x-www-form-urlencoded"
_LONGEST_SHOWN: Final = 20_000


def document_of(
    request: UpstreamRequest, arguments: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    """`{method, path, query, headers, body, arguments}`: the path decoded, names of headers in
    lower case, credentials masked. The body is its JSON value, or an object of a form's fields,
    or else text.

    Raises CallFailed (INVALID_INPUT) for a body with two members of one name, whatever their case:
    the upstream might take the other one.
    """
    parts = urlsplit(request.url)
    headers = masked_headers(request.headers, request.secrets)
    return {
        "method": request.method,
        "path": masked_text(unquote(parts.path), request.secrets),
        "query": masked_value(_fields(parts.query), request.secrets),
        "headers": dict(headers),
        "body": masked_value(_body(request, headers), request.secrets),
        "arguments": masked_value(dict(arguments), request.secrets),
    }


def describe_request(request: UpstreamRequest) -> dict[str, JsonValue]:
    """`{operation, method, url, headers, body}` of a request as it would be sent, for people and
    models: credentials are masked, and null is the body of a request without one."""
    headers = masked_headers(request.headers, request.secrets)
    if request.login is not None:
        headers = {**headers, "authorization": "***"}
    return {
        "operation": request.operation,
        "method": request.method,
        "url": masked_url(request.url, request.secrets),
        "headers": dict(headers),
        "body": masked_value(_shown_body(request, headers), request.secrets),
    }


def _shown_body(request: UpstreamRequest, headers: Mapping[str, JsonValue]) -> JsonValue:
    content = request.content
    if not content:
        return None
    if _is_encoded(headers):
        return f"{len(content)} bytes, {headers['content-encoding']}"
    if not _is_form(content, headers):
        try:
            return decode_request_json(content)
        except JsonError:  # such as a member that is there twice: people see both
            pass
    shown = content[:_LONGEST_SHOWN].decode("utf-8", "replace")
    rest = len(content) - _LONGEST_SHOWN
    return f"{shown}… and {rest} more bytes" if rest > 0 else shown


def _body(request: UpstreamRequest, headers: Mapping[str, JsonValue]) -> JsonValue:
    content = request.content
    if not content:
        return None
    if not _is_encoded(headers):
        if _is_form(content, headers):
            return _fields(content.decode("utf-8", "replace"))
        try:
            value = decode_request_json(content)
        except JsonError as error:
            if "given twice" in str(error):
                raise fail(
                    FailureKind.INVALID_INPUT, f"the request body: {error}", field="body"
                ) from None
        else:
            _refuse_names_alike(value)
            return value
    return content.decode("utf-8", "replace")


def _is_form(content: bytes, headers: Mapping[str, JsonValue]) -> bool:
    """Whether a body is a form's. One that says so and looks like JSON is taken for JSON, as some
    upstreams take it."""
    kind = str(headers.get("content-type", "")).partition(";")[0].strip().lower()
    return kind == _FORM and content.lstrip()[:1] not in (b"{", b"[")


def _is_encoded(headers: Mapping[str, JsonValue]) -> bool:
    return str(headers.get("content-encoding", "identity")).strip().lower() not in ("", "identity")


def _fields(text: str) -> dict[str, JsonValue]:
    """Names and values; of a name given several times, a list."""
    fields: dict[str, JsonValue] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        before = fields.get(name)
        if name not in fields:
            fields[name] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            fields[name] = [before, value]
    return fields


def _refuse_names_alike(value: JsonValue) -> None:
    rest: list[JsonValue] = [value]
    for item in rest:  # grows while it is walked
        if isinstance(item, list):
            rest += item
        elif isinstance(item, dict):
            rest += item.values()
            if len({name.strip().casefold() for name in item}) < len(item):
                names = ", ".join(f'"{name[:40]}"' for name in sorted(item, key=str.casefold)[:6])
                message = f"the request body: two members of one object are called alike: {names}"
                raise fail(FailureKind.INVALID_INPUT, message, field="body")
