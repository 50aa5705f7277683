"""What an exchange without a usable answer means to the caller.

The question that matters is whether the upstream may have carried the request out: an order that
may have been placed must not be placed again. `executed` is False only where it cannot have been.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import anyio
import httpx2

from naftiko_runtime.consumes.addresses import Address
from naftiko_runtime.consumes.answers import UnusableAnswer
from naftiko_runtime.consumes.pools import TlsChoice, Trust, UpstreamSettings
from naftiko_runtime.consumes.tls import CertificateChanged, is_loopback
from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.plan.operation import SAFE_METHODS, UpstreamRequest

TRANSPORT_ERRORS: Final = (
    httpx2.TransportError,
    OSError,
    UnicodeError,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
)
"""What a connection can end in. httpx2 wraps most; TLS and name resolution leak the others."""

_CERTIFICATE_EXPIRED: Final = 10
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED."""

_FOREIGN: Final = frozenset({2, 18, 19, 20, 21})
"""OpenSSL's codes for an unknown issuer or an unknown self-signed certificate."""


@dataclass(slots=True)
class Progress:
    """How far one attempt at a request got; httpx2 reports each step to it ("trace" extension).

    `fresh`: a connection was opened for it, rather than an idle one used. `sent`: the first byte
    may have left. `answered`: the head of an answer came.
    """

    fresh: bool = False
    sent: bool = False
    answered: bool = False

    async def note(self, step: str, _info: object) -> None:
        if step.startswith("http11."):
            self.sent = True
        elif step == "connection.connect_tcp.started":
            self.fresh = True


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and the circumstances it is sent in."""

    request: UpstreamRequest
    address: Address
    choice: TlsChoice
    settings: UpstreamSettings

    def failure(self, kind: FailureKind, what: str, *, executed: bool) -> Failure:
        if executed and self.request.method not in SAFE_METHODS:
            what += "; the call may have been carried out, so look before repeating it"
        return Failure(kind, f"{label(self.request, self.address)}: {what}", executed=executed)


def label(request: UpstreamRequest, address: Address | None = None) -> str:
    """How messages name a request: nothing in it depends on a caller or a secret."""
    target = f"{request.method} {address.origin}" if address else request.method
    return f'"{request.operation}" ({target})'


def may_send_again(error: Exception, method: str, progress: Progress) -> bool:
    """Whether an idle connection turned out to have been closed meanwhile, under a request that
    changes nothing. Others are never sent twice: an upstream that closes a connection without an
    answer may still have read what was on it."""
    stale = isinstance(error, httpx2.ReadError | httpx2.WriteError | httpx2.RemoteProtocolError)
    return stale and method in SAFE_METHODS and not progress.fresh and not progress.answered


def failure_of(error: Exception, exchange: Exchange, progress: Progress) -> Failure:
    """The failure that an exception of an attempt amounts to: one of TRANSPORT_ERRORS, or
    UnusableAnswer."""
    match error:
        case UnusableAnswer():
            return exchange.failure(error.kind, f"the answer {error}", executed=True)
        case httpx2.LocalProtocolError() | UnicodeEncodeError():
            return exchange.failure(
                FailureKind.INVALID_INPUT,
                "a value does not fit into an HTTP request - look for line breaks and control "
                "characters in headers and in the URL",
                executed=False,
            )
        case httpx2.ConnectTimeout():
            return _no_connection(exchange, exchange.settings.connect_timeout)
    if not progress.sent:
        return _not_connected(error, exchange)
    return exchange.failure(FailureKind.UPSTREAM_BROKEN, _breakage(error, progress), executed=True)


def too_slow(exchange: Exchange, progress: Progress) -> Failure:
    """The failure of an exchange that its deadline ended."""
    seconds = exchange.settings.timeout
    if progress.sent:
        what = f"no complete answer within {seconds:g} s"
        return exchange.failure(FailureKind.UPSTREAM_TIMEOUT, what, executed=True)
    if progress.fresh:
        return _no_connection(exchange, seconds)
    return exchange.failure(
        FailureKind.UPSTREAM_TIMEOUT,
        f"all {exchange.settings.pool} connections were busy for {seconds:g} s - "
        "send fewer calls at once",
        executed=False,
    )


def _no_connection(exchange: Exchange, seconds: float) -> Failure:
    return exchange.failure(
        FailureKind.UPSTREAM_UNREACHABLE,
        f"no connection within {seconds:g} s - check the address, the network and any firewall",
        executed=False,
    )


def _not_connected(error: Exception, exchange: Exchange) -> Failure:
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return exchange.failure(
                    FailureKind.UPSTREAM_UNTRUSTED,
                    _distrust(cause, exchange),
                    executed=False,
                )
            case ssl.SSLError():
                what = "no TLS connection - if it speaks plain HTTP, write http:// in its baseUri"
                break
            case socket.gaierror():
                what = f'the name "{exchange.address.host}" is not known - check the baseUri'
                break
            case UnicodeError():
                what = f'"{exchange.address.host}" is no host name - check the baseUri'
                break
            case OSError(errno=int(number)) if number:
                what = f"{os.strerror(number).lower()} - check that the service runs there"
                break
    else:
        what = "it closed the connection at once - check that the service there is healthy"
    return exchange.failure(FailureKind.UPSTREAM_UNREACHABLE, what, executed=False)


def _distrust(error: ssl.SSLCertVerificationError, exchange: Exchange) -> str:
    """Why a certificate is not trusted, and exactly what to do about it."""
    address = exchange.address
    command = f'"naftiko trust {address.origin}"'
    if exchange.choice.trust is Trust.PIN:
        if getattr(error, "verify_code", None) == _CERTIFICATE_EXPIRED:
            return f"the certificate kept for it has expired - renew it there, then run {command}"
        if isinstance(error, CertificateChanged) or _is_foreign(error):
            return (
                "its certificate changed: it is not the one kept for this host and port - if it "
                f"was renewed, run {command}; if not, something else may be answering there"
            )
    reason = (getattr(error, "verify_message", "") or "not verifiable").rstrip(".")
    advice = f"run {command} to look at it and keep it, or name its authority with --ca FILE"
    if is_loopback(address.host):
        advice += f", or skip the check with --insecure {exchange.request.upstream}"
    return f"its certificate is not trusted ({reason}) - {advice}"


def _is_foreign(error: ssl.SSLCertVerificationError) -> bool:
    """Whether OpenSSL found no way from the certificate to the pinned one."""
    return getattr(error, "verify_code", None) in _FOREIGN


def _breakage(error: Exception, progress: Progress) -> str:
    if progress.answered:
        return "the connection broke off in the middle of the answer"
    if isinstance(error, httpx2.RemoteProtocolError) and "disconnected" not in str(error):
        return "the answer is not proper HTTP"
    return "the connection was closed before an answer came"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that led to it, the innermost last."""
    rest: list[BaseException] = [error]
    seen: set[int] = set()
    while rest:
        item = rest.pop(0)
        if id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        if isinstance(item, BaseExceptionGroup):
            rest.extend(item.exceptions)
        rest.extend(cause for cause in (item.__cause__, item.__context__) if cause is not None)
