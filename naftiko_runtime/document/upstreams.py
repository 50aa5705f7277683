"""The upstreams that a file consumes: operations, bodies and credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from naftiko_runtime.document.node import Node
from naftiko_runtime.document.parameters import (
    ConsumedParameter,
    OutputParameter,
    ParameterPlace,
)
from naftiko_runtime.document.values import Template, Value
from naftiko_runtime.lazy_dataclasses import dataclass


class AuthenticationType(StrEnum):
    BASIC = "basic"
    BEARER = "bearer"
    API_KEY = "apikey"
    DIGEST = "digest"
    OAUTH2 = "oauth2"


@dataclass(frozen=True, slots=True)
class Authentication(Node):
    """Authentication: credentials towards an upstream, or what an adapter asks of its callers."""

    type: AuthenticationType
    fields: Mapping[str, Template] = field(default_factory=dict)
    """username, password, token, key, value, audience, tokenEndpoint, ... as templates."""
    placement: str = "header"
    scopes: tuple[str, ...] = ()


class BodyType(StrEnum):
    JSON = "json"
    TEXT = "text"
    XML = "xml"
    SPARQL = "sparql"
    FORM = "formUrlEncoded"
    MULTIPART = "multipartForm"
    RAW = "raw"
    """A bare string: text that is sent as JSON."""


@dataclass(frozen=True, slots=True)
class RequestBody(Node):
    """RequestBody. `data` is None where the file gives none (a published `data: null`)."""

    type: BodyType
    data: Value | None


@dataclass(frozen=True, slots=True)
class ConsumedOperation(Node):
    """ConsumedHttpOperation with what its resource and adapter add.

    `parameters` are those of adapter, resource and operation, the most specific of a name and
    place winning. `url_path` starts with one slash or is empty; its placeholders are
    InputReferences (or BindReferences).
    """

    namespace: str
    name: str
    method: str
    url_path: Template
    parameters: tuple[ConsumedParameter, ...] = ()
    body: RequestBody | None = None
    raw_format: str | None = None
    """`outputRawFormat`; None where the file is silent, which reads as JSON but checks nothing."""
    output_schema: str | None = None
    outputs: tuple[OutputParameter, ...] = ()
    description: str = ""
    declared_safe: bool | None = None
    """`semantics.safe`: whether it changes nothing, where the method does not say so."""

    @property
    def reference(self) -> str:
        return f"{self.namespace}.{self.name}"

    @property
    def leaves_body_open(self) -> bool:
        """Whether the file says nothing of the body; published files write this as `type: json`
        without `data` too."""
        if any(parameter.location is ParameterPlace.BODY for parameter in self.parameters):
            return False
        return self.body is None or (self.body.type is BodyType.JSON and self.body.data is None)


@dataclass(frozen=True, slots=True)
class Consumes(Node):
    """ConsumesHttp: one upstream."""

    namespace: str
    base_uri: Template
    operations: Mapping[str, ConsumedOperation]
    parameters: tuple[ConsumedParameter, ...] = ()
    authentication: Authentication | None = None
    description: str = ""
