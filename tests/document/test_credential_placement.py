"""API keys in places that nothing can be put into by itself."""

from __future__ import annotations

from pathlib import Path

from naftiko_runtime.document.capability_reader import CapabilityReading, read_capability
from naftiko_runtime.problems import Consequence

FILE = """\
naftiko: 1.0.0-alpha2
info: {label: Keys, description: Where keys go}
capability:
  consumes:
    - type: http
      namespace: api
      baseUri: https://api.example.com
      %s
      resources:
        - {name: items, path: /items, operations: [{name: list, method: GET}]}
  exposes:
    - type: rest
      namespace: items
      port: 8080
      %s
      resources:
        - path: /items
          operations: [{name: list, method: GET, call: api.list}]
"""
KEY = "authentication: {type: apikey, key: k, value: v, placement: body}"


def read(consumes: str = "", exposes: str = "") -> CapabilityReading:
    return read_capability(Path("keys.yaml"), (FILE % (consumes, exposes)).encode())


def test_an_upstreams_key_for_the_body_is_named_and_the_calls_go_out_without_it() -> None:
    reading = read(consumes=KEY)
    assert reading.capability is not None
    assert reading.capability.consumes["api"].authentication is None
    assert len(reading.capability.adapters) == 1
    (problem,) = reading.problems
    assert (problem.rule, problem.consequence) == ("credential-placement", Consequence.NOTHING)
    assert (problem.place.line, problem.path[-1]) == (8, "placement")


def test_an_adapter_that_asks_for_a_key_in_the_body_is_never_served() -> None:
    reading = read(exposes=KEY)
    assert reading.capability is not None
    assert reading.capability.adapters == ()
    (problem,) = reading.problems
    assert (problem.rule, problem.consequence) == ("credential-placement", Consequence.PART)
