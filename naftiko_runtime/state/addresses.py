"""Where shared state is kept, as the operator writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from naftiko_runtime.binds.secret import Secret

_FORM: Final = 'write "memory", or "redis://:PASSWORD@HOST:6379/0" ("rediss://" for TLS)'
_TLS_FILES: Final = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})


class StateAddressError(ValueError):
    """The place of the state is not written as it has to be, or cannot be used here; the message
    says how to mend it and never holds a password."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """`url` holds the password, if there is one; `shown` is the address without it."""

    url: Secret
    shown: str


def read_redis_address(text: str) -> RedisAddress:
    """A `redis://` or `rediss://` address (the URI schemes of that name at IANA). With TLS, files
    for it may follow as `?ssl_ca_certs=FILE&ssl_certfile=FILE&ssl_keyfile=FILE`; everything else
    that the client library would take from there is ours to decide. Raises StateAddressError."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        # urlsplit's own words quote what may be part of a password.
        raise StateAddressError(
            f"the address of the state cannot be read - {_FORM}; in a password, write"
            ' "/", "@", ":", "#", "?", "[" and "]" as "%2F" and so on'
        ) from None
    if parts.scheme not in ("redis", "rediss") or not host or parts.fragment:
        raise StateAddressError(f"the address of the state is none of a Redis server - {_FORM}")
    database = parts.path.strip("/") or "0"
    if not (database.isascii() and database.isdigit()):
        raise StateAddressError(f"the database of a Redis server is a number - {_FORM}")
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if parts.scheme != "rediss" or name not in _TLS_FILES:
            raise StateAddressError(
                f'"{name[:40]}" has no place in the address of the state - after "?" only'
                f' {", ".join(sorted(_TLS_FILES))} may follow, for "rediss://"'
            )
    shown = f"[{host}]" if ":" in host else host
    return RedisAddress(Secret(text), f"{parts.scheme}://{shown}:{port or 6379}/{database}")
