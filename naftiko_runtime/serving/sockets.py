"""Opens listening sockets, and says in plain words why one cannot be opened."""

from __future__ import annotations

import errno
import os
import socket

_BACKLOG = 2048


class PortUnavailable(Exception):
    """A port cannot be opened: `reason` says why, `remedy` what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


def open_socket(address: str, port: int, declared: int, *, shared: bool = False) -> socket.socket:
    """A listening, non-blocking TCP socket; port 0 takes any free one.

    `shared`: other processes of this service listen on the same port, and the kernel spreads the
    connections. Raises PortUnavailable.
    """
    family, target = _resolve(address, port)
    # asyncio switches Nagle's algorithm off, which would hold answers back by some 40 ms, only for
    # sockets that say they are TCP
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere the option would let two processes take one port
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.bind(target)
        opened.listen(_BACKLOG)
        opened.setblocking(False)
    except OSError as error:
        opened.close()
        raise _explain(error, address, port, declared) from None
    return opened


def _resolve(address: str, port: int) -> tuple[int, tuple[object, ...]]:
    if address == "localhost":
        address = "127.0.0.1"
    flags = socket.AI_PASSIVE
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=flags)
    except (OSError, UnicodeError):
        reason = f'"{address}" is not an address of this machine'
        raise PortUnavailable(reason, "use --host 127.0.0.1, or --host 0.0.0.0 for all") from None
    family, _, _, _, target = found[0]
    return family, target


def _explain(error: OSError, address: str, port: int, declared: int) -> PortUnavailable:
    elsewhere = port + 8000 if port < 1024 else port + 1
    moving = f"--port {declared}={elsewhere}"
    if error.errno == errno.EADDRINUSE:
        reason = f"port {port} is in use by another process"
        return PortUnavailable(reason, f"stop that process, or listen elsewhere: {moving}")
    if error.errno in (errno.EACCES, errno.EPERM):
        reason = f"port {port} may not be opened without special rights"
        return PortUnavailable(reason, f"listen elsewhere: {moving}")
    if error.errno == errno.EADDRNOTAVAIL:
        reason = f'"{address}" is not an address of this machine'
        return PortUnavailable(reason, "use --host 127.0.0.1, or --host 0.0.0.0 for all")
    return PortUnavailable(f"port {port} cannot be opened: {error.strerror}", moving)
