"""A request as it would go over the wire, for a person, without the credentials in it."""

from __future__ import annotations

from naftiko_runtime.consumes.addresses import AddressError, split_url
from naftiko_runtime.consumes.faults import label
from naftiko_runtime.consumes.http1.endings import Unsendable
from naftiko_runtime.consumes.http1.request_head import write_head
from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.guards.masking import MASK
from naftiko_runtime.guards.request_document import describe_request
from naftiko_runtime.json_codec import JsonError, decode_json, encode_json
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import UpstreamRequest


def request_text(request: UpstreamRequest) -> str:
    """Method and URL, all headers, a blank line and the body, which is shown byte for byte where
    no credential is in it. Raises CallFailed for a request that cannot be sent."""
    shown = describe_request(request)
    headers = _headers(request, shown["headers"])
    try:
        address, target = split_url(request.url)
        length = len(request.content or b"")
        head = write_head(request.method, target, address.host_header, headers, length)
    except (AddressError, Unsendable) as error:
        raise fail(FailureKind.INVALID_INPUT, f"{label(request)}: {error}") from None
    _, *lines = head.decode("latin-1").rstrip().split("\r\n")
    first = f"{request.method} {shown['url']}"
    return "\n".join([first, *lines, *_body(request.content, shown["body"])])


def _headers(request: UpstreamRequest, masked: JsonValue) -> list[tuple[str, str]]:
    """The request's own headers as they are spelt, and the one that logging in would add."""
    assert isinstance(masked, dict)
    headers = []
    for name, value in request.headers:
        hidden = MASK in str(masked[name.lower()]) and MASK not in value
        headers.append((name, MASK if hidden else value))
    if request.login is not None:
        headers.append(("Authorization", MASK))
    return headers


def _body(content: bytes | None, shown: JsonValue) -> list[str]:
    if not content:
        return []
    if isinstance(shown, str) and not _is_json(content):
        return ["", shown]
    if _is_json(content) and decode_json(content) == shown:
        return ["", content.decode("utf-8", "replace")]
    return ["", encode_json(shown).decode()]


def _is_json(content: bytes) -> bool:
    try:
        decode_json(content)
    except JsonError:
        return False
    return True
