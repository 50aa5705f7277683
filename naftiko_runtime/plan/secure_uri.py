"""URIs of authorization servers: where tokens come from, and the keys that they are judged by."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_ALLOWED = re.compile(r"[!$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+")


class UriError(ValueError):
    """A URI that is not to be used; the message is a clause about it, with the remedy."""


def check_secure_uri(text: str, *, query: bool = False) -> str:
    """The URI, if it is one that nobody on the way can answer for: https, or http on loopback
    (RFC 8414, section 2; RFC 6749, section 3.1). Raises UriError.

    User information and a fragment are never part of it, a query only with `query`.
    """
    _check_form(text, query=query)
    parts = urlsplit(text)
    if parts.scheme.lower() == "http" and not _is_loopback(parts.hostname or ""):
        raise UriError("is not encrypted - write https://, http:// is for loopback addresses only")
    return text


def check_resource_uri(text: str) -> str:
    """The URI, if it can name a protected resource (RFC 8707, section 2). It only names: a proxy
    may speak TLS for a listener that does not. Raises UriError."""
    _check_form(text, query=True)
    return text


def _check_form(text: str, *, query: bool) -> None:
    if not _ALLOWED.fullmatch(text):
        raise UriError("is no URI: it holds a blank or another character that a URI has none of")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UriError("is no URI - write it as https://host[:port][/path]") from None
    if parts.scheme.lower() not in ("https", "http") or not host or port == 0:
        raise UriError("is no URI of a server - write it as https://host[:port][/path]")
    if parts.username is not None or parts.password is not None:
        raise UriError('holds credentials - write them under "clientId" and "clientSecret"')
    if parts.query and not query:
        raise UriError("has a query, which it must not have - leave it out")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
