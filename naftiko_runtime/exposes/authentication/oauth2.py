"""An OAuth 2.1 resource server: access tokens that an authorization server has issued."""

from __future__ import annotations

import logging
from typing import Final

from naftiko_runtime.consumes.authorization_server import AuthorizationServerError, Client
from naftiko_runtime.consumes.messages import Upstreams
from naftiko_runtime.exposes.authentication.caller import Caller, without_authorization
from naftiko_runtime.exposes.authentication.claims import Expected, TokenRefused
from naftiko_runtime.exposes.authentication.keys import IssuerKeys
from naftiko_runtime.exposes.authentication.resource_metadata import metadata_url
from naftiko_runtime.exposes.authentication.scheme import (
    Headers,
    Passed,
    Refused,
    Verdict,
    missing,
)
from naftiko_runtime.exposes.authentication.token_validation import (
    IntrospectedTokens,
    SignedTokens,
    Validation,
)
from naftiko_runtime.failures import FailureKind
from naftiko_runtime.http_authentication import quoted, written
from naftiko_runtime.plan.inbound import InboundPlan

_log = logging.getLogger("naftiko.authentication")
_WHAT: Final = 'an access token in "Authorization: Bearer TOKEN"'


class OAuth2Scheme:
    """Tokens come in the Authorization header only: in a query they would end up in logs."""

    def __init__(self, plan: InboundPlan, validation: Validation | None) -> None:
        self._validation = validation
        self._scope = " ".join(plan.scopes)
        self._common = [("resource_metadata", quoted(metadata_url(plan)))]
        if plan.scopes:
            self._common.append(("scope", quoted(self._scope)))

    def presented(self, caller: Caller) -> bytes | None:
        return caller.credentials("bearer")

    async def judge(self, caller: Caller) -> Verdict:
        given = caller.credentials("bearer")
        if given is None:
            return missing(_WHAT, self._challenge())
        if self._validation is None:
            return _unavailable()
        try:
            token = await self._validation.check(given.decode("ascii", "replace"))
        except TokenRefused as reason:
            detail = f"the access token {reason}"
            challenge = self._challenge("invalid_token", detail)
            guess = not reason.genuine
            return Refused(FailureKind.UNAUTHENTICATED, detail, (challenge,), guess=guess)
        except AuthorizationServerError as error:
            _log.warning("tokens cannot be checked: %s", error)
            return _unavailable()
        if token.missing:
            detail = f'the access token lacks the scope "{" ".join(sorted(token.missing))}"'
            challenge = self._challenge("insufficient_scope", detail)
            return Refused(FailureKind.INSUFFICIENT_SCOPE, detail, (challenge,))
        return Passed(token.principal)

    def without_credentials(self, headers: Headers, query: bytes) -> tuple[Headers, bytes]:
        return without_authorization(headers), query

    def _challenge(self, error: str = "", description: str = "") -> str:
        """RFC 6750, section 3; RFC 9728, section 5.1."""
        fields: list[tuple[str, str]] = []
        if error:
            fields.append(("error", quoted(error)))
            fields.append(("error_description", quoted(description.replace('"', "'"))))
        return written("Bearer", [*fields, *self._common])


def _unavailable() -> Refused:
    detail = "the issuer of access tokens does not answer - try again later"
    return Refused(FailureKind.ISSUER_UNAVAILABLE, detail)


def oauth2_scheme(plan: InboundPlan, issuers: Upstreams | None) -> OAuth2Scheme:
    """`issuers` asks authorization servers; without it, no token is valid."""
    return OAuth2Scheme(plan, None if issuers is None else _validation(plan, issuers))


def _validation(plan: InboundPlan, issuers: Upstreams) -> Validation:
    issuer = plan.text("authorizationServerUri")
    expected = Expected(_audiences(plan), frozenset(plan.scopes))
    if plan.text("tokenValidation", "jwks") == "introspection":
        client = Client(plan.text("clientId"), plan.text("clientSecret"))
        return IntrospectedTokens(issuer, issuers, client, expected)
    return SignedTokens(IssuerKeys(issuer, issuers), expected)


def _audiences(plan: InboundPlan) -> frozenset[str]:
    """The audience that the file gives, else the resource; as the name of a server, that is the
    same with a slash at its end and without (RFC 3986, section 6.2.3)."""
    audience = plan.text("audience")
    if audience:
        return frozenset({audience})
    resource = plan.text("resource").rstrip("/")
    return frozenset({resource, resource + "/"})
