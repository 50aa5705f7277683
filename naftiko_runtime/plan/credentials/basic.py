"""Basic credentials (RFC 7617): user name and password as UTF-8, base64-encoded."""

from __future__ import annotations

import base64

from naftiko_runtime.document.model import Authentication
from naftiko_runtime.plan.credentials.carried import Carried, compile_field
from naftiko_runtime.plan.getters import Compiler
from naftiko_runtime.plan.operation import Scope


def compile_basic(authentication: Authentication, compiler: Compiler) -> Carried:
    username = compile_field(authentication, "username", compiler)
    password = compile_field(authentication, "password", compiler)

    def encoded(scope: Scope) -> str | None:
        user, word = username(scope), password(scope)
        if user is None and word is None:
            return None
        return base64.b64encode(f"{user or ''}:{word or ''}".encode()).decode("ascii")

    def read(scope: Scope) -> str | None:
        text = encoded(scope)
        return None if text is None else f"Basic {text}"

    def secrets(scope: Scope) -> tuple[str, ...]:
        return tuple(text for text in (encoded(scope), password(scope)) if text)

    return Carried("Authorization", False, read, secrets)
