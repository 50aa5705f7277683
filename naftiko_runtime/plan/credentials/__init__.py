"""Outbound credentials: one module per authentication type, compiled to what a request carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from naftiko_runtime.document.model import Authentication, AuthenticationType
from naftiko_runtime.plan.credentials import api_key, basic, bearer, client, digest
from naftiko_runtime.plan.credentials.carried import Carried
from naftiko_runtime.plan.getters import Compiler

__all__ = ["CREDENTIALS", "Carried"]

CREDENTIALS: Mapping[AuthenticationType, Callable[[Authentication, Compiler], Carried]] = {
    AuthenticationType.API_KEY: api_key.compile_api_key,
    AuthenticationType.BASIC: basic.compile_basic,
    AuthenticationType.BEARER: bearer.compile_bearer,
    AuthenticationType.DIGEST: digest.compile_digest,
    AuthenticationType.OAUTH2: client.compile_client,
}
"""Authentication of an upstream by its `type`."""
