"""What an exchange without a usable answer means to the caller.

The question that matters is whether the upstream may have carried the request out: an order that
may have been placed must not be placed again. `executed` is False only where it cannot have been.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from typing import Final

from naftiko_runtime.consumes.addresses import Address
from naftiko_runtime.consumes.http1.endings import (
    AllBusy,
    AnsweringTooSlow,
    BrokenOff,
    ConnectingTooSlow,
    NoAnswer,
    Unsendable,
    UnusableAnswer,
)
from naftiko_runtime.consumes.pools import Trust, Upstream
from naftiko_runtime.consumes.tls import CertificateChanged, is_loopback
from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.calls import changes_nothing
from naftiko_runtime.plan.operation import SAFE_METHODS, UpstreamRequest
from naftiko_runtime.settings.model import TrustChoice

_CERTIFICATE_EXPIRED: Final = 10
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED."""

_FOREIGN: Final = frozenset({2, 18, 19, 20, 21})
"""OpenSSL's codes for an unknown issuer or an unknown self-signed certificate."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and the circumstances it is sent in."""

    request: UpstreamRequest
    upstream: Upstream

    def failure(self, kind: FailureKind, what: str, *, executed: bool) -> Failure:
        if executed and not changes_nothing(self.request):
            what += "; the call may have been carried out, so look before repeating it"
        name = label(self.request, self.upstream.address)
        return Failure(kind, f"{name}: {what}", executed=executed)


def label(request: UpstreamRequest, address: Address | None = None) -> str:
    """How messages name a request: nothing in it depends on a caller or a secret."""
    target = f"{request.method} {address.origin}" if address else request.method
    return f'"{request.operation}" ({target})'


def may_send_again(error: NoAnswer, method: str, *, was_idle: bool) -> bool:
    """Whether an idle connection turned out to have been closed meanwhile, under a request that
    changes nothing. Others are never sent twice: an upstream that closes a connection without an
    answer may still have read what was on it."""
    if not was_idle or method not in SAFE_METHODS:
        return False
    return isinstance(error, BrokenOff | UnusableAnswer) and not error.begun


def failure_of(error: NoAnswer, exchange: Exchange) -> Failure:
    settings = exchange.upstream.settings
    match error:
        case UnusableAnswer():
            return exchange.failure(error.kind, f"the answer {error}", executed=True)
        case BrokenOff():
            what = "the connection was closed before an answer came"
            if error.begun:
                what = "the connection broke off in the middle of the answer"
            return exchange.failure(FailureKind.UPSTREAM_BROKEN, what, executed=True)
        case AnsweringTooSlow():
            what = f"no complete answer within {settings.timeout:g} s"
            return exchange.failure(FailureKind.UPSTREAM_TIMEOUT, what, executed=True)
        case AllBusy():
            busy = f"all {settings.pool} connections were"
            busy = "the only connection was" if settings.pool == 1 else busy
            what = f"{busy} busy for {settings.timeout:g} s - send fewer calls at once"
            return exchange.failure(FailureKind.UPSTREAM_TIMEOUT, what, executed=False)
        case ConnectingTooSlow():
            seconds = min(settings.connect_timeout, settings.timeout)
            what = (
                f"no connection within {seconds:g} s - check the address, the network and any "
                "firewall"
            )
            return exchange.failure(FailureKind.UPSTREAM_UNREACHABLE, what, executed=False)
        case Unsendable():
            what = (
                "a value does not fit into an HTTP request - look for line breaks and control "
                "characters in headers and in the URL"
            )
            return exchange.failure(FailureKind.INVALID_INPUT, what, executed=False)
    return _not_connected(error, exchange)


def _not_connected(error: NoAnswer, exchange: Exchange) -> Failure:
    host = exchange.upstream.address.host
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
                what = f'the name "{host}" is not known - check the baseUri'
                break
            case UnicodeError():
                what = f'"{host}" is no host name - check the baseUri'
                break
            case OSError(errno=int(number)) if number:
                what = f"{os.strerror(number).lower()} - check that the service runs there"
                break
    else:
        what = "it closed the connection at once - check that the service there is healthy"
    return exchange.failure(FailureKind.UPSTREAM_UNREACHABLE, what, executed=False)


def _distrust(error: ssl.SSLCertVerificationError, exchange: Exchange) -> str:
    """Why a certificate is not trusted, and exactly what to do about it."""
    address = exchange.upstream.address
    command = f'"naftiko trust {address.origin}"'
    if exchange.upstream.choice.trust is Trust.PIN:
        if getattr(error, "verify_code", None) == _CERTIFICATE_EXPIRED:
            return f"the certificate kept for it has expired - renew it there, then run {command}"
        if isinstance(error, CertificateChanged) or _is_foreign(error):
            return (
                "its certificate changed: it is not the one kept for this host and port - if it "
                f"was renewed, run {command}; if not, something else may be answering there"
            )
    reason = (getattr(error, "verify_message", "") or "not verifiable").rstrip(".")
    advice = f"run {command} to look at it and keep it, or name its authority with --ca FILE"
    if exchange.upstream.settings.certificates is TrustChoice.AUTHORITIES:
        advice = 'name its authority with --ca FILE, or set another "trust" than "authorities"'
    if is_loopback(address.host):
        advice += f", or skip the check with --insecure {exchange.request.upstream}"
    return f"its certificate is not trusted ({reason}) - {advice}"


def _is_foreign(error: ssl.SSLCertVerificationError) -> bool:
    """Whether OpenSSL found no way from the certificate to the pinned one."""
    return getattr(error, "verify_code", None) in _FOREIGN


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
