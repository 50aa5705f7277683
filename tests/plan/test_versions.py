"""The version of an operation is that of all text that it is made of."""

from __future__ import annotations

from pathlib import Path

from naftiko_runtime.plan.load import load_file

SHARED = """\
naftiko: 1.0.0-alpha2
consumes:
  - namespace: books
    type: http
    baseUri: https://api.example.com
    resources:
      - name: orders
        path: /orders
        operations: [{name: order, method: POST}]
"""

SHOP = """\
naftiko: 1.0.0-alpha2
info: {label: Shop, description: A shop.}
capability:
  consumes: [{import: books, location: ./shared.yaml}]
  exposes:
    - type: mcp
      port: 9090
      namespace: tools
      tools: [{name: order, description: Orders., call: books.order}]
"""


def version(folder: Path) -> str:
    loaded = load_file(folder / "shop.yaml", {}, {})
    assert loaded.plan is not None, loaded.problems
    (adapter,) = loaded.plan.mcp
    (tool,) = adapter.tools
    return tool.operation.version


def test_a_change_of_an_imported_file_makes_another_version(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP)
    (tmp_path / "shared.yaml").write_text(SHARED)
    before = version(tmp_path)
    assert version(tmp_path) == before
    (tmp_path / "shared.yaml").write_text(SHARED.replace("/orders", "/other-orders"))
    assert version(tmp_path) != before
    (tmp_path / "shared.yaml").write_text(SHARED)
    assert version(tmp_path) == before
