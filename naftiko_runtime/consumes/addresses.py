"""Takes the URL of an upstream request apart without changing a byte of it.

HTTP libraries tidy URLs up: they fold `/../`, unquote `%2E`, quote `'`. What a capability file or
a caller's encoded value says must arrive as it is, so the request target is cut out here and
handed on as bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import httpx2

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_URL: Final = re.compile(r"(https?)://([^/?#]*)([^#]*)(?:#.*)?", re.DOTALL | re.IGNORECASE)
_AUTHORITY: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]@:/?#\s]+))(?::([0-9]{1,5}))?")


class AddressError(ValueError):
    """A URL that no request can be sent to; the message says why, and shows nothing of it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Scheme, host and port of an upstream. `host` is in lower case, an IPv6 one without
    brackets; `origin` is how people write it, without the port where it is the usual one."""

    scheme: str
    host: str
    port: int
    origin: str
    host_header: bytes
    url: httpx2.URL


def split_url(url: str) -> tuple[Address, bytes]:
    """Where to connect, and the request target (RFC 9112, section 3.2.1). Raises AddressError."""
    match = _URL.fullmatch(url)
    if match is None:
        raise AddressError("the URL does not start with http:// or https://")
    scheme, authority, target = match.groups()
    if not target.startswith("/"):
        target = f"/{target}"
    try:
        return _address(scheme.lower(), authority), target.encode("ascii")
    except UnicodeEncodeError as error:
        raise AddressError("the URL holds characters that are not percent-encoded") from error


@lru_cache(maxsize=1024)
def _address(scheme: str, authority: str) -> Address:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise AddressError("the URL's host is not of the form host[:port]")
    host = (match[1] or match[2]).lower()
    if not host.isascii():
        host = _internationalised(host)
    port = int(match[3]) if match[3] else _DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        raise AddressError(f"{port} is no port")
    shown = f"[{host}]" if ":" in host else host
    if port != _DEFAULT_PORTS[scheme]:
        shown += f":{port}"
    try:
        url = httpx2.URL(scheme=scheme, host=host, port=port, path="/")
    except httpx2.InvalidURL as error:
        raise AddressError("the URL's host is not a valid name") from error
    return Address(scheme, host, port, f"{scheme}://{shown}", shown.encode("ascii"), url)


def _internationalised(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise AddressError("the URL's host is not a valid name") from error
