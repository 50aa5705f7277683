"""Finds bytes that an upstream sent after the end of its answer.

A body on a 204, or one longer than its Content-Length, would be read as the answer to the next
request on the same connection: another caller would get it, or lose its own answer. The HTTP
library does not look, so this does, and such a connection is not used again.

Bytes can wait in three places above the socket, which the library itself looks at: with the HTTP
parser, in the TLS session, and with the event loop's protocol. The first and the last are
internals of httpx2 and anyio. If they move, every connection counts as soiled: slower, and a test
notices, but never wrong.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

import h11
import httpx2

_WAY_TO_PARSER: Final = ("stream", "_httpcore_stream", "_stream", "_connection", "_h11_state")


def is_soiled(response: httpx2.Response) -> bool:
    """Whether the connection of a fully read answer holds bytes that nobody asked for, or was
    closed by the upstream."""
    connection = response.extensions["network_stream"]
    return (
        _parser_has_more(response)
        or _loop_has_more(connection)
        or _tls_has_more(connection.get_extra_info("ssl_object"))
    )


def _parser_has_more(response: httpx2.Response) -> bool:
    parser: object = response
    for name in _WAY_TO_PARSER:
        parser = getattr(parser, name, None)
    return not isinstance(parser, h11.Connection) or bool(parser.trailing_data[0])


def _loop_has_more(connection: object) -> bool:
    stream = getattr(connection, "_stream", None)
    under_tls = getattr(stream, "transport_stream", stream)
    unread = getattr(getattr(under_tls, "_protocol", None), "read_event", None)
    return not isinstance(unread, asyncio.Event) or unread.is_set()


def _tls_has_more(session: ssl.SSLObject | None) -> bool:
    if session is None:
        return False
    try:
        session.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        return True
    return True
