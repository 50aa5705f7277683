"""`python -m examples.paper_gateway`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import sys
import tempfile
from pathlib import Path

from examples.paper_gateway.certificate import Certificate, certificate_in
from examples.paper_gateway.faults import Fault, FaultError, parse_faults
from examples.paper_gateway.gate import API
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.server import GatewayServer, listen, url_of
from examples.paper_gateway.session import ACCOUNT


def _faults(text: str) -> list[Fault]:
    try:
        return parse_faults(text)
    except FaultError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _scale(text: str) -> float:
    scale = 0.0 if text == "off" else float(text)
    if not 0 <= scale < float("inf"):
        raise argparse.ArgumentTypeError("the scale must not be negative")
    return scale


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.paper_gateway",
        description="Simulate Interactive Brokers' Client Portal Gateway with play money.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=5000, help="port, 0 for a free one (default: %(default)s)")
    add("--seed", type=int, default=1, help="another seed gives other prices and ids")
    add("--pacing", type=_scale, default=1.0, metavar="SCALE",
        help="limits so many times as generous as the gateway's, or off (default: 1)")  # fmt: skip
    add("--faults", type=_faults, default=[], metavar="LIST",
        help="faults to begin with, for example 503*2,slow=1@/portfolio/*")  # fmt: skip
    add("--positions", type=int, default=0, metavar="N",
        help="made-up stocks that the account holds at the start")  # fmt: skip
    add("--logged-out", action="store_true", help="wait for a login at / or POST /paper/login")
    add("--state", type=Path, metavar="DIR", help="keep the certificate in this folder")
    return parser


def _serve(gateway: PaperGateway, listener: socket.socket, certificate: Certificate) -> None:
    server = GatewayServer(gateway, certificate)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    login = "logged in" if gateway.session.logged_in else "logged out"
    print(
        f"paper gateway ready: {url_of(listener)}{API} account {ACCOUNT}, {login}, "
        f"certificate SHA-256 {certificate.fingerprint}",
        flush=True,
    )
    asyncio.run(server.serve(sockets=[listener]))


def main() -> int:
    options = _parser().parse_args()
    gateway = PaperGateway(
        seed=options.seed,
        pacing=options.pacing,
        logged_in=not options.logged_out,
        fillers=options.positions,
    )
    for fault in options.faults:
        gateway.faults.add(fault)
    with tempfile.TemporaryDirectory(prefix="paper-gateway-") as folder:
        try:
            certificate = certificate_in(options.state or Path(folder))
        except (OSError, ValueError) as error:
            print(f"cannot keep the certificate: {error} - choose another --state", file=sys.stderr)
            return 1
        try:
            listener = listen(options.host, options.port)
        except (OSError, OverflowError) as error:
            where = f"{options.host}:{options.port}"
            print(f"cannot listen on {where}: {error} - choose another --port", file=sys.stderr)
            return 1
        _serve(gateway, listener, certificate)
    return 0


if __name__ == "__main__":
    sys.exit(main())
