"""OAuth 2 credentials towards an upstream: the client credentials grant (RFC 6749, section 4.4).

`clientId` and `clientSecret` go beyond the official schema, which has no place for them.
"""

from __future__ import annotations

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.document.model import Authentication, BindReference
from naftiko_runtime.plan.credentials.carried import Carried, compile_field, secret_of
from naftiko_runtime.plan.getters import Compiler
from naftiko_runtime.plan.logins import ClientLogin
from naftiko_runtime.plan.operation import Scope
from naftiko_runtime.plan.secure_uri import UriError, check_secure_uri
from naftiko_runtime.plan.variables import Variables, unset_variable

_SECURE = ("authorizationServerUri", "tokenEndpoint")


def compile_client(authentication: Authentication, compiler: Compiler) -> Carried:
    """Raises ValueError for what no token can be asked for with: no client, or an address that a
    secret is not to be sent to."""
    for key in ("clientId", "clientSecret"):
        if key not in authentication.fields:
            raise ValueError(
                f'oauth2 towards an upstream needs "{key}" to ask for tokens with - add clientId '
                "and clientSecret beside authorizationServerUri"
            )
    client_id = compile_field(authentication, "clientId", compiler)
    client_secret = compile_field(authentication, "clientSecret", compiler)
    unset: list[BindReference] = []
    texts = {
        key: _fixed(authentication, key, compiler.variables, unset)
        for key in (*_SECURE, "audience", "resource")
    }

    def login(scope: Scope) -> ClientLogin | None:
        name, word = client_id(scope), client_secret(scope)
        if name is None or word is None:
            return None
        if unset:
            raise unset_variable(unset[0])
        return ClientLogin(
            issuer=texts["authorizationServerUri"],
            token_endpoint=texts["tokenEndpoint"],
            client_id=name,
            client_secret=Secret(word),
            scopes=authentication.scopes,
            audience=texts["audience"],
            resource=texts["resource"],
        )

    return Carried("Authorization", False, lambda scope: None, secret_of(client_secret), login)


def _fixed(
    authentication: Authentication, key: str, variables: Variables, unset: list[BindReference]
) -> str:
    """A field that variables alone may fill: a caller must not say who gets the client's secret.
    Variables that are not set are added to `unset`. Raises ValueError."""
    template = authentication.fields.get(key)
    texts: list[str] = []
    for part in () if template is None else template.parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        if not isinstance(part, BindReference):
            raise ValueError(
                f'"{{{{{part.text}}}}}" in "{key}" names no variable - callers cannot choose where '
                "tokens come from"
            )
        value = variables.find(part)
        if value is None:
            unset.append(part)
        texts.append(value or "")
    text = "".join(texts).strip()
    if key in _SECURE and text and not unset:
        try:
            return check_secure_uri(text)
        except UriError as error:
            raise ValueError(f'"{key}" {error}') from None
    return text
