"""REST adapters that ask for authentication, behind real sockets."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.document.model import AuthenticationType
from naftiko_runtime.exposes.authentication import Gatekeeper
from naftiko_runtime.plan.inbound import InboundPlan
from naftiko_runtime.plan.operation import RestAdapterPlan, RestOperationPlan
from tests.exposes.rest.listener import Answered, Listener, listening
from tests.exposes.rest.plans import adapter, served

TOKEN = "correct-horse-battery"
"""The secret of every scheme here, which no answer may hold."""

USER = "mireille"


def asking(
    kind: str, *, in_query: bool = False, scopes: tuple[str, ...] = (), **fields: str
) -> InboundPlan:
    """What an adapter asks; fields under the names of the file."""
    secrets = tuple((name, Secret(value)) for name, value in fields.items())
    return InboundPlan(AuthenticationType(kind), secrets, in_query, scopes)


BEARER = asking("bearer", token=TOKEN)
BASIC = asking("basic", username=USER, password=TOKEN)
DIGEST = asking("digest", username=USER, password=TOKEN)
HEADER_KEY = asking("apikey", key="X-Dock-Key", value=TOKEN)
QUERY_KEY = asking("apikey", in_query=True, key="dock_key", value=TOKEN)


def guarded(
    plan: InboundPlan | None, *operations: RestOperationPlan, namespace: str = "ships-rest"
) -> RestAdapterPlan:
    """An adapter whose callers have to pass `plan`; `GET /ships` unless a test says otherwise."""
    parts = operations or (served("GET", "/ships"),)
    return replace(adapter(*parts, namespace=namespace), authentication=plan)


@contextmanager
def guarding(
    plan: InboundPlan, *operations: RestOperationPlan, gatekeeper: Gatekeeper | None = None
) -> Iterator[Listener]:
    with listening(guarded(plan, *operations), gatekeeper=gatekeeper) as listener:
        yield listener


def challenges(answered: Answered) -> list[str]:
    return [value for name, value in answered.headers if name.lower() == "www-authenticate"]


def refused(answered: Answered) -> list[str]:
    """The challenges of a 401, checked to be one that shows no secret."""
    answered.problem(401, "unauthenticated")
    assert TOKEN.encode() not in answered.body
    assert challenges(answered)
    assert TOKEN not in "".join(challenges(answered))
    return challenges(answered)


def basic(user: str, password: str) -> dict[str, str]:
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
