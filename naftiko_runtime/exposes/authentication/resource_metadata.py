"""What protected resources say of themselves (RFC 9728): where callers get tokens for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from naftiko_runtime.document.model import AuthenticationType
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.inbound import InboundPlan

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"


def metadata_url(plan: InboundPlan) -> str:
    """Where the metadata of a resource are (RFC 9728, section 3.1): built of the name that the
    file gives it, never of what a caller calls us."""
    parts = urlsplit(plan.text("resource"))
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{_path(plan)}{query}"


def metadata_pages(
    asked: Iterable[InboundPlan | None], endpoints: Iterable[str] = ()
) -> Mapping[str, bytes]:
    """The documents of all resources behind a port, by path.

    Each is at the path that follows from its name. Clients that do not know the name look at the
    root and below it at the path that they call, one of `endpoints`: there the first one is.
    """
    plans = [plan for plan in asked if plan is not None and plan.type is AuthenticationType.OAUTH2]
    pages: dict[str, bytes] = {}
    for plan in plans:
        pages.setdefault(_path(plan), _document(plan))
    for path in (WELL_KNOWN, *(WELL_KNOWN + endpoint for endpoint in endpoints)):
        if plans:
            pages.setdefault(path, _document(plans[0]))
    return pages


def _path(plan: InboundPlan) -> str:
    return WELL_KNOWN + urlsplit(plan.text("resource")).path.rstrip("/")


def _document(plan: InboundPlan) -> bytes:
    document: dict[str, JsonValue] = {
        "resource": plan.text("resource"),
        "authorization_servers": [plan.text("authorizationServerUri")],
        "bearer_methods_supported": ["header"],
    }
    if plan.scopes:
        document["scopes_supported"] = list(plan.scopes)
    return encode_json(document)
