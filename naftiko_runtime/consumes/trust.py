"""Certificates that the user decided to trust, each for one host and port alone."""

from __future__ import annotations

import os
import re
import socket
import ssl
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from naftiko_runtime.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from cryptography import x509

FOLDER_VARIABLE: Final = "NAFTIKO_TRUST_DIR"

_HOST: Final = re.compile(r"[A-Za-z0-9._:%-]+")
_FILE_NAME: Final = re.compile(r"([a-z0-9._+%-]+)_([0-9]{1,5})\.pem")
_PEM: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII
)


class FetchError(Exception):
    """A server's certificate could not be had; the message says why, to follow its address."""


@dataclass(frozen=True, slots=True)
class KeptCertificate:
    host: str
    port: int
    pem: str


@dataclass(frozen=True, slots=True)
class TrustStore:
    """A folder with one PEM file per host and port. It need not exist until something is kept.

    Methods raise OSError when the folder cannot be read or written, ValueError for a host that
    is no host name or address.
    """

    folder: Path

    @classmethod
    def default(cls) -> TrustStore:
        """The user's own: NAFTIKO_TRUST_DIR, else `naftiko/trust` in the folder for settings."""
        if chosen := os.environ.get(FOLDER_VARIABLE):
            return cls(Path(chosen).expanduser())
        settings = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
        return cls(Path(settings).expanduser() / "naftiko" / "trust")

    def find(self, host: str, port: int) -> str | None:
        """The PEM kept for a host and port."""
        try:
            return self.file(host, port).read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return None

    def pin(self, host: str, port: int, pem: str) -> None:
        """Keeps a certificate, in place of an earlier one. ValueError when it is not one."""
        if not _PEM.fullmatch(pem.strip()):
            raise ValueError("not one certificate in PEM form")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.folder, suffix=".new")
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(pem.strip() + "\n")
            Path(name).replace(self.file(host, port))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def forget(self, host: str, port: int) -> bool:
        """Drops what is kept for a host and port; False when nothing was."""
        try:
            self.file(host, port).unlink()
        except FileNotFoundError:
            return False
        return True

    def kept(self) -> Iterator[KeptCertificate]:
        """Everything kept, by host and port."""
        for path in sorted(self.folder.glob("*.pem")):
            if match := _FILE_NAME.fullmatch(path.name):
                pem = path.read_text(encoding="ascii", errors="replace")
                yield KeptCertificate(match[1].replace("+", ":"), int(match[2]), pem)

    def file(self, host: str, port: int) -> Path:
        """Where the certificate of a host and port is kept, or would be. The colons of an IPv6
        address become `+`, which no host name holds."""
        if not _HOST.fullmatch(host):
            raise ValueError(f'"{host}" is no host name or address')
        return self.folder / f"{host.lower().replace(':', '+')}_{port}.pem"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a person needs to recognise a certificate. `fingerprint` is the SHA-256 of its DER
    form in upper-case hexadecimal, bytes separated by colons; `names` are the hosts it is for."""

    fingerprint: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    self_signed: bool
    pem: str


def fetch_certificate(host: str, port: int, timeout: float) -> Certificate:
    """The certificate that a server shows, trusted or not. Blocks for at most `timeout` seconds
    per step. Raises FetchError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it is read, nothing is sent
    try:
        with (
            socket.create_connection((host, port), timeout) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            der = secured.getpeercert(binary_form=True)
    except ssl.SSLError as error:
        raise FetchError("it speaks no TLS that can be read here") from error
    except socket.gaierror as error:
        raise FetchError("the name is not known") from error
    except TimeoutError as error:
        raise FetchError(f"no answer within {timeout:g} seconds") from error
    except ConnectionRefusedError as error:
        raise FetchError("connection refused, nothing listens there") from error
    except ConnectionError as error:
        raise FetchError("it closed the connection, perhaps because it speaks no TLS") from error
    except (OSError, UnicodeError) as error:
        raise FetchError(f"cannot connect ({getattr(error, 'strerror', None) or error})") from error
    if der is None:
        raise FetchError("it shows no certificate")
    try:
        return read_certificate(ssl.DER_cert_to_PEM_cert(der))
    except ValueError as error:
        raise FetchError(f"what it shows is {error}") from error


def read_certificate(pem: str) -> Certificate:
    """Raises ValueError when `pem` is no certificate that can be read."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        certificate = x509.load_pem_x509_certificate(pem.encode("ascii", errors="replace"))
    except ValueError as error:
        raise ValueError("not a certificate that can be read") from error
    return Certificate(
        fingerprint=certificate.fingerprint(SHA256()).hex(":").upper(),
        subject=_printable(certificate.subject.rfc4514_string()),
        issuer=_printable(certificate.issuer.rfc4514_string()),
        names=tuple(_printable(name) for name in _alternative_names(certificate)),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        self_signed=_is_self_signed(certificate),
        pem=pem,
    )


def _alternative_names(certificate: x509.Certificate) -> list[str]:
    from cryptography import x509

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return [*extension.value.get_values_for_type(x509.DNSName), *map(str, addresses)]


def _is_self_signed(certificate: x509.Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _printable(text: str) -> str:
    """A server chooses these texts: nothing in them may steer the user's terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)
