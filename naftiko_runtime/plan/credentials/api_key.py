"""API keys in a header or a query parameter; `placement` is `header` unless the file says more."""

from __future__ import annotations

from naftiko_runtime.document.model import Authentication
from naftiko_runtime.plan.credentials.carried import Carried, compile_field, secret_of
from naftiko_runtime.plan.getters import Compiler


def compile_api_key(authentication: Authentication, compiler: Compiler) -> Carried:
    """Raises ValueError when the file names no key, or one that holds a placeholder."""
    key = authentication.fields.get("key")
    name = key.literal if key is not None else None
    if not name:
        raise ValueError("an apikey needs the name of its header or query parameter as `key`")
    value = compile_field(authentication, "value", compiler)
    return Carried(name, authentication.placement == "query", value, secret_of(value))
