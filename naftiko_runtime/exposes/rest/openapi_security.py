"""Describes what adapters ask of their callers as security schemes (OpenAPI 3.1, 4.8.27)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from naftiko_runtime.document.model import AuthenticationType
from naftiko_runtime.exposes.rest.table import RestTable
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.inbound import InboundPlan

Object = dict[str, JsonValue]


class SecuritySchemes:
    """The schemes of a document: named by their type, numbered where one type is asked for with
    several secrets."""

    def __init__(self, table: RestTable) -> None:
        self._names: dict[InboundPlan, str] = {}
        adapters = [operation.adapter for operation in table.operations]
        adapters += [forward.adapter for forward in table.forwards.served]
        for adapter in adapters:
            plan = adapter.authentication
            if plan is not None and plan not in self._names:
                count = 1 + sum(known.type is plan.type for known in self._names)
                self._names[plan] = plan.type.value if count == 1 else f"{plan.type.value}-{count}"

    def described(self) -> Object:
        """`components.securitySchemes`."""
        return {name: _DESCRIBED[plan.type](plan) for plan, name in self._names.items()}

    def required(self, plan: InboundPlan) -> list[JsonValue]:
        """`security` of an operation whose adapter asks for this."""
        return [{self._names[plan]: list(plan.scopes)}]


def _http(scheme: str) -> Callable[[InboundPlan], Object]:
    return lambda plan: {"type": "http", "scheme": scheme}


def _api_key(plan: InboundPlan) -> Object:
    place = "query" if plan.in_query else "header"
    return {"type": "apiKey", "in": place, "name": plan.text("key")}


def _oauth2(plan: InboundPlan) -> Object:
    """The flow whose token endpoint the file names (AuthOAuth2, `tokenEndpoint`)."""
    issuer = plan.text("authorizationServerUri")
    flow: Object = {
        "tokenUrl": plan.text("tokenEndpoint", issuer),
        "scopes": dict.fromkeys(plan.scopes, ""),
    }
    return {
        "type": "oauth2",
        "description": f"Access tokens of {issuer} for {plan.text('resource')}.",
        "flows": {"clientCredentials": flow},
    }


_DESCRIBED: Final[Mapping[AuthenticationType, Callable[[InboundPlan], Object]]] = {
    AuthenticationType.BEARER: _http("bearer"),
    AuthenticationType.BASIC: _http("basic"),
    AuthenticationType.DIGEST: _http("digest"),
    AuthenticationType.API_KEY: _api_key,
    AuthenticationType.OAUTH2: _oauth2,
}
