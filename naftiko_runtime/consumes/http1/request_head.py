"""Writes the head of a request: everything before its body, as one piece of bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

import naftiko_runtime
from naftiko_runtime.consumes.compression import ACCEPTED
from naftiko_runtime.consumes.http1.endings import Unsendable
from naftiko_runtime.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepting:
    """What a request says it accepts where its headers do not say it (RFC 9110, section 12.5)."""

    types: str
    encodings: str


OURS: Final = Accepting("application/json, */*;q=0.5", ACCEPTED)
"""For answers that are read here."""
ANYTHING: Final = Accepting("*/*", "identity")
"""For answers that are passed on."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE: Final = re.compile(r"[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?|")
"""A header's value as it may be sent: characters that stand for one byte each, no control
characters but tabs, no blanks at its ends."""

_OTHER, _HOST, _USER_AGENT, _ACCEPT, _ACCEPT_ENCODING, _FRAMING = 0, 1, 2, 4, 8, 16
_MEANINGS: Final = {
    "host": _HOST,
    "user-agent": _USER_AGENT,
    "accept": _ACCEPT,
    "accept-encoding": _ACCEPT_ENCODING,
    "content-length": _FRAMING,
    "transfer-encoding": _FRAMING,
}
_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_REMEMBERED: Final = 4096

_known_names: dict[str, int] = {}
_known_methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}


def write_head(
    method: str,
    target: bytes,
    host: str,
    headers: Sequence[tuple[str, str]],
    length: int | None,
    accepting: Accepting = OURS,
) -> bytes:
    """The request line, the headers as given, and those that HTTP or common servers cannot do
    without. `host` is what Host says unless a header does; `length` is that of the body, None for
    one that comes in chunks: no header decides on the framing. Raises Unsendable."""
    if method not in _known_methods:
        _learn_method(method)
    path = target.decode("latin-1")
    if not (path.isascii() and path.isprintable()) or " " in path:
        raise Unsendable("the request target holds what no target can")
    given = 0
    lines: list[str] = []
    for name, value in headers:
        meaning = _known_names.get(name)
        if meaning is None:
            meaning = _learn_name(name)
        if meaning == _FRAMING:
            continue
        given |= meaning
        if not (value.isascii() and value.isprintable()) or value != value.strip():
            _check_value(value)
        lines.append(f"{name}: {value}\r\n")
    if length is None:
        framing = "Transfer-Encoding: chunked\r\n"
    elif length or method in _METHODS_WITH_BODY:
        framing = f"Content-Length: {length}\r\n"
    else:
        framing = ""
    first = f"{method} {path} HTTP/1.1\r\n"
    if not given & _HOST:
        first += f"Host: {host}\r\n"
    end = _defaults(given, accepting)
    return f"{first}{''.join(lines)}{end}{framing}\r\n".encode("latin-1")


@cache
def _defaults(given: int, accepting: Accepting) -> str:
    """The headers that no request goes without, but for those that are given."""
    lines = {
        _USER_AGENT: f"User-Agent: naftiko-runtime/{naftiko_runtime.__version__}\r\n",
        _ACCEPT: f"Accept: {accepting.types}\r\n",
        _ACCEPT_ENCODING: f"Accept-Encoding: {accepting.encodings}\r\n",
    }
    return "".join(line for meaning, line in lines.items() if not given & meaning)


def _learn_name(name: str) -> int:
    if not _TOKEN.fullmatch(name):
        raise Unsendable("a header's name holds what no name can")
    meaning = _MEANINGS.get(name.lower(), _OTHER)
    if len(_known_names) >= _REMEMBERED:
        _known_names.clear()
    _known_names[name] = meaning
    return meaning


def _learn_method(method: str) -> None:
    if not _TOKEN.fullmatch(method):
        raise Unsendable("the method holds what no method can")
    if len(_known_methods) < _REMEMBERED:
        _known_methods.add(method)


def _check_value(value: str) -> None:
    if not _VALUE.fullmatch(value):
        raise Unsendable("a header's value holds what no value can")
