"""Connections to upstreams, kept open and shared by all capability files."""

from __future__ import annotations

import ssl
import time
from collections.abc import Awaitable
from dataclasses import field, replace
from enum import Enum
from math import inf
from pathlib import Path
from typing import Final

from naftiko_runtime.consumes.addresses import Address
from naftiko_runtime.consumes.http1.connecting import connect
from naftiko_runtime.consumes.http1.connection import Connection
from naftiko_runtime.consumes.http1.pool import Pool
from naftiko_runtime.consumes.tls import (
    is_loopback,
    pinned_context,
    unverified_context,
    verified_context,
)
from naftiko_runtime.consumes.trust import TrustStore
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.settings.model import RuntimeSettings, TrustChoice, UpstreamRule
from naftiko_runtime.settings.upstreams import rule_for

MAX_RESPONSE_BYTES: Final = 16 * 1024 * 1024

_PROTOCOLS: Final = ("http/1.1",)
"""What TLS connections are for (RFC 7301)."""

_PIN_SECONDS: Final = 1.0
"""How soon a certificate kept or forgotten by `naftiko trust` counts in a running process."""


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """How upstreams are called, by all files of a process alike where the operator's settings do
    not say otherwise.

    `timeout` bounds a whole exchange, from the wait for a connection to the last byte of the
    answer; both timeouts are in seconds. `max_response_bytes` counts decompressed bytes. `pool`
    is the number of connections to one origin. `ca_files` are authorities beside the
    system's. `insecure` names the consumed namespaces whose certificates are not checked, which
    only loopback addresses may be. `certificates` says what vouches for those of the others.
    """

    connect_timeout: float = 5.0
    timeout: float = 30.0
    max_response_bytes: int = MAX_RESPONSE_BYTES
    pool: int = 64
    trust: TrustStore = field(default_factory=TrustStore.default)
    ca_files: tuple[Path, ...] = ()
    insecure: frozenset[str] = frozenset()
    certificates: TrustChoice = TrustChoice.USUAL


class TrustError(ValueError):
    """No connection can be made because of a setting; the message says which and what to do."""


class Trust(Enum):
    """What vouches for an upstream's certificate."""

    NONE_NEEDED = "plain HTTP"
    AUTHORITIES = "the system's authorities and --ca"
    PIN = "a certificate kept by naftiko trust"
    NOTHING = "--insecure, or the settings"


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


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where a namespace's requests to one origin go: the connections, who vouches for them, and
    what is set for the namespace."""

    address: Address
    choice: TlsChoice
    pool: Pool
    settings: UpstreamSettings


class Pools:
    """One pool of connections per origin, TLS choice and size, made when first needed; an upstream
    that hangs takes up only its own. Owned by HttpUpstreams."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._settings = settings
        self._rules: tuple[UpstreamRule, ...] = ()
        self._pools: dict[tuple[str, TlsChoice, int], Pool] = {}
        self._contexts: dict[TlsChoice, ssl.SSLContext] = {}
        self._found: dict[tuple[str, str], tuple[Upstream, float]] = {}

    def adopt(self, settings: RuntimeSettings) -> None:
        """Goes by the operator's settings from now on. Calls in flight end as they began."""
        if settings.upstreams == self._rules:
            return
        self._rules = settings.upstreams
        self._found.clear()
        for pool in self._pools.values():
            pool.drop_idle()  # it may be one that is not used any more

    def find(self, namespace: str, address: Address) -> Upstream:
        """Where a request of a namespace goes. Raises TrustError when it goes nowhere: a setting,
        or a certificate file that it needs, is not usable."""
        key = (namespace, address.origin)
        known = self._found.get(key)
        if known is not None and time.monotonic() < known[1]:
            return known[0]
        settings = self._settings_of(namespace)
        choice = self._choose(namespace, address, settings.certificates)
        pool = self._pool(address, choice, settings.pool)
        upstream = Upstream(address, choice, pool, settings)
        kept = choice.trust in (Trust.AUTHORITIES, Trust.PIN)
        self._found[key] = (upstream, time.monotonic() + _PIN_SECONDS if kept else inf)
        return upstream

    def _settings_of(self, namespace: str) -> UpstreamSettings:
        """What is set for a namespace: the command line over the operator's settings."""
        rule = rule_for(self._rules, namespace)
        certificates = rule.trust or self._settings.certificates
        if namespace in self._settings.insecure:
            certificates = TrustChoice.NOTHING
        return replace(
            self._settings,
            timeout=self._settings.timeout if rule.timeout is None else rule.timeout,
            pool=rule.pool or self._settings.pool,
            certificates=certificates,
        )

    def _choose(self, namespace: str, address: Address, asked: TrustChoice) -> TlsChoice:
        """Whose certificate to accept."""
        if address.scheme == "http":
            return _PLAIN
        if asked is TrustChoice.AUTHORITIES:
            return _VERIFIED
        if asked is TrustChoice.NOTHING:
            if not is_loopback(address.host):
                raise TrustError(self._must_be_checked(namespace, address))
            return _UNCHECKED
        kept = self._kept(address)
        if kept is None and asked is TrustChoice.PINNED:
            raise TrustError(
                "the settings accept a kept certificate alone (trust: pinned), and none is kept - "
                f'run "naftiko trust {address.origin}" to look at it and keep it'
            )
        return kept or _VERIFIED

    def _must_be_checked(self, namespace: str, address: Address) -> str:
        by_option = namespace in self._settings.insecure
        what = f"--insecure {namespace}" if by_option else '"trust: nothing" of the settings'
        return (
            f"{what} is for loopback addresses only - keep the server's certificate with "
            f'"naftiko trust {address.origin}", or name its authority with --ca FILE'
        )

    def _kept(self, address: Address) -> TlsChoice | None:
        trust = self._settings.trust
        try:
            pem = trust.find(address.host, address.port)
        except ValueError:  # a host that no certificate can be kept for
            return None
        except OSError as error:
            raise TrustError(
                f"{trust.file(address.host, address.port)} cannot be read ({error.strerror}) - "
                "make it readable, or name another folder with NAFTIKO_TRUST_DIR"
            ) from error
        if pem is None:
            return None
        return TlsChoice(Trust.PIN, pem, any_date=is_loopback(address.host))

    def _pool(self, address: Address, choice: TlsChoice, size: int) -> Pool:
        key = (address.origin, choice, size)
        if key in self._pools:
            return self._pools[key]
        context = None if choice.trust is Trust.NONE_NEEDED else self._context(choice)
        seconds = self._settings.connect_timeout

        def open_one(deadline: float) -> Awaitable[Connection]:
            return connect(address.host, address.port, context, seconds, deadline)

        pool = self._pools[key] = Pool(open_one, size)
        return pool

    def _context(self, choice: TlsChoice) -> ssl.SSLContext:
        context = self._contexts.get(choice)
        if context is None:
            context = self._contexts[choice] = self._make_context(choice)
            context.set_alpn_protocols(_PROTOCOLS)
        return context

    def _make_context(self, choice: TlsChoice) -> ssl.SSLContext:
        match choice.trust:
            case Trust.PIN:
                return _make_pinned(choice)
            case Trust.NOTHING:
                return unverified_context()
            case _:
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

    def close(self) -> None:
        """Closes all connections, also those in use."""
        pools = list(self._pools.values())
        self._pools.clear()
        self._found.clear()
        for pool in pools:
            pool.close()


def check_ca_files(ca_files: tuple[Path, ...]) -> None:
    """Raises TrustError for a `--ca` file that is missing or holds no certificate."""
    for path in ca_files:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
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
