"""The computations of HTTP Digest authentication (RFC 7616), the same on both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


ALGORITHMS: Final[Mapping[str, Callable[[bytes], str]]] = MappingProxyType(
    {"SHA-256": _sha256, "MD5": _md5}
)
"""By name, the stronger first. MD5 is what older servers and clients know; what protects a
password here is that its hash is salted with a nonce, which MD5's weakness (collisions) does not
touch."""


def user_hash(algorithm: str, username: str, realm: str, password: str) -> str:
    """What stands for user and password in a realm: H(A1) of RFC 7616, section 3.4.2."""
    return ALGORITHMS[algorithm](f"{username}:{realm}:{password}".encode())


def session_hash(algorithm: str, hashed_user: str, nonce: str, cnonce: str) -> str:
    """H(A1) of the `-sess` variants."""
    return ALGORITHMS[algorithm](f"{hashed_user}:{nonce}:{cnonce}".encode())


def response(
    algorithm: str, hashed_user: str, nonce: str, counted: str, method: str, target: str
) -> str:
    """The proof (`response`, section 3.4.1). `counted` is `nc:cnonce:qop` for qop `auth`, and
    empty for the form of RFC 2069."""
    hashing = ALGORITHMS[algorithm]
    request = hashing(f"{method}:{target}".encode("utf-8", "surrogateescape"))
    middle = f"{nonce}:{counted}" if counted else nonce
    return hashing(f"{hashed_user}:{middle}:{request}".encode("utf-8", "surrogateescape"))
