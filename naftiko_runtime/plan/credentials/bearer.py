"""Bearer tokens (RFC 6750, section 2.1)."""

from __future__ import annotations

from naftiko_runtime.document.model import Authentication
from naftiko_runtime.plan.credentials.carried import Carried, compile_field, secret_of
from naftiko_runtime.plan.getters import Compiler
from naftiko_runtime.plan.operation import Scope


def compile_bearer(authentication: Authentication, compiler: Compiler) -> Carried:
    token = compile_field(authentication, "token", compiler)

    def read(scope: Scope) -> str | None:
        text = token(scope)
        return None if text is None else f"Bearer {text}"

    return Carried("Authorization", False, read, secret_of(token))
