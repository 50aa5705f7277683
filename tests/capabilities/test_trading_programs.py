"""Client programs run against the trading API as they are, and print what they should."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.paper_gateway.gateway import PaperGateway
from tests.capabilities.trading import Trading, trading
from tests.serving_process import ROOT, clean_environment

SECONDS = 60
FIRST_ID = 1788680597
"""The order id that the published shell program cancels."""
EXAMPLES = ROOT / "examples" / "trading_clients"


def run(*command: str | Path, cwd: Path | None = None) -> list[str]:
    """The lines that a program prints, which has to end well."""
    done = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


# --- the project's own ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trading]:
    with trading(tmp_path_factory.mktemp("own")) as running:
        running.pin("230.00")
        yield running


@pytest.mark.parametrize("program", ["trade.py", "trade.mjs"])
def test_an_example_trades(own: Trading, program: str) -> None:
    interpreter = sys.executable if program.endswith(".py") else tool("node")
    lines = run(interpreter, EXAMPLES / program, own.serving.rest(8000), cwd=ROOT)
    assert re.fullmatch(r"equity [\d,]+\.\d\d, to spend [\d,]+\.\d\d", lines[0])
    order = own.placed()[-1]
    assert lines[1:] == [
        "✅ Limit order sent",
        "it is pending",
        f"✅ Order {order.order_id} cancelled",
        "Failed to place limit order: Could not qualify contract for symbol: NO SUCH THING",
    ]
    assert not order.live


def test_the_example_for_the_shell_trades(own: Trading) -> None:
    tool("curl")
    shell = tool("sh")
    lines = run(shell, EXAMPLES / "trade.sh", own.serving.rest(8000), cwd=ROOT)
    account, placed, orders, cancelled, refused = map(json.loads, lines)
    order = own.placed()[-1]
    assert set(account) == {"balance", "cash"}
    assert placed == {"status": "✅ Limit order sent", "permId": order.order_id}
    assert order.order_id in [each["permId"] for each in orders["orders"]]
    assert cancelled == {"status": f"✅ Order {order.order_id} cancelled"}
    assert refused["detail"].endswith("for symbol: NO SUCH THING")


# --- those of the published description ------------------------------------------------------


@pytest.fixture(scope="module")
def programs(shared: Path) -> dict[str, str]:
    """The three client programs of the description by language, cut out of its text."""
    text = (shared / "seeds" / "trading-api.txt").read_text(encoding="utf-8")
    python = text[text.index("import requests\nBASE_URL") :]
    python, _, rest = python.partition("const axios")
    script, _, rest = ("const axios" + rest).partition("# Get account\ncurl")
    end = "-d '{\"perm_id\": 1788680597}'"
    shell = "# Get account\ncurl" + rest[: rest.index(end) + len(end)] + "\n"
    return {"python": python, "javascript": script, "shell": shell}


@pytest.fixture
def published(tmp_path: Path) -> Iterator[Trading]:
    """Served on port 8000 itself, which is written in the programs, by one test at a time."""
    with (Path(tempfile.gettempdir()) / "naftiko-test-port-8000").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield from _published(tmp_path)


def _published(tmp_path: Path) -> Iterator[Trading]:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8000))
        except OSError:
            pytest.skip("port 8000, which is written in the programs, is taken")
    gateway = PaperGateway(pacing=0)
    gateway.book._next_id = FIRST_ID
    with trading(tmp_path, gateway, ports=(9090,)) as running:
        running.pin("232.00")
        yield running


@pytest.mark.xdist_group("port 8000")
@pytest.mark.parametrize("language", ["python", "javascript"])
def test_a_published_program_runs_unmodified(
    published: Trading, programs: dict[str, str], language: str, tmp_path: Path
) -> None:
    if language == "python":
        program = tmp_path / "program.py"
        command: list[str | Path] = [sys.executable, program]
        amount = "1,000,000.00"
    else:
        program = tmp_path / "program.cjs"
        command = [tool("node"), program]
        install_axios(tmp_path)
        amount = "1,000,000"
    program.write_text(programs[language], encoding="utf-8")
    assert run(*command, cwd=tmp_path) == [
        f"Balance: ${amount}",
        f"Cash: ${amount}",
        f"Order placed: {FIRST_ID}",
        "Pending orders: 1",
        f"✅ Order {FIRST_ID} cancelled",
    ]
    (order,) = published.placed()
    assert order.request.client_id == {"python": "python_trade_001"}.get(language, "js_trade_001")
    assert not order.live


def install_axios(folder: Path) -> None:
    """The HTTP client of the published program, from the registry of npm."""
    command = [tool("npm"), "install", "axios@1", "--no-audit", "--no-fund", "--prefer-offline"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=90, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm does not answer, so axios cannot be installed")
    if done.returncode:
        pytest.skip(f"axios cannot be installed: {done.stderr.decode()[-200:]}")


@pytest.mark.xdist_group("port 8000")
def test_the_published_shell_program_runs_unmodified(
    published: Trading, programs: dict[str, str], tmp_path: Path
) -> None:
    tool("curl")
    program = tmp_path / "program.sh"
    program.write_text(programs["shell"], encoding="utf-8")
    printed = "".join(run(tool("bash"), program))
    decoder = json.JSONDecoder()
    answers = []
    while printed:
        answer, end = decoder.raw_decode(printed)
        answers.append(answer)
        printed = printed[end:].lstrip()
    (order,) = published.placed()
    assert answers == [
        {"balance": 1_000_000.0, "cash": 1_000_000.0},
        {"status": "✅ Limit order sent", "permId": FIRST_ID},
        {
            "orders": [
                {
                    "orderId": FIRST_ID,
                    "permId": FIRST_ID,
                    "symbol": "AAPL",
                    "action": "BUY",
                    "quantity": 10,
                    "type": "LMT",
                    "trigger": 230.0,
                    "status": "SUBMITTED",
                }
            ]
        },
        {"status": f"✅ Order {FIRST_ID} cancelled"},
    ]
    assert not order.live
