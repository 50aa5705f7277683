"""Connections to upstreams, kept open and shared by all capability files."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

import httpx2

from naftiko_runtime.consumes.addresses import Address
from naftiko_runtime.consumes.tls import (
    idle_context,
    is_loopback,
    pinned_context,
    unverified_context,
    verified_context,
)
from naftiko_runtime.consumes.trust import TrustStore

MAX_RESPONSE_BYTES: Final = 16 * 1024 * 1024

_IDLE_SECONDS: Final = 4.0
"""How long an unused connection stays open: less than the 5 s after which common servers hang up,
so that a request is seldom sent into a connection that is just being closed."""

_PIN_SECONDS: Final = 1.0
"""How soon a certificate kept or forgotten by `naftiko trust` counts in a running process."""


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """How upstreams are called, by all files of a process alike.

    `timeout` bounds a whole exchange, from the wait for a connection to the last byte of the
    answer; both timeouts are in seconds. `max_response_bytes` counts decompressed bytes. `pool`
    is the number of connections to one origin. `ca_files` are authorities beside the
    system's. `insecure` names the consumed namespaces whose certificates are not checked, which
    only loopback addresses may be.
    """

    connect_timeout: float = 5.0
    timeout: float = 30.0
    max_response_bytes: int = MAX_RESPONSE_BYTES
    pool: int = 64
    trust: TrustStore = field(default_factory=TrustStore.default)
    ca_files: tuple[Path, ...] = ()
    insecure: frozenset[str] = frozenset()


class TrustError(ValueError):
    """No connection can be made because of a setting; the message says which and what to do."""


class Trust(Enum):
    """What vouches for an upstream's certificate."""

    NONE_NEEDED = "plain HTTP"
    AUTHORITIES = "the system's authorities and --ca"
    PIN = "a certificate kept by naftiko trust"
    NOTHING = "--insecure"


@dataclass(frozen=True, slots=True)
class TlsChoice:
    """How an upstream's certificate is judged. `pin` is the PEM of a pinned certificate, which
    `any_date` accepts also before and after its time."""

    trust: Trust
    pin: str = ""
    any_date: bool = False


_PLAIN: Final = TlsChoice(Trust.NONE_NEEDED)
_VERIFIED: Final = TlsChoice(Trust.AUTHORITIES)
_UNCHECKED: Final = TlsChoice(Trust.NOTHING)


class Pools:
    """One pool of connections per origin and TLS choice, made when first needed; an upstream that
    hangs takes up only its own. Owned by HttpUpstreams."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._settings = settings
        self._transports: dict[tuple[str, TlsChoice], httpx2.AsyncHTTPTransport] = {}
        self._contexts: dict[TlsChoice, ssl.SSLContext] = {}
        self._pins: dict[tuple[str, int], tuple[TlsChoice, float]] = {}

    def choose(self, namespace: str, address: Address) -> TlsChoice:
        """Whose certificate to accept for a request of a namespace. Raises TrustError."""
        if address.scheme == "http":
            return _PLAIN
        if namespace in self._settings.insecure:
            if not is_loopback(address.host):
                raise TrustError(
                    f"--insecure {namespace} is for loopback addresses only - keep the server's "
                    f'certificate with "naftiko trust {address.origin}", or name its authority '
                    "with --ca FILE"
                )
            return _UNCHECKED
        place = (address.host, address.port)
        known = self._pins.get(place)
        now = time.monotonic()
        if known is None or now >= known[1]:
            known = self._pins[place] = (self._pinned_or_verified(address), now + _PIN_SECONDS)
        return known[0]

    def _pinned_or_verified(self, address: Address) -> TlsChoice:
        trust = self._settings.trust
        try:
            pem = trust.find(address.host, address.port)
        except ValueError:  # a host that no certificate can be kept for
            return _VERIFIED
        except OSError as error:
            raise TrustError(
                f"{trust.file(address.host, address.port)} cannot be read ({error.strerror}) - "
                "make it readable, or name another folder with NAFTIKO_TRUST_DIR"
            ) from error
        if pem is None:
            return _VERIFIED
        return TlsChoice(Trust.PIN, pem, any_date=is_loopback(address.host))

    def transport(self, address: Address, choice: TlsChoice) -> httpx2.AsyncHTTPTransport:
        """Raises TrustError when a certificate file that it needs is not usable."""
        key = (address.origin, choice)
        transport = self._transports.get(key)
        if transport is None:
            context = self._contexts.get(choice)
            if context is None:
                context = self._contexts[choice] = self._make_context(choice)
            size = self._settings.pool
            limits = httpx2.Limits(
                max_connections=size,
                max_keepalive_connections=size,
                keepalive_expiry=_IDLE_SECONDS,
            )
            transport = httpx2.AsyncHTTPTransport(verify=context, limits=limits)
            self._transports[key] = transport
        return transport

    def _make_context(self, choice: TlsChoice) -> ssl.SSLContext:
        match choice.trust:
            case Trust.NONE_NEEDED:
                return idle_context()
            case Trust.NOTHING:
                return unverified_context()
            case Trust.PIN:
                return _make_pinned(choice)
            case Trust.AUTHORITIES:
                return self._make_verified()

    def _make_verified(self) -> ssl.SSLContext:
        check_ca_files(self._settings.ca_files)
        try:
            return verified_context(self._settings.ca_files)
        except OSError as error:
            raise TrustError(
                "the system's certificate authorities cannot be read - check the variables "
                "SSL_CERT_FILE and SSL_CERT_DIR"
            ) from error

    async def aclose(self) -> None:
        """Closes all connections, also those in use."""
        transports = list(self._transports.values())
        self._transports.clear()
        for transport in transports:
            await transport.aclose()


def check_ca_files(ca_files: tuple[Path, ...]) -> None:
    """Raises TrustError for a `--ca` file that is missing or holds no certificate."""
    for path in ca_files:
        try:
            idle_context().load_verify_locations(cafile=path)
        except ssl.SSLError as error:
            raise TrustError(f"--ca {path} holds no certificate in PEM form") from error
        except OSError as error:
            raise TrustError(f"--ca {path} cannot be read ({error.strerror})") from error


def _make_pinned(choice: TlsChoice) -> ssl.SSLContext:
    try:
        return pinned_context(choice.pin, any_date=choice.any_date)
    except (ValueError, ssl.SSLError) as error:
        raise TrustError(
            'the certificate kept for it is damaged - keep it anew with "naftiko trust"'
        ) from error
