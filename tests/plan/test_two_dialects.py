"""One capability in both dialects sends the same requests."""

from __future__ import annotations

from decimal import Decimal

import pytest

from naftiko_runtime.json_values import JsonValue
from tests.loaded_calls import (
    Given,
    build,
    load_call,
)
from tests.plan.calls import SECRET, as_text

SPECIFICATION = """
naftiko: 1.0.0-alpha2
binds:
  - namespace: vault
    keys: {API_TOKEN: API_TOKEN}
capability:
  consumes:
    - type: http
      namespace: orders
      baseUri: https://api.example.com/v1
      authentication: {type: bearer, token: "{{API_TOKEN}}"}
      resources:
        - name: orders
          path: /account/{{accountId}}/orders
          operations:
            - name: place
              method: POST
              inputParameters:
                - {name: dryRun, in: query}
                - {name: X-Trace, in: header}
              body: {type: json, data: {order: "{{order}}"}}
  exposes:
    - type: rest
      namespace: orders-rest
      port: 8080
      resources:
        - path: /account/{accountId}/orders
          operations:
            - method: POST
              call: orders.place
              inputParameters:
                - {name: accountId, in: path, type: string, description: The account.}
                - {name: dry, in: query, type: boolean, description: Whether to try only.}
                - {name: X-Trace, in: header, type: string, description: A trace.}
                - {name: order, in: body, type: object, description: The order.}
              with: {accountId: orders-rest.accountId, dryRun: orders-rest.dry}
              outputParameters: [{type: object, properties: {id: {type: string, mapping: $.id}}}]
    - type: mcp
      namespace: orders-mcp
      port: 9090
      tools:
        - name: place
          description: Places an order.
          call: orders.place
          inputParameters:
            - {name: accountId, type: string, description: The account.}
            - {name: dry, type: boolean, description: Whether to try only., required: false}
            - {name: X-Trace, type: string, description: A trace., required: false}
            - {name: order, type: object, description: The order.}
          with: {accountId: orders-mcp.accountId, dryRun: "{{dry}}"}
"""

PUBLISHED = """
naftiko: 1.0.0-alpha2
binds:
  - namespace: env
    keys: {API_TOKEN: API_TOKEN}
capability:
  consumes:
    - type: http
      namespace: orders
      baseUri: https://api.example.com/v1
      authentication: {type: bearer, token: "{{env.API_TOKEN}}"}
      resources:
        - name: orders
          path: /account/{account_id}/orders
          operations:
            - name: place
              method: POST
              inputParameters:
                - {name: account_id, in: path, type: string, required: true}
                - {name: dryRun, in: query, type: boolean}
                - {name: X-Trace, in: header, type: string}
              body: {type: json, data: {order: "{{tools.order}}"}}
  exposes:
    - type: rest
      namespace: orders-rest
      port: 8080
      resources:
        - path: /account/{account-id}/orders
          operations:
            - method: POST
              call: orders.place
              with: {account_id: rest.accountId, dryRun: rest.dry}
              outputParameters: [{type: object, mapping: $.}]
    - type: mcp
      namespace: orders-mcp
      port: 9090
      tools:
        - name: place
          description: Places an order.
          call: orders.place
          with: {account_id: tools.accountId, dryRun: tools.dry}
          outputParameters: [{type: object, mapping: $.}]
"""


@pytest.mark.parametrize(
    "values",
    [
        {"accountId": "U 1/2", "dry": True, "X-Trace": "t", "order": {"qty": 1}},
        {"accountId": "..%2f", "order": {"text": 'a"b', "price": Decimal("1.10")}},
        {"accountId": "ü", "dry": False, "order": {}},
    ],
)
def test_one_capability_in_both_dialects_sends_the_same_requests(
    values: dict[str, JsonValue],
) -> None:
    requests = []
    for text in (SPECIFICATION, PUBLISHED):
        call = load_call(text, {"API_TOKEN": SECRET})
        assert call.problems == ()
        flat = {k: as_text(v) if k != "order" else v for k, v in values.items()}
        requests.append(call.tool_request(values))
        requests.append(build(call.rest, Given(flat, {"order": values["order"]}, textual=True)))
    assert all(request == requests[0] for request in requests)
    assert requests[0].headers[-2:] == [
        ("Authorization", f"Bearer {SECRET}"),
        ("Content-Type", "application/json"),
    ]
