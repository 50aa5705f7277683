"""The gateway's self-signed certificate."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS = 365


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its private key as PEM files; `fingerprint` is the SHA-256 of the DER
    form, as pairs of hexadecimal digits with colons between them."""

    path: Path
    key_path: Path
    fingerprint: str

    @property
    def pem(self) -> str:
        return self.path.read_text()


def certificate_in(folder: Path) -> Certificate:
    """The certificate kept in `folder`, made anew if there is none or it is about to expire.

    Raises OSError when the folder cannot be written, and ValueError when what is there is not
    a certificate.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, key_path = folder / "paper-gateway.pem", folder / "paper-gateway.key"
    if path.exists() and key_path.exists():
        kept = x509.load_pem_x509_certificate(path.read_bytes())
        if kept.not_valid_after_utc > datetime.now(UTC) + timedelta(days=1):
            return Certificate(path, key_path, _fingerprint(kept))
    key = ec.generate_private_key(ec.SECP256R1())
    made = _self_signed(key)
    _write_private(
        key_path,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return Certificate(path, key_path, _fingerprint(made))


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Paper gateway (not a real broker)"),
            x509.NameAttribute(NameOID.COMMON_NAME, "localhost"),
        ]
    )
    hosts = x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
        ]
    )
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(hosts, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
