"""API keys in a header or a query parameter; `placement` is `header` unless the file says more."""

from __future__ import annotations

from naftiko_runtime.document.model import Authentication
from naftiko_runtime.plan.credentials.carried import Carried, compile_field, secret_of
from naftiko_runtime.plan.getters import Compiler
from naftiko_runtime.plan.header_names import NAME, RESERVED


def compile_api_key(authentication: Authentication, compiler: Compiler) -> Carried:
    """Raises ValueError when the file names no key, one that holds a placeholder, or one that no
    header can be called."""
    key = authentication.fields.get("key")
    name = key.literal if key is not None else None
    if not name:
        raise ValueError("an apikey needs the name of its header or query parameter as `key`")
    in_query = authentication.placement == "query"
    if not in_query and (not NAME.fullmatch(name) or name.lower() in RESERVED):
        raise ValueError(f'"{name}" is no name of a header that a key can travel in')
    value = compile_field(authentication, "value", compiler)
    return Carried(name, in_query, value, secret_of(value))
