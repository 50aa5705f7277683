"""What compiled credentials put into a request."""

from __future__ import annotations

from collections.abc import Callable

from naftiko_runtime.document.model import Authentication
from naftiko_runtime.json_values import Missing
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.getters import Compiler, as_text
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.logins import Login
from naftiko_runtime.plan.operation import Scope


@dataclass(frozen=True, slots=True)
class Carried:
    """A header or a query parameter that carries a credential.

    `read` gives its value; None means that there is no credential, and nothing is sent. `secrets`
    gives the texts in it that must never be shown. `login` is there where the value takes an
    exchange while the call runs; `read` then gives None, and what comes out of the exchange is put
    where the name says.
    """

    name: str
    in_query: bool
    read: Callable[[Scope], str | None]
    secrets: Callable[[Scope], tuple[str, ...]]
    login: Callable[[Scope], Login | None] | None = None


def compile_field(
    authentication: Authentication, key: str, compiler: Compiler
) -> Callable[[Scope], str | None]:
    """A field of the credentials as text. None when a placeholder in it is filled with nothing:
    a variable that is set but empty means that no credential is wanted."""
    template = authentication.fields.get(key)
    if template is None:
        return lambda scope: None
    pieces = [
        part if isinstance(part, str) else compiler.reference(part, Need())
        for part in template.parts
    ]

    def read(scope: Scope) -> str | None:
        texts: list[str] = []
        for piece in pieces:
            if isinstance(piece, str):
                texts.append(piece)
                continue
            value = piece(scope)
            text = "" if isinstance(value, Missing) else as_text(value)
            if not text:
                return None
            texts.append(text)
        return "".join(texts) or None

    return read


def secret_of(read: Callable[[Scope], str | None]) -> Callable[[Scope], tuple[str, ...]]:
    def secrets(scope: Scope) -> tuple[str, ...]:
        text = read(scope)
        return (text,) if text else ()

    return secrets
