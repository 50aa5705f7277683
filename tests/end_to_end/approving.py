"""A served capability whose orders need a person's approval, and ways to ask for one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.recording_upstream import RecordedRequest, RecordingUpstream, Reply, reply_json
from tests.serving_process import Serving, run_naftiko, serve

PASSWORD = "correct horse battery"
ORDER = {"symbol": "AAPL", "quantity": 5}
PREVIEW = {"commission": "1.02 USD", "total": "938.02 USD"}

_CAPABILITY = """
naftiko: 1.0.0-alpha2
info: {label: Desk, description: Places orders.}
capability:
  consumes:
    - namespace: desk
      type: http
      baseUri: "@"
      resources:
        - name: orders
          path: /orders
          operations:
            - name: place
              method: POST
              body: '{"symbol": "{{symbol}}", "quantity": {{quantity}}}'
            - {name: show, method: GET}
  exposes:
    - type: rest
      port: 8080
      namespace: desk-rest
      resources:
        - path: /orders
          operations:
            - method: POST
              name: place-order
              call: desk.place
              inputParameters:
                - {name: symbol, in: body, type: string}
                - {name: quantity, in: body, type: integer}
            - {method: GET, name: list-orders, call: desk.show}
    - type: mcp
      port: 9090
      namespace: desk-tools
      tools:
        - name: place-order
          description: Places an order.
          call: desk.place
          inputParameters:
            - {name: symbol, type: string, description: What., required: true}
            - {name: quantity, type: integer, description: How many., required: true}
"""
SETTINGS = """
guards:
  - match: "*.place"
    approve: {expires: 60s, preview: /whatif}
approvals: {port: 9099, password: "correct horse battery"}
"""


@dataclass(frozen=True, slots=True)
class Floor:
    """A running process, its folder, and the upstream that it orders at."""

    serving: Serving
    folder: Path
    upstream: RecordingUpstream
    env: Mapping[str, str]

    @property
    def page(self) -> str:
        """The address of the approval page, without a slash at its end."""
        link = str(self.serving.wait_for_event("approvals")["url"])
        return link.partition("?")[0].rstrip("/")

    @property
    def orders(self) -> list[Any]:
        """What was ordered at the upstream."""
        return [
            request.json()
            for request in self.upstream.requests
            if request.method == "POST" and request.path == "/orders"
        ]

    def place(self, order: Mapping[str, Any] = ORDER) -> httpx2.Response:
        """Asks for an order over REST."""
        url = self.serving.rest() + "/orders"
        return httpx2.post(url, json=dict(order), timeout=60, trust_env=False)

    def park(self, order: Mapping[str, Any] = ORDER) -> str:
        """Asks for an order, and returns the id of its approval."""
        response = self.place(order)
        assert response.status_code == 428, response.text
        return str(response.json()["approval"]["id"])

    def command(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Runs `naftiko` as the user who started the process: exit code, output, errors."""
        done = run_naftiko(*arguments, env=self.env)
        return done.returncode, done.stdout, done.stderr


@contextmanager
def trading_floor(folder: Path, settings: str = SETTINGS, **env: str) -> Iterator[Floor]:
    with an_upstream() as upstream:
        served = write_capability(folder, upstream, settings)
        env = {"NAFTIKO_RUNTIME_DIR": str(folder / "running"), **env}
        with serve(served, env=env, ports=(8080, 9090, 9099)) as serving:
            yield Floor(serving, served, upstream, env)


@contextmanager
def an_upstream() -> Iterator[RecordingUpstream]:
    """One that takes orders, and previews them."""
    with RecordingUpstream() as upstream:
        upstream.answers(_answer)
        yield upstream


def write_capability(folder: Path, upstream: RecordingUpstream, settings: str) -> Path:
    """The folder to serve."""
    served = folder / "capabilities"
    served.mkdir(exist_ok=True)
    (served / "desk.yaml").write_text(_CAPABILITY.replace("@", upstream.url))
    (served / "runtime.yaml").write_text(settings)
    return served


def settings_with(port: int) -> str:
    """The settings with the approval page on this port."""
    return SETTINGS.replace("9099", str(port))


def _answer(request: RecordedRequest) -> Reply:
    if request.path == "/orders/whatif":
        return reply_json(PREVIEW)
    if request.method == "GET":
        return reply_json([])
    return reply_json({"order": 17, "sent": json.loads(request.body)}, 201)
