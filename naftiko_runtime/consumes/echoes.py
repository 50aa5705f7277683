"""Takes credentials out of what upstreams answer, should they echo them."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from naftiko_runtime.json_codec import encode_json

_SECRET_LENGTH = 8
"""Shorter credentials are not looked for in answers: they would match by chance."""

_MASK = b"***"


def spellings_of(secrets: Sequence[str]) -> list[bytes]:
    """Secrets as an answer may hold them: as text, in JSON (with its slashes escaped, too, as some
    servers do) and in a URL. Longer ones come first, so that of two that begin alike no rest is
    left over."""
    found: set[bytes] = set()
    for secret in secrets:
        if len(secret) >= _SECRET_LENGTH:
            in_json = encode_json(secret)[1:-1]
            found |= {secret.encode(), in_json, in_json.replace(b"/", rb"\/")}
            found.add(quote(secret, safe="").encode())
    return sorted(found, key=lambda spelling: (-len(spelling), spelling))


def without(data: bytes, spellings: Sequence[bytes]) -> bytes:
    """Data with `***` in the place of each spelling."""
    for written in spellings:
        if written in data:
            data = data.replace(written, _MASK)
    return data


def without_secrets(data: bytes, secrets: Sequence[str]) -> bytes:
    """Data without the credentials that went with the request."""
    return without(data, spellings_of(secrets)) if secrets else data


class EchoFilter:
    """Takes spellings out of data that comes in pieces, wherever the pieces are cut. The length
    stays, since it has been told by then: each byte becomes `*`.

    What is held back is at most the end of a piece that a spelling may begin with.
    """

    __slots__ = ("_held", "_shown", "_spellings")

    def __init__(self, spellings: Sequence[bytes]) -> None:
        self._spellings = spellings
        self._held = b""
        self._shown = b""  # the same bytes, without the spellings that overlap with them

    def feed(self, piece: bytes) -> bytes:
        """What can be passed on by now."""
        data = self._held + piece
        shown = self._masked(data, len(self._held))
        start = self._beginning(data)
        self._held, self._shown = data[start:], shown[start:]
        return shown[:start]

    def finish(self) -> bytes:
        """What was held back, as nothing follows."""
        shown, self._held, self._shown = self._shown, b"", b""
        return shown

    def _masked(self, data: bytes, known: int) -> bytes:
        shown: bytearray | None = None
        for written in self._spellings:
            found = data.find(written)
            while found >= 0:
                if shown is None:
                    shown = bytearray(self._shown + data[known:])
                shown[found : found + len(written)] = b"*" * len(written)
                found = data.find(written, found + 1)
        return self._shown + data[known:] if shown is None else bytes(shown)

    def _beginning(self, data: bytes) -> int:
        """Where the longest end of the data that a spelling begins with is."""
        start = len(data)
        for written in self._spellings:
            first = written[:1]
            at = data.find(first, max(0, len(data) - len(written) + 1))
            while 0 <= at < start:
                if written.startswith(data[at:]):
                    start = at
                else:
                    at = data.find(first, at + 1)
        return start
