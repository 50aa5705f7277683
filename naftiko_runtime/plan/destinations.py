"""Where requests go, in one spelling, so that a request is known by what it does, whatever the
operation is called that sends it."""

from __future__ import annotations

import posixpath
import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote, urlsplit

from naftiko_runtime.lazy_dataclasses import dataclass

_PORTS: Final = {"http": 80, "https": 443}
_DECODINGS: Final = 5
"""How many times over a path may be percent-encoded to look like another one."""
HIDDEN_SLASH: Final = "\x00"
"""Stands for an encoded slash, which some servers take for one and others do not."""


@dataclass(frozen=True, slots=True)
class Target:
    """The requests of one consumed operation: its reference, its method, the server, and the paths
    as `Destination` spells them."""

    operation: str
    method: str
    origin: str
    path: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a request goes, in one spelling for all that mean the same. `paths` are the readings
    of a path that differ in what they take an encoded slash for."""

    origin: str
    paths: tuple[str, ...]


def destination_of(url: str) -> Destination:
    """The destination of an absolute URL."""
    parts = urlsplit(url)
    segments = parts.path.split("/")
    apart = "/".join(decoded_path(each).replace("/", HIDDEN_SLASH) for each in segments)
    return Destination(
        _origin(parts.scheme, parts.hostname or "", parts.port),
        tuple(dict.fromkeys((plain_path(apart), plain_path(decoded_path(parts.path))))),
    )


def leads_to(destination: Destination, target: Target) -> bool:
    return destination.origin == target.origin and any(
        target.path.fullmatch(path) for path in destination.paths
    )


def _origin(scheme: str, host: str, port: int | None) -> str:
    return f"{scheme.lower()}://{_host(host)}:{port or _PORTS.get(scheme.lower(), 0)}"


def _host(host: str) -> str:
    """All names of this machine are one."""
    name = host.lower().rstrip(".")
    try:
        is_loopback = ip_address(name).is_loopback
    except ValueError:
        is_loopback = name == "localhost" or name.endswith(".localhost")
    return "localhost" if is_loopback else name


def decoded_path(text: str) -> str:
    """A path, or a part of one, decoded as often as it is encoded."""
    for _ in range(_DECODINGS):
        decoded = unquote(text)
        if decoded == text:
            break
        text = decoded
    return text


def plain_path(path: str) -> str:
    """A path without what servers pass over: case, parameters of segments (RFC 3986, section 3.3),
    empty segments and dots, a slash at the end."""
    segments = (segment.partition(";")[0] for segment in path.split("/"))
    return posixpath.normpath("/" + "/".join(segments)).replace("//", "/").casefold()
