"""TLS contexts: whose certificates are accepted."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Final

_NO_CHECK_TIME: Final = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which the ssl module has no name for."""


class CertificateChanged(ssl.SSLCertVerificationError):
    """The peer shows another certificate than the pinned one."""


def is_loopback(host: str) -> bool:
    """Whether a host can only be this machine: `localhost` or an address that never leaves it."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def verified_context(ca_files: Sequence[Path] = ()) -> ssl.SSLContext:
    """Accepts what the operating system's store (or SSL_CERT_FILE, SSL_CERT_DIR) vouches for,
    and what the further authorities in `ca_files` do. Raises OSError for an unusable file."""
    context = _named_context() or _linux_context()
    if context is None:
        # It knows where each platform keeps them. Few processes need it, and it takes longer to
        # import than all else that serves files.
        import httpx2

        context = httpx2.create_ssl_context()
    for path in ca_files:
        context.load_verify_locations(cafile=path)
    return context


def _named_context() -> ssl.SSLContext | None:
    """Accepts what the environment names alone, as httpx2 does."""
    if file := os.environ.get("SSL_CERT_FILE"):
        return ssl.create_default_context(cafile=file)
    if folder := os.environ.get("SSL_CERT_DIR"):
        return ssl.create_default_context(capath=folder)
    return None


def _linux_context() -> ssl.SSLContext | None:
    """Accepts what OpenSSL finds in the places it was built for, as httpx2 does on Linux; None
    where there is nothing to find."""
    if sys.platform != "linux":
        return None
    places = ssl.get_default_verify_paths()
    file = Path(places.openssl_cafile)
    folder = Path(places.openssl_capath)
    # OpenSSL looks for names that are hashes of subjects.
    hashed = folder.is_dir() and any(name.suffix == ".0" for name in folder.iterdir())
    if not file.is_file() and not hashed:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(
        cafile=file if file.is_file() else None, capath=folder if hashed else None
    )
    return context


def unverified_context() -> ssl.SSLContext:
    """Accepts any certificate; only for loopback addresses, where nobody is in between."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def pinned_context(pem: str, *, any_date: bool) -> ssl.SSLContext:
    """Accepts exactly one certificate, whatever host it names.

    `any_date` also takes it before and after its time. OpenSSL would also accept certificates
    that the pinned one signed; comparing the bytes rules them out. Raises ValueError
    or ssl.SSLError when `pem` is no certificate.
    """
    expected = ssl.PEM_cert_to_DER_cert(pem)

    class PinnedConnection(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            if self.getpeercert(binary_form=True) != expected:
                raise CertificateChanged("certificate differs from the pinned one")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if any_date:
        context.verify_flags |= _NO_CHECK_TIME
    context.load_verify_locations(cadata=pem)
    context.sslobject_class = PinnedConnection
    return context
