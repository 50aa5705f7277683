"""Name resolution, TCP, and the certificate that a server shows."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import threading
from contextlib import suppress

from naftiko_runtime.consumes.tls import unverified_context
from naftiko_runtime.consumes.trust import Certificate, read_certificate


class NotReachable(Exception):
    """A step towards a server failed; the message says why and what to do."""


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host. Raises NotReachable.

    In a thread of its own that nobody waits for: a resolver that hangs must not keep the process.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str]] = loop.create_future()

    def look_up() -> None:
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            _settle(loop, found, error)
        else:
            _settle(loop, found, list(dict.fromkeys(str(info[4][0]) for info in infos)))

    threading.Thread(target=look_up, daemon=True).start()
    try:
        return await found
    except (OSError, UnicodeError):
        raise NotReachable(
            f'the name "{host}" is not known - check the baseUri, and that this machine can ask '
            "a name server"
        ) from None


def _settle(
    loop: asyncio.AbstractEventLoop, found: asyncio.Future[list[str]], result: object
) -> None:
    def settle() -> None:
        if found.done():
            return
        if isinstance(result, BaseException):
            found.set_exception(result)
        elif isinstance(result, list):
            found.set_result(result)

    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(settle)


async def connect(host: str, port: int) -> str:
    """The address that a TCP connection was made to. Raises NotReachable."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else "no connection"
        raise NotReachable(
            f"{reason} - check that the service runs and listens on port {port}, and any firewall"
        ) from None
    address = writer.get_extra_info("peername")
    writer.transport.abort()
    return str(address[0]) if address else host


async def shown_certificate(host: str, port: int) -> Certificate | None:
    """The certificate that a server shows, trusted or not; None where it shows none that can be
    read."""
    try:
        _, writer = await asyncio.open_connection(
            host, port, ssl=unverified_context(), server_hostname=host
        )
    except (OSError, ssl.SSLError):
        return None
    secured = writer.get_extra_info("ssl_object")
    der = secured.getpeercert(binary_form=True) if secured is not None else None
    writer.transport.abort()
    try:
        return None if der is None else read_certificate(ssl.DER_cert_to_PEM_cert(der))
    except ValueError:
        return None
