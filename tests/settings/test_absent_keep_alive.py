"""A session is kept open only where something of its upstream is served."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.capability_text import capability
from tests.serving_process import run_naftiko

SETTINGS = """\
upstreams:
  tides: {keep-alive: {call: tides.tickle, every: 60s}}
"""


@pytest.mark.parametrize(("served", "code"), [("tides", 1), ("winds", 0)])
def test_a_call_that_is_not_there_is_an_error_where_its_upstream_is(
    tmp_path: Path, served: str, code: int
) -> None:
    (tmp_path / "runtime.yaml").write_text(SETTINGS)
    (tmp_path / "served.yaml").write_text(capability(served, "https://api.example.com"))
    done = run_naftiko("validate", tmp_path)
    assert done.returncode == code, done.stdout
    assert ("names no consumed operation" in done.stdout) is (served == "tides")


ORDERING = """\
naftiko: 1.0.0-alpha2
info: {label: Shop, description: A shop.}
capability:
  consumes:
    - namespace: shop
      type: http
      baseUri: https://api.example.com
      resources:
        - name: orders
          path: /orders
          operations:
            - {name: list, method: GET}
            - {name: place, method: POST}
            - {name: cancel-all, method: DELETE}
            - {name: search, method: POST, semantics: {safe: true}}
            - name: deleted
              method: GET
              inputParameters: [{name: X-HTTP-Method-Override, in: header, value: DELETE}]
  exposes:
    - type: rest
      port: 8080
      namespace: rest
      resources:
        - path: /orders
          operations: [{method: GET, call: shop.list}]
"""


@pytest.mark.parametrize(
    ("call", "more", "code"),
    [
        ("list", "", 0),
        ("search", "", 0),
        ("place", "", 1),
        ("place", ", safe: false", 1),
        ("place", ", safe: true", 0),
        ("cancel-all", ", safe: true", 1),
        ("deleted", ", safe: true", 1),
    ],
)
def test_nothing_that_can_change_something_is_called_on_schedule(
    tmp_path: Path, call: str, more: str, code: int
) -> None:
    settings = f"upstreams: {{shop: {{keep-alive: {{call: shop.{call}, every: 1m{more}}}}}}}\n"
    (tmp_path / "runtime.yaml").write_text(settings)
    (tmp_path / "shop.yaml").write_text(ORDERING)
    done = run_naftiko("validate", tmp_path)
    assert done.returncode == code, done.stdout
    assert ("keep-alive" in done.stdout and "can change something" in done.stdout) is (code == 1)
