"""The schemes by the type that a file names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from naftiko_runtime.consumes.messages import Upstreams
from naftiko_runtime.document.model import AuthenticationType
from naftiko_runtime.exposes.authentication.api_key import ApiKeyScheme
from naftiko_runtime.exposes.authentication.basic import BasicScheme
from naftiko_runtime.exposes.authentication.bearer import BearerScheme
from naftiko_runtime.exposes.authentication.digest import DigestScheme
from naftiko_runtime.exposes.authentication.scheme import Scheme
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.inbound import InboundPlan


@dataclass(frozen=True, slots=True)
class Means:
    """What schemes are made with: a client to ask authorization servers, None where none may be
    asked, and the key that all processes of a service share."""

    issuers: Upstreams | None
    key: bytes


def _oauth2(plan: InboundPlan, means: Means) -> Scheme:
    # Cryptography takes long to import, and most files do without.
    from naftiko_runtime.exposes.authentication.oauth2 import oauth2_scheme

    return oauth2_scheme(plan, means.issuers)


SCHEMES: Final[Mapping[AuthenticationType, Callable[[InboundPlan, Means], Scheme]]] = {
    AuthenticationType.BEARER: lambda plan, means: BearerScheme(plan),
    AuthenticationType.API_KEY: lambda plan, means: ApiKeyScheme(plan),
    AuthenticationType.BASIC: lambda plan, means: BasicScheme(plan),
    AuthenticationType.DIGEST: lambda plan, means: DigestScheme(plan, means.key),
    AuthenticationType.OAUTH2: _oauth2,
}
