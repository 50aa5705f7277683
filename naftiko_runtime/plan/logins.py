"""Credentials towards an upstream that take an exchange while a call runs.

The plan says what to log in with; `consumes.credentials` does it.
"""

from __future__ import annotations

from typing import TypeAlias

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DigestLogin:
    """AuthDigest: user name and password for HTTP Digest (RFC 7616)."""

    username: str
    password: Secret


@dataclass(frozen=True, slots=True)
class ClientLogin:
    """AuthOAuth2 towards an upstream: the client credentials grant (RFC 6749, section 4.4).

    `token_endpoint` is empty where the metadata of the `issuer` name it. `audience` is empty where
    the file gives none; then `resource` says what the token is for (RFC 8707).
    """

    issuer: str
    token_endpoint: str
    client_id: str
    client_secret: Secret
    scopes: tuple[str, ...]
    audience: str
    resource: str


Login: TypeAlias = DigestLogin | ClientLogin
