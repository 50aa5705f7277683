"""Where shared state is kept, as the operator writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.lazy_dataclasses import dataclass

_FORM: Final = (
    'write "memory", "redis://:PASSWORD@HOST:6379/0", the same with "rediss://" for TLS, or'
    ' "unix:///PATH/redis.sock"'
)
_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "redis": (),
    "rediss": ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"),
    "unix": ("db",),
}


class StateAddressError(ValueError):
    """The place of the state is not written as it has to be, or cannot be used here; the message
    says how to mend it and never holds a password."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """`url` holds the password, if there is one; `shown` is the address without it."""

    url: Secret
    shown: str


def read_redis_address(text: str) -> RedisAddress:
    """A `redis://`, `rediss://` or `unix://` address (the first two as registered at IANA). With
    TLS, files for it may follow as `?ssl_ca_certs=FILE&ssl_certfile=FILE&ssl_keyfile=FILE`; what
    else the client library would take from there is ours to decide. Raises StateAddressError."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        # urlsplit's own words quote what may be part of a password.
        raise StateAddressError(
            f"the address of the state cannot be read - {_FORM}; in a password, write"
            ' "/", "@", ":", "#", "?", "[" and "]" as "%2F" and so on'
        ) from None
    is_socket = parts.scheme == "unix"
    if parts.scheme not in _OPTIONS or parts.fragment or not (parts.path if is_socket else host):
        raise StateAddressError(f"the address of the state is none of a Redis server - {_FORM}")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name in options.keys() - _OPTIONS[parts.scheme]:
        raise StateAddressError(
            f'"{name[:40]}" has no place in the address of the state - after "?" only'
            f' {", ".join(_OPTIONS["rediss"])} may follow "rediss://", and db "unix://"'
        )
    database = options.get("db", "0") if is_socket else parts.path.strip("/") or "0"
    if not (database.isascii() and database.isdigit()):
        raise StateAddressError(f"the database of a Redis server is a number - {_FORM}")
    if is_socket:
        return RedisAddress(Secret(text), f"unix://{parts.path}?db={database}")
    shown = f"[{host}]" if host is not None and ":" in host else host
    return RedisAddress(Secret(text), f"{parts.scheme}://{shown}:{port or 6379}/{database}")
