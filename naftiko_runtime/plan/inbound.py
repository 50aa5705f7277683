"""Compiles what an adapter asks of its callers (`authentication` under `exposes`).

Whatever cannot be asked exactly as the file says refuses the adapter: a variable without a value
must never leave open what was meant to be closed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.document.model import (
    Authentication,
    AuthenticationType,
    BindReference,
    Template,
)
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.header_names import NAME, RESERVED
from naftiko_runtime.plan.secure_uri import UriError, check_resource_uri, check_secure_uri
from naftiko_runtime.plan.variables import Variables

RULE: Final = "authentication"
"""The rule of all problems that keep an adapter from asking for authentication."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""scope-token of RFC 6749, appendix A.4."""


@dataclass(frozen=True, slots=True)
class InboundPlan:
    """What one adapter asks of its callers. Plans that ask for the same are equal.

    `fields` are the file's, filled in: `token`; `key` and `value`; `username` and `password`;
    `authorizationServerUri`, `resource`, `audience` and so on. Each is there and not empty if its
    type needs it.
    """

    type: AuthenticationType
    fields: tuple[tuple[str, Secret], ...]
    in_query: bool = False
    scopes: tuple[str, ...] = ()

    def text(self, name: str, default: str = "") -> str:
        return next((value.reveal() for key, value in self.fields if key == name), default)


class InboundError(ValueError):
    """Why an adapter cannot ask for its authentication; `field` is where it shows. No message
    holds the value of a variable."""

    def __init__(self, field: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.field = field
        self.remedy = remedy


def compile_inbound(authentication: Authentication, variables: Variables) -> InboundPlan:
    """What to ask callers for. Raises InboundError."""
    required, optional, checks = _FIELDS[authentication.type]
    fields: list[tuple[str, Secret]] = []
    for name in (*required, *optional):
        template = authentication.fields.get(name)
        if template is None or not template.source.strip():
            if name in required:
                raise _missing(authentication.type, name)
            continue
        text = _filled(name, template, variables)
        if not text.strip():
            raise _missing(authentication.type, name)
        fields.append((name, Secret(checks.get(name, _as_it_is)(name, text))))
    for scope in authentication.scopes:
        if not _SCOPE.fullmatch(scope):
            raise InboundError("scopes", "a scope holds a blank or a quote", "list each by itself")
    in_query = authentication.placement == "query"
    return InboundPlan(authentication.type, tuple(fields), in_query, authentication.scopes)


def _filled(name: str, template: Template, variables: Variables) -> str:
    texts: list[str] = []
    for part in template.parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        if not isinstance(part, BindReference):
            raise InboundError(
                name,
                f'"{{{{{part.text}}}}}" in "{name}" names no variable, and what callers have to '
                "know cannot come from a caller",
                "name a variable that is declared under `binds`",
            )
        value = variables.find(part)
        if not value or not value.strip():
            state = "not set" if value is None else "empty"
            raise InboundError(
                name,
                f'"{name}" needs the variable "{part.variable}", which is {state}',
                "set it and start again; an adapter that asks for authentication is never "
                "served without",
            )
        texts.append(value)
    text = "".join(texts)
    if template.literal is not None and text.strip() in variables.declared:
        raise InboundError(
            name,
            f'"{name}" is the name of a variable, not its value',
            f"write {{{{{text.strip()}}}}} for the value; whoever reads the file knows the name",
        )
    return text


def _missing(type_: AuthenticationType, name: str) -> InboundError:
    return InboundError(
        name,
        f'authentication of type "{type_}" has no "{name}" to compare with',
        f"add {name}, as a rule a variable such as {{{{API_SECRET}}}}",
    )


# Checks of fields: each returns the text to compare with, or raises InboundError.


def _as_it_is(name: str, text: str) -> str:
    return text


def _header_text(name: str, text: str) -> str:
    """Text that a caller can send in a header, which has no blanks at its ends (files of secrets
    often end in a line break)."""
    text = text.strip()
    if not text or _CONTROL.search(text):
        message = f'"{name}" holds a line break or a control character, which no caller can send'
        raise InboundError(name, message, "give it as one line of text")
    return text


def _field_name(name: str, text: str) -> str:
    text = text.strip()
    if not NAME.fullmatch(text) or text.lower() in RESERVED:
        message = f'"{text[:60]}" is not a name that a key can be sent under'
        raise InboundError(name, message, "give a name such as X-API-Key")
    return text


def _username(name: str, text: str) -> str:
    if ":" in text or _CONTROL.search(text):
        message = '"username" holds a colon or a control character (RFC 7617, section 2)'
        raise InboundError(name, message, "give another user name")
    return text


def _password(name: str, text: str) -> str:
    text = text.rstrip("\r\n")
    if not text or _CONTROL.search(text):
        message = '"password" holds a line break or a control character'
        raise InboundError(name, message, "give it as one line of text")
    return text


def _secure(name: str, text: str) -> str:
    return _uri(name, text.strip(), check_secure_uri)


def _resource(name: str, text: str) -> str:
    return _uri(name, text.strip(), check_resource_uri)


def _uri(name: str, text: str, check: Callable[[str], str]) -> str:
    try:
        return check(text)
    except UriError as error:
        clause, _, remedy = str(error).partition(" - ")
        raise InboundError(name, f'"{name}" {clause}', remedy or "correct it") from None


def _validation(name: str, text: str) -> str:
    if text not in ("jwks", "introspection"):
        raise InboundError(name, f'"{text[:60]}" validates no token', "jwks or introspection")
    return text


_Checks = Mapping[str, Callable[[str, str], str]]

_USER: Final[_Checks] = {"username": _username, "password": _password}

_FIELDS: Final[Mapping[AuthenticationType, tuple[tuple[str, ...], tuple[str, ...], _Checks]]] = {
    AuthenticationType.BEARER: (("token",), (), {"token": _header_text}),
    AuthenticationType.API_KEY: (
        ("key", "value"),
        (),
        {"key": _field_name, "value": _header_text},
    ),
    AuthenticationType.BASIC: (("username", "password"), (), _USER),
    AuthenticationType.DIGEST: (("username", "password"), (), _USER),
    AuthenticationType.OAUTH2: (
        ("authorizationServerUri", "resource"),
        ("audience", "tokenEndpoint", "tokenValidation", "clientId", "clientSecret"),
        {
            "authorizationServerUri": _secure,
            "resource": _resource,
            "tokenEndpoint": _secure,
            "tokenValidation": _validation,
            "clientId": _header_text,
            "clientSecret": _header_text,
        },
    ),
}
"""The fields that each type needs, those that it may have, and what they must be."""
