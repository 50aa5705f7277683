"""A paper gateway on a free port, with a frozen clock and a client that trusts it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpx2
import pytest

from examples.paper_gateway.clock import AdjustableClock
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.server import running_gateway
from tests.examples.paper import NOON, Paper


@pytest.fixture
def gateway() -> PaperGateway:
    return PaperGateway(clock=AdjustableClock(frozen_at=NOON), pacing=0)


@pytest.fixture
def paper(gateway: PaperGateway) -> Iterator[Paper]:
    """A fresh session: nothing has been called yet."""
    with running_gateway(gateway) as running:
        trust = ssl.create_default_context(cafile=running.certificate_path)
        with httpx2.Client(verify=trust, timeout=60) as http:
            yield Paper(running, http)


@pytest.fixture
def trading(paper: Paper) -> Paper:
    """A session in which everything may be called, and AAPL stands at 230.00 until pinned anew."""
    paper.open_account()
    paper.pin("230.00")
    return paper
