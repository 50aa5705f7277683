"""What authentication reads of a request."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from naftiko_runtime.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from starlette.types import Scope

_AUTHORIZATION: Final = b"authorization"
_NO_SCHEME: Final = ("", b"")


@dataclass(frozen=True, slots=True)
class Caller:
    """A request as far as schemes look at it. `target` is the request target as it came, with its
    query; names of `headers` are in lower case; `peer` is the address it came from."""

    method: str
    target: bytes
    query_string: bytes
    headers: Sequence[tuple[bytes, bytes]]
    peer: str

    def values(self, name: bytes) -> list[bytes]:
        """All values of a header; `name` in lower case."""
        return [value for key, value in self.headers if key == name]

    def authorization(self) -> tuple[str, bytes] | None:
        """The scheme (in lower case) and the rest of the `Authorization` header; None without one.
        Several of them, which two readers could take differently, are of no scheme."""
        values = self.values(_AUTHORIZATION)
        if not values:
            return None
        if len(values) > 1:
            return _NO_SCHEME
        scheme, _, rest = values[0].strip().partition(b" ")
        return scheme.decode("latin-1").lower(), rest.strip()

    def credentials(self, scheme: str) -> bytes | None:
        """What follows a scheme's name in `Authorization`; None where another scheme or none is
        given. Unreadable headers count as a (wrong) try at every scheme."""
        given = self.authorization()
        if given is None:
            return None
        if given is _NO_SCHEME:
            return b""
        return given[1] if given[0] == scheme else None


def caller_of(scope: Scope) -> Caller:
    """The caller of an ASGI HTTP request."""
    query: bytes = scope["query_string"]
    raw: bytes | None = scope.get("raw_path")
    path = raw if raw is not None else quote(scope["path"]).encode()
    client: tuple[str, int] | None = scope.get("client")
    return Caller(
        scope["method"],
        path + b"?" + query if query else path,
        query,
        scope["headers"],
        _network(client[0]) if client else "",
    )


def without_authorization(
    headers: Sequence[tuple[bytes, bytes]],
) -> Sequence[tuple[bytes, bytes]]:
    return [pair for pair in headers if pair[0] != _AUTHORIZATION]


def _network(address: str) -> str:
    """The address, or its /64 network: whoever has one IPv6 address has as many as he likes."""
    if ":" not in address:
        return address
    try:
        return str(IPv6Address(int(IPv6Address(address.partition("%")[0])) >> 64 << 64))
    except ValueError:
        return address
