"""The whole thing on one machine: the paper gateway, and the runtime with `capabilities/`.

`python -m examples.quickstart` starts both, says what to try, and stops both on Ctrl+C.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STOP_SECONDS = 15


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.quickstart", description=__doc__)
    for name, port in (("gateway", 5000), ("rest", 8080), ("trading", 8000), ("mcp", 9090)):
        parser.add_argument(
            f"--{name}-port", type=int, default=port, help=f"for the {name} (default: %(default)s)"
        )
    return parser


class Children:
    """The two processes: started in order, stopped together."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[str]] = []

    def start(self, arguments: Sequence[str], *, until: str) -> bool:
        """Starts a Python module and shows what it prints; True once a line begins with `until`,
        False when it ended before."""
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._running.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith(until):
                return True
        return False

    def follow(self) -> None:
        """Shows what the last one prints, until it ends."""
        output = self._running[-1].stdout
        assert output is not None
        for line in output:
            print(line, end="", flush=True)

    def stop(self) -> None:
        for process in reversed(self._running):
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


def what_to_try(rest: int, trading: int, mcp: int) -> str:
    """Commands to copy, one for each surface."""
    base, account = f"http://127.0.0.1:{rest}", "DU1234567"
    small = f"http://127.0.0.1:{trading}"
    buy = '{"symbol":"AAPL","action":"BUY","quantity":10,"limit_price":230,"order_ref":"first-2"}'
    order = (
        '{"orders":[{"conid":265598,"orderType":"LMT","side":"BUY","quantity":10,'
        '"price":1,"tif":"DAY","cOID":"first-1"}]}'
    )
    json_header = "-H 'content-type: application/json'"
    return f"""
Try, in another terminal:

  sessions     curl -X POST {base}/v1/iserver/auth/status
  accounts     curl {base}/v1/iserver/accounts
  contracts    curl {base}/v1/iserver/secdef/search {json_header} -d '{{"symbol":"AAPL"}}'
  market data  curl '{base}/v1/iserver/marketdata/snapshot?conids=265598&fields=31,84,86'
  orders       curl {base}/v1/iserver/account/{account}/orders {json_header} -d '{order}'
               curl {base}/v1/iserver/account/orders
  portfolio    curl {base}/v1/portfolio/accounts
               curl {base}/v1/portfolio/{account}/summary
  combined     curl {base}/iserver/accounts
  trading      curl {small}/account
               curl {small}/order/limit {json_header} -d '{buy}'
               curl {small}/orders

Read about every operation:  {base}/docs  {small}/docs

Let an AI agent use the tools; the configuration of a client:

  {{"mcpServers": {{"trading": {{"type": "http", "url": "http://127.0.0.1:{mcp}/mcp"}}}}}}

What an agent wants to change waits for your approval, on the page whose address and password stand
above (capabilities/runtime.yaml).

Ctrl+C stops it all. It is play money.
"""


def main() -> int:
    options = _parser().parse_args()
    children = Children()

    def stop(number: int, frame: types.FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)
    with tempfile.TemporaryDirectory(prefix="naftiko-quickstart-") as state:
        try:
            return _run(children, options, state)
        except KeyboardInterrupt:
            return 0
        finally:
            children.stop()


def _run(children: Children, options: argparse.Namespace, state: str) -> int:
    gateway = ["examples.paper_gateway", "--port", str(options.gateway_port), "--state", state]
    if not children.start(gateway, until="paper gateway ready"):
        return 1
    upstream = f"https://localhost:{options.gateway_port}/v1/api"
    runtime = ["naftiko_runtime", "serve", "capabilities", "--ca", str(Path(state) / CERTIFICATE)]
    if options.gateway_port != 5000:
        for namespace in NAMESPACES:
            runtime += ["--base-uri", f"{namespace}={upstream}"]
    ports = ((8080, options.rest_port), (8000, options.trading_port), (9090, options.mcp_port))
    for declared, port in ports:
        runtime += ["--port", f"{declared}={port}"]
    if not children.start(runtime, until="ready"):
        return 1
    print(what_to_try(options.rest_port, options.trading_port, options.mcp_port), flush=True)
    children.follow()
    return 1


CERTIFICATE = "paper-gateway.pem"
NAMESPACES = (
    "web-sessions",
    "web-accounts",
    "web-orders",
    "web-portfolio",
    "web-market-data",
    "web-contracts",
    "interactive-brokers",
    "trading",
)

if __name__ == "__main__":
    sys.exit(main())
