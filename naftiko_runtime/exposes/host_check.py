"""Refuses requests that a web page made a browser send to this machine (DNS rebinding, CSRF).

A page of a foreign site can make a browser call `http://127.0.0.1:8080`, and by rebinding its own
name to that address it can read the answers. Both leave a trace: the name in `Host` is not ours,
`Origin` is not the page that we served, or, where browsers send no `Origin` (images, links),
`Sec-Fetch-Site` says that it is another one. REST and MCP listeners ask the same policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import field
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.lazy_dataclasses import dataclass

_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?", re.ASCII)
"""uri-host of RFC 3986 as far as it can name a listener, in lower case, and the port of `Host`."""
_REMEMBERED: Final = 256
_LONGEST: Final = 512

_NO_HOST: Final = Failure(FailureKind.INVALID_INPUT, "the request has no Host header", field="Host")
_TWO_HOSTS: Final = Failure(
    FailureKind.INVALID_INPUT, "the request has more than one Host header", field="Host"
)
_NOT_A_HOST: Final = Failure(
    FailureKind.INVALID_INPUT, "the Host header is not a host name with a port", field="Host"
)
_TWO_ORIGINS: Final = Failure(
    FailureKind.INVALID_INPUT, "the request has more than one Origin header", field="Origin"
)
_FOREIGN_PAGE: Final = Failure(
    FailureKind.FORBIDDEN_HOST,
    "a page of another site made a browser send this, and it could change something - call it from "
    "a program, or from a page of this address",
    field="Sec-Fetch-Site",
)


def check_page(headers: Iterable[tuple[bytes, bytes]]) -> Failure | None:
    """Why a request that could change something is refused, or None. Takes what `HostPolicy.check`
    has passed, which has judged `Origin`: with one, that is all there is to say. Programs send
    neither header (W3C Fetch Metadata, section 2.3)."""
    site = b"none"
    for name, value in headers:
        if name == b"origin":
            return None
        if name == b"sec-fetch-site":
            site = value
    return None if site in (b"same-origin", b"none") else _FOREIGN_PAGE


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """Which hosts a listener answers for. `names` are lower-case host names.

    A loopback listener answers for `localhost` and loopback addresses on any port; another one
    for any address written as a number besides, as a number cannot be rebound. Browsers are only
    let in from pages of the same host and port, or of a host in `trusted`.
    """

    names: frozenset[str]
    any_address: bool
    trusted: frozenset[str] = frozenset()
    _verdicts: dict[tuple[bytes, bytes | None], Failure | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def for_address(cls, bind_address: str, extra: Sequence[str] = ()) -> HostPolicy:
        """The policy of a listener bound to `bind_address`; `extra` are further names that it is
        known by (the name of a reverse proxy, say), whose pages are trusted."""
        trusted = frozenset(name.lower() for name in extra)
        bound = bind_address.strip("[]").lower()
        address = _address(bound)
        loopback = address.is_loopback if address else bound == "localhost"
        own = frozenset({"localhost"}) if address or not bound else frozenset({"localhost", bound})
        return cls(own | trusted, any_address=not loopback, trusted=trusted)

    def check(self, headers: Iterable[tuple[bytes, bytes]]) -> Failure | None:
        """Why a request is refused, or None. Takes the headers of an ASGI scope (lower-case
        names); a verdict is remembered, so the usual cost is one pass over them."""
        host: bytes | None = None
        origin: bytes | None = None
        for name, value in headers:
            if name == b"host":
                if host is not None:
                    return _TWO_HOSTS
                host = value
            elif name == b"origin":
                if origin is not None:
                    return _TWO_ORIGINS
                origin = value
        if host is None:
            return _NO_HOST
        key = (host, origin)
        try:
            return self._verdicts[key]
        except KeyError:
            return self._decide(key)

    def _decide(self, key: tuple[bytes, bytes | None]) -> Failure | None:
        verdict = self._judge(*key)
        if sum(len(part or b"") for part in key) <= _LONGEST:
            if len(self._verdicts) >= _REMEMBERED:
                self._verdicts.clear()
            self._verdicts[key] = verdict
        return verdict

    def _judge(self, host: bytes, origin: bytes | None) -> Failure | None:
        authority = _lower_text(host)
        shape = _HOST.fullmatch(authority)
        if shape is None:
            return _NOT_A_HOST
        if not self._answers_for(shape[1]):
            return Failure(
                FailureKind.FORBIDDEN_HOST,
                f'nothing is served here under the name "{authority[:100]}"'
                ' - call "localhost" or the address that the listener is bound to',
                field="Host",
            )
        if origin is None or self._trusts(_lower_text(origin), authority):
            return None
        return Failure(
            FailureKind.FORBIDDEN_HOST,
            "requests from pages of another origin are not answered",
            field="Origin",
        )

    def _answers_for(self, host: str) -> bool:
        if host in self.names:
            return True
        address = _address(host.strip("[]"))
        if address is None or host.startswith("[") != isinstance(address, IPv6Address):
            return False
        return self.any_address or address.is_loopback

    def _trusts(self, origin: str, authority: str) -> bool:
        scheme, separator, asker = origin.partition("://")
        if not separator or scheme not in ("http", "https"):
            return False
        if asker == authority:
            return True
        shape = _HOST.fullmatch(asker)
        return shape is not None and shape[1] in self.trusted


def _lower_text(value: bytes) -> str:
    """Header bytes as lower-case text; bytes outside ASCII become a character that no host has."""
    return value.decode("ascii", "replace").lower()


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """Only the canonical dotted form is IPv4: `127.1` and `0x7f000001` are names to us."""
    try:
        return IPv6Address(host) if ":" in host else IPv4Address(host)
    except AddressValueError:
        return None
