"""Fixtures for tests of upstream calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.consumes.trust import TrustStore

LOOPS = {"asyncio": {}, "uvloop": {"use_uvloop": True}}
if find_spec("uvloop") is None:
    del LOOPS["uvloop"]

Opener = Callable[..., AbstractAsyncContextManager[HttpUpstreams]]


@pytest.fixture(params=LOOPS)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Every test runs on each event loop that the runtime may run on."""
    return "asyncio", LOOPS[request.param]


@pytest.fixture
def trust(tmp_path: Path) -> TrustStore:
    return TrustStore(tmp_path / "trust")


@pytest.fixture
def client(trust: TrustStore) -> Opener:
    """`async with client(timeout=1.0) as upstreams` with any of UpstreamSettings."""

    @asynccontextmanager
    async def opened(**settings: object) -> AsyncIterator[HttpUpstreams]:
        upstreams = HttpUpstreams(UpstreamSettings(**{"trust": trust, **settings}))  # type: ignore[arg-type]
        try:
            yield upstreams
        finally:
            await upstreams.aclose()

    return opened
