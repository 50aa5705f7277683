"""Opens connections to upstreams: name resolution, TCP and TLS."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Final, TypeAlias

from naftiko_runtime.consumes.http1.connection import Connection
from naftiko_runtime.consumes.http1.endings import ConnectingTooSlow, NoConnection

_HEAD_START_SECONDS: Final = 0.25
"""How long one address is tried before the next is as well (RFC 8305, section 5)."""
_GOODBYE_SECONDS: Final = 1.0
"""How long a TLS connection that is closed waits for the upstream to agree."""
_NO_WAY: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL})
"""Errors that say something about the network here, less telling than another address's."""

_Place: TypeAlias = tuple[socket.AddressFamily, tuple[str | int, ...] | tuple[int, bytes]]


async def connect(
    host: str, port: int, tls: ssl.SSLContext | None, seconds: float, deadline: float
) -> Connection:
    """An open connection; all its steps together take at most `seconds`, and end by the deadline
    (in the loop's time). Raises NoConnection, ConnectingTooSlow."""
    loop = asyncio.get_running_loop()
    end = min(loop.time() + seconds, deadline)
    try:
        async with asyncio.timeout_at(end) as limit:
            return await _connect(loop, host, port, tls)
    except (OSError, UnicodeError) as error:
        if limit.expired():
            raise ConnectingTooSlow from error
        raise NoConnection from error


async def _connect(
    loop: asyncio.AbstractEventLoop, host: str, port: int, tls: ssl.SSLContext | None
) -> Connection:
    sock = await _open_socket(loop, host, port)
    # From here on the socket is the transport's, which closes it also when this is given up.
    if tls is None:
        _, connection = await loop.create_connection(lambda: Connection(loop), sock=sock)
    else:
        _, connection = await loop.create_connection(
            lambda: Connection(loop),
            sock=sock,
            ssl=tls,
            server_hostname=host,
            ssl_shutdown_timeout=_GOODBYE_SECONDS,
        )
    return connection


async def _open_socket(loop: asyncio.AbstractEventLoop, host: str, port: int) -> socket.socket:
    """A socket connected to the first of the host's addresses that answers; each is tried a
    moment after the one before, or as soon as that has failed (RFC 8305)."""
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    places = _interleaved([(info[0], info[4]) for info in found])
    if len(places) == 1:
        return await _open_one(loop, places[0])
    errors: list[OSError] = []
    running: set[asyncio.Task[socket.socket]] = set()
    try:
        for index, place in enumerate(places):
            running.add(loop.create_task(_open_one(loop, place)))
            is_last = index == len(places) - 1
            while running:
                patience = None if is_last else _HEAD_START_SECONDS
                finished, running = await asyncio.wait(
                    running, timeout=patience, return_when=asyncio.FIRST_COMPLETED
                )
                opened = [task.result() for task in finished if task.exception() is None]
                if opened:
                    for other in opened[1:]:
                        other.close()
                    return opened[0]
                errors += [e for task in finished if isinstance(e := task.exception(), OSError)]
                if not is_last:
                    break
    finally:
        for task in running:
            task.add_done_callback(_discard)
            task.cancel()
    raise min(errors, key=lambda error: error.errno in _NO_WAY)


def _interleaved(places: Sequence[_Place]) -> list[_Place]:
    """The families taking turns, the one that comes first beginning (RFC 8305, section 4)."""
    first = [place for place in places if place[0] == places[0][0]]
    others = [place for place in places if place[0] != places[0][0]]
    return [place for place in chain(*zip_longest(first, others)) if place is not None]


async def _open_one(loop: asyncio.AbstractEventLoop, place: _Place) -> socket.socket:
    family, address = place
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        await loop.sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _discard(task: asyncio.Task[socket.socket]) -> None:
    """Closes a socket that was opened too late to be wanted."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()
