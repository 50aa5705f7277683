"""Capability files that forward, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import yaml


def forwarding(
    base_uri: str,
    *,
    path: str = "/proxy/{path}",
    trusted: Sequence[str] = (),
    target: str = "up",
    resources: Sequence[Mapping[str, Any]] = (),
    parameters: Sequence[Mapping[str, Any]] = (),
    authentication: Mapping[str, Any] | None = None,
    asked: Mapping[str, Any] | None = None,
    binds: Sequence[Mapping[str, Any]] = (),
    inputs: Sequence[Mapping[str, Any]] = (),
    described: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """A file whose resource at `path` forwards to `up`. `resources` come before it, `parameters`
    and `authentication` are the upstream's, `asked` is the adapter's own authentication. `inputs`
    and `described` are the forwarding resource's own."""
    forward: dict[str, Any] = {"targetNamespace": target}
    if trusted:
        forward["trustedHeaders"] = list(trusted)
    consumed: dict[str, Any] = {
        "type": "http",
        "namespace": "up",
        "baseUri": base_uri,
        "resources": [
            {"name": "ping", "path": "/ping", "operations": [{"name": "ping", "method": "GET"}]}
        ],
    }
    if parameters:
        consumed["inputParameters"] = [dict(each) for each in parameters]
    if authentication:
        consumed["authentication"] = dict(authentication)
    resource: dict[str, Any] = {"path": path, **described, "forward": forward}
    if inputs:
        resource["inputParameters"] = [
            {"type": "string", "description": "given", **each} for each in inputs
        ]
    exposed: dict[str, Any] = {
        "type": "rest",
        "namespace": "api",
        "port": 8080,
        "resources": [*(dict(each) for each in resources), resource],
    }
    if asked:
        exposed["authentication"] = dict(asked)
    document: dict[str, Any] = {
        "naftiko": "1.0.0-alpha2",
        "info": {"label": "Forwarding", "description": "Passes on."},
        "capability": {"consumes": [consumed], "exposes": [exposed]},
    }
    if binds:
        document["binds"] = [dict(each) for each in binds]
    return yaml.safe_dump(document, sort_keys=False)


def operation(path: str, method: str = "GET") -> dict[str, Any]:
    """A resource with one operation, which calls `up.ping`."""
    called = {"name": "ping", "method": method, "call": "up.ping"}
    return {"path": path, "name": "ping", "operations": [called]}
