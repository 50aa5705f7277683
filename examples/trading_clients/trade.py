"""A day with the trading API, in Python's standard library alone.

python -m examples.trading_clients.trade [http://127.0.0.1:8000]
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen


class Refused(Exception):
    """What the API says is wrong."""


def call(url: str, body: Any = None) -> Any:
    """The JSON that the API answers; a POST if there is a body. Raises Refused."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except HTTPError as error:
        raise Refused(json.load(error)["detail"]) from None


def main(base: str) -> int:
    account = call(f"{base}/account")
    print(f"equity {account['balance']:,.2f}, to spend {account['cash']:,.2f}")
    reference = f"example-{time.time_ns()}"
    order = {"symbol": "AAPL", "action": "BUY", "quantity": 1, "limit_price": 225.0}
    placed = call(f"{base}/order/limit", order | {"order_ref": reference})
    print(placed["status"])
    pending = [each["permId"] for each in call(f"{base}/orders")["orders"]]
    print("it is pending" if placed["permId"] in pending else "it is not pending any more")
    print(call(f"{base}/order/cancel", {"perm_id": placed["permId"]})["status"])
    try:
        call(f"{base}/order/limit", order | {"symbol": "NO SUCH THING"})
    except Refused as refused:
        print(refused)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or ["http://127.0.0.1:8000"]))
