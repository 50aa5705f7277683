"""An HTTP answer ready to send, and how a call's answer becomes one."""

from __future__ import annotations

from typing import Final

from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.lazy_dataclasses import dataclass

_OURS: Final = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "keep-alive",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers about the message on the wire, which say nothing true about ours."""
_BODILESS: Final = frozenset({204, 304})
_JSON: Final = "application/json"
_JSON_TYPE: Final = (b"content-type", b"application/json")
_NO_STORE: Final = (b"cache-control", b"no-store")
INERT: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
)
"""An upstream's page, opened in a browser, must not act on this origin: it could place orders."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def answer_reply(answer: Answer) -> Reply:
    """Status and body as the upstream gave them, JSON unless it says otherwise.

    What an upstream does not allow to be kept is not kept: account data and prices do not belong
    in a cache that nobody asked for.
    """
    content_type = answer.content_type
    body = answer.body
    headers: list[tuple[bytes, bytes]] = []
    if answer.status in _BODILESS:
        body = b""
    else:
        if content_type is None:
            headers.append(_JSON_TYPE)
        else:
            headers.append((b"content-type", content_type.encode("latin-1", "replace")))
            if not content_type.startswith(_JSON):
                headers.extend(INERT)
        headers.append((b"content-length", b"%d" % len(body)))
    cacheable = False
    for name, value in answer.headers:
        if name not in _OURS:
            headers.append((name.encode("latin-1"), value.encode("latin-1", "replace")))
            cacheable = cacheable or name == "cache-control"
    if not cacheable:
        headers.append(_NO_STORE)
    return Reply(answer.status, headers, body)
