"""Takes the URL of an upstream request apart without changing a byte of it.

HTTP libraries tidy URLs up: they fold `/../`, unquote `%2E`, quote `'`. What a capability file or
a caller's encoded value says must arrive as it is, so the request target is cut out here and
handed on as bytes.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final

from naftiko_runtime.lazy_dataclasses import dataclass

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_URL: Final = re.compile(r"(https?)://([^/?#]*)([^#]*)(?:#.*)?", re.DOTALL | re.IGNORECASE)
_NAME: Final = re.compile(r"[a-z0-9._-]+")
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
    host_header: str


_REMEMBERED: Final = 1024

_known: dict[str, Address] = {}
"""By origin as it is written in URLs."""


def split_url(url: str) -> tuple[Address, bytes]:
    """Where to connect, and the request target (RFC 9112, section 3.2.1). Raises AddressError."""
    end = url.find("/", len("https://"))
    address = _known.get(url[:end]) if end > 0 else None
    if address is not None and "#" not in url:
        target = url[end:]
    else:
        address, target = _take_apart(url)
    try:
        return address, target.encode("ascii")
    except UnicodeEncodeError as error:
        raise AddressError("the URL holds characters that are not percent-encoded") from error


def _take_apart(url: str) -> tuple[Address, str]:
    match = _URL.fullmatch(url)
    if match is None:
        raise AddressError("the URL does not start with http:// or https://")
    scheme, authority, target = match.groups()
    origin = f"{scheme}://{authority}"
    address = _known.get(origin)
    if address is None:
        address = _address(scheme.lower(), authority)
        if len(_known) >= _REMEMBERED:
            _known.clear()
        _known[origin] = address
    return address, target if target.startswith("/") else f"/{target}"


def _address(scheme: str, authority: str) -> Address:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise AddressError("the URL's host is not of the form host[:port]")
    host = (match[1] or match[2]).lower()
    if match[1]:
        _check_ipv6(host)
    elif not host.isascii():
        host = _internationalised(host)
    if not match[1] and not _NAME.fullmatch(host):
        raise AddressError("the URL's host is not a valid name")
    port = int(match[3]) if match[3] else _DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        raise AddressError(f"{port} is no port")
    shown = f"[{host}]" if ":" in host else host
    if port != _DEFAULT_PORTS[scheme]:
        shown += f":{port}"
    return Address(scheme, host, port, f"{scheme}://{shown}", shown)


def _check_ipv6(host: str) -> None:
    try:
        IPv6Address(host)
    except AddressValueError as error:
        raise AddressError("the URL's host is no IPv6 address") from error


def _internationalised(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise AddressError("the URL's host is not a valid name") from error
