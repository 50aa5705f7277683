"""The settings that are shipped for the gateway keep calls within what it takes."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2

from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.server import running_gateway
from tests.capabilities.shipped import FOLDER
from tests.serving_process import serve


def test_a_burst_of_calls_is_spread_over_the_seconds_that_the_gateway_asks_for(
    tmp_path: Path,
) -> None:
    for name in ("web-contracts.yaml", "runtime.yaml"):
        shutil.copy(FOLDER / name, tmp_path)
    with running_gateway(PaperGateway(pacing=1)) as running:
        options = [
            f"--ca={running.certificate_path}",
            f"--base-uri=web-contracts={running.base_uri}",
        ]
        with (
            serve(tmp_path, options=options, ports=(8080, 9090, 9099)) as serving,
            httpx2.Client(base_url=serving.rest(), timeout=30) as http,
            ThreadPoolExecutor(24) as callers,
        ):

            def search(_: int) -> int:
                found = http.post("/v1/iserver/secdef/search", json={"symbol": "AAPL"})
                return found.status_code

            assert list(callers.map(search, range(24))) == [200] * 24
        assert running.gateway.pacing.refused == 0
