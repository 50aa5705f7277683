"""Digest credentials (RFC 7616): the password is proved to a challenge of the upstream."""

from __future__ import annotations

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.document.model import Authentication
from naftiko_runtime.plan.credentials.carried import Carried, compile_field, secret_of
from naftiko_runtime.plan.getters import Compiler
from naftiko_runtime.plan.logins import DigestLogin
from naftiko_runtime.plan.operation import Scope


def compile_digest(authentication: Authentication, compiler: Compiler) -> Carried:
    username = compile_field(authentication, "username", compiler)
    password = compile_field(authentication, "password", compiler)

    def login(scope: Scope) -> DigestLogin | None:
        user, word = username(scope), password(scope)
        if user is None and word is None:
            return None
        return DigestLogin(user or "", Secret(word or ""))

    return Carried("Authorization", False, lambda scope: None, secret_of(password), login)
