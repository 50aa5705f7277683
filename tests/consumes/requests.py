"""Requests for tests, as the plan would build them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.failures import CallFailed, Failure
from naftiko_runtime.plan.operation import UpstreamRequest

SECRET = "c4n4ry"


def request(
    url: str,
    method: str = "GET",
    headers: Sequence[tuple[str, str]] = (),
    content: bytes | None = None,
) -> UpstreamRequest:
    return UpstreamRequest("gateway", "gateway.list", method, url, headers, content)


def secret_request(origin: str, method: str = "GET") -> UpstreamRequest:
    """A request with a secret in every place but the origin."""
    url = f"{origin}/{SECRET}?key={SECRET}"
    headers = [("Authorization", f"Bearer {SECRET}"), ("Cookie", f"session={SECRET}")]
    return request(url, method, headers, SECRET.encode() if method == "POST" else None)


async def failing(upstreams: HttpUpstreams, sent: UpstreamRequest) -> Failure:
    """The failure of a request that must fail, checked to show nothing of its secrets."""
    with pytest.raises(CallFailed) as caught:
        await upstreams.send(sent)
    failure = caught.value.failure
    assert SECRET not in failure.detail
    assert '"gateway.list"' in failure.detail
    assert sent.method in failure.detail
    return failure
