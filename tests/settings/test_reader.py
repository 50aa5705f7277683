"""Settings files: what they mean, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from naftiko_runtime.settings.model import (
    MCP,
    REST,
    Approval,
    ApprovalPage,
    Breaker,
    GuardRule,
    Idempotency,
    KeepAlive,
    Mode,
    Pacing,
    Retries,
    TrustChoice,
)
from tests.settings.reading import FILE, faults_of, settings_of

FOLDER = FILE.parent


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}"])
def test_an_empty_file_sets_nothing(text: str) -> None:
    settings = settings_of(text)
    assert settings.file == FILE
    assert (settings.upstreams, settings.guards, settings.hidden) == ((), (), ())
    assert settings.approvals == ApprovalPage()
    assert settings.audit is None
    assert settings.halt == FOLDER / "HALT"
    assert settings.state.reveal() == "memory"


def test_what_is_set_for_upstreams() -> None:
    settings = settings_of("""\
upstreams:
  "*": {timeout: 10s, pool: 8}
  web-orders:
    base-uri: https://localhost:5000/v1/api
    timeout: 200ms
    tls: {trust: pinned}
    pacing: {rate: 10/s, burst: 10, queue: 5, wait: 0s}
    operations: {place*: {pacing: {rate: 1/5s}}}
    retries: {times: 3, delay: 100ms, longest: 1m}
    breaker: {failures: 3, pause: 30s}
    keep-alive: {call: web-sessions.tickle, every: 60s, safe: true}
    login: https://localhost:5000
""")
    usual, orders = settings.upstreams
    assert (usual.match, usual.timeout, usual.pool) == ("*", 10.0, 8)
    assert (usual.trust, usual.pacing, usual.retries, usual.breaker) == (None,) * 4
    assert orders.base_uri == "https://localhost:5000/v1/api"
    assert (orders.timeout, orders.pool, orders.trust) == (0.2, None, TrustChoice.PINNED)
    assert orders.pacing == Pacing(10.0, 10, 5, 0.0)
    assert orders.operations == {"place*": Pacing(0.2)}
    assert orders.retries == Retries(3, 0.1, 60.0)
    assert orders.breaker == Breaker(3, 30.0)
    assert orders.keep_alive == KeepAlive("web-sessions.tickle", 60.0, safe=True)
    assert orders.login == "https://localhost:5000"
    assert str(orders.place) == "/etc/shop/runtime.yaml:3:3"


def test_what_is_set_for_guards() -> None:
    settings = settings_of("""\
guards:
  - match: "*.placeorder"
    approve: {expires: 5m, preview: /whatif}
    idempotency: {key: "$.body.orders[*].cOID", window: 1h, required: true}
    limits:
      - {value: "$.body.orders[*].quantity", min: 1, max: 99.5}
      - {value: "$.body.orders[*].side", allow: [BUY, 1, true, null], optional: true}
  - match: [web-orders.cancelorder, "*.delete*"]
    callers: [mcp]
    approve: true
  - match: "*"
    mode: read-only
""")
    place, cancel, rest = settings.guards
    assert place.match == ("*.placeorder",)
    assert place.callers == {REST, MCP}
    assert place.mode is Mode.OPEN
    assert place.approve == Approval(300.0, "/whatif")
    assert place.idempotency == Idempotency("$.body.orders[*].cOID", 3600.0, True)
    bounds, choice = place.limits
    assert (bounds.least, bounds.most, bounds.optional) == (1, 99.5, False)
    assert (choice.allow, choice.optional) == (("BUY", 1, True, None), True)
    assert str(choice.place) == "/etc/shop/runtime.yaml:7:9"
    assert cancel.match == ("web-orders.cancelorder", "*.delete*")
    assert cancel.callers == {MCP}
    assert cancel.approve == Approval()
    assert rest == GuardRule(("*",), mode=Mode.READ_ONLY, place=rest.place)


def test_an_approval_may_be_ruled_out() -> None:
    settings = settings_of('guards: [{match: "*", approve: false}]')
    assert settings.guards[0].approve is None


def test_what_is_set_for_the_process() -> None:
    settings = settings_of(
        """\
tools: {hide: [delete-*, old]}
approvals:
  port: 9100
  address: "::1"
  password: "{{APPROVALS_PASSWORD}}"
  url: https://approvals.example.com
audit: {file: logs/audit.jsonl}
halt: {file: /run/shop/HALT}
state: redis://:{{REDIS_PASSWORD}}@localhost:6379/0
""",
        {"APPROVALS_PASSWORD": "c4n4ry-1", "REDIS_PASSWORD": "p@ss/word"},
    )
    assert settings.hidden == ("delete-*", "old")
    page = settings.approvals
    assert (page.port, page.address, page.url) == (9100, "::1", "https://approvals.example.com")
    assert page.password is not None
    assert page.password.reveal() == "c4n4ry-1"
    assert settings.audit == FOLDER / "logs" / "audit.jsonl"
    assert settings.halt == Path("/run/shop/HALT")
    assert settings.state.reveal() == "redis://:p%40ss%2Fword@localhost:6379/0"
    assert "c4n4ry" not in repr(settings)
    assert "p%40ss" not in repr(settings)


def test_a_variable_may_be_the_whole_address_of_the_state() -> None:
    settings = settings_of('state: "{{STATE}}"', {"STATE": "rediss://u:p@redis.example.com"})
    assert settings.state.reveal() == "rediss://u:p@redis.example.com"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "guard: []",
            '1:1: unknown-key: the file has the unknown key "guard" - did you mean "guards"? '
            'correct or remove it; known here are "upstreams", "guards", "tools", "approvals", '
            '"audit", "halt" and "state"',
        ),
        (
            'guards:\n  - match: "*.placeorder"\n    aprove: true\n',
            '3:5: unknown-key: guard "*.placeorder" has the unknown key "aprove" - did you mean '
            '"approve"? correct or remove it; known here are "match", "callers", "mode", '
            '"approve", "idempotency" and "limits"',
        ),
        (
            "guards:\n  - mode: read-only\n",
            '2:5: missing-key: guard 1 has no "match" - add it, as in "match: web-orders.*"',
        ),
        (
            'guards: [{match: "*", mode: readonly}]',
            '1:29: unknown-value: "mode" is "readonly", which is not allowed - did you mean '
            '"read-only"? allowed are "open" and "read-only"',
        ),
        (
            "upstreams: {a: {timeout: 10}}",
            '1:26: wrong-type: "timeout" is the number 10 where text is expected - write a whole '
            'number above zero with its unit (ms, s, m or h), as in "10s"',
        ),
        (
            "upstreams: {a: {timeout: 0s}}",
            '1:26: malformed-value: "timeout" is malformed: "0s" - write a whole number above zero '
            'with its unit (ms, s, m or h), as in "10s"',
        ),
        (
            "upstreams: {a: {pacing: {rate: 10 per s}}}",
            '1:32: malformed-value: "rate" is malformed: "10 per s" - write a number of calls and '
            'a time, as in "10/s", "1/5s" or "30/m"',
        ),
        (
            "upstreams:\n  a: {pool: 0}\n",
            '2:13: out-of-range: "pool" is 0, less than 1 - write at least 1',
        ),
        (
            "upstreams: {a: {base-uri: 'https://user:pass@localhost'}}",
            "1:27: base-uri: no request can be sent to this address: it holds credentials, which "
            'belong under "authentication" - write https://host[:port][/path]',
        ),
        (
            "guards:\n  - match: '*'\n    limits: [{value: $.body.quantity}]\n",
            '3:14: missing-key: limit 1 has none of "min", "max" and "allow" - add "min", "max" or '
            '"allow"',
        ),
        (
            "guards: [{match: '*', limits: [{value: $.body.n, min: 3, max: 1}]}]",
            '1:55: out-of-range: no value can keep this limit: "min" is 3, "max" is 1 - '
            "correct one",
        ),
        (
            "guards:\n  - match: '*'\n    idempotency: {key: $.orders.cOID}\n",
            '3:24: jsonpath-syntax: the path "$.orders.cOID" finds nothing: a request has no '
            '"orders" - what is in the body begins with "$.body"; there are $.method, $.path, '
            "$.query, $.headers, $.body, $.arguments",
        ),
        (
            "guards:\n  - match: '*'\n    idempotency: {key: $.headers.Idempotency-Key}\n",
            None,
        ),
        (
            "guards: [{match: '*', idempotency: {key: \"$.headers['X-Id']\"}}]",
            "1:42: jsonpath-syntax: the path \"$.headers['X-Id']\" finds nothing: no header is "
            'called "X-Id" - write "x-id", as the names of headers are in lower case',
        ),
        (
            "guards: [{match: '*', limits: [{value: $.body.orders[*, max: 1}]}]",
            None,
        ),
        (
            "guards: [{match: '*', limits: [{value: $, max: 1}]}]",
            '1:40: jsonpath-syntax: the path "$" means the whole request - add one of $.method, '
            "$.path, $.query, $.headers, $.body, $.arguments",
        ),
        (
            "approvals: {password: '{{APPROVALS_PASSWORD}}'}",
            '1:23: unset-variable: the variable "APPROVALS_PASSWORD" has no value in the '
            "environment - set APPROVALS_PASSWORD",
        ),
        (
            "approvals: {password: secret}",
            "1:23: malformed-value: the password has fewer than 8 characters - lengthen it",
        ),
        ("- match: '*'", None),
        ("guards: {match: '*'}", None),
        ("guards: []\nguards: []\n", None),
    ],
)
def test_nothing_is_taken_of_a_wrong_file_and_the_place_is_named(
    text: str, fault: str | None
) -> None:
    faults = faults_of(text)
    assert fault is None or fault in faults


def test_all_faults_of_a_file_are_named_at_once() -> None:
    faults = faults_of("upstreams: {a: {pool: 0}}\ntools: {hid: []}\nstate: 5\n")
    assert [fault.split(":")[0] for fault in faults] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "text",
    [
        "approvals: {password: 12345678}",
        "approvals: {password: [hunter2-hunter2]}",
        "approvals: {password: hunter2}",
        "state: hunter2",
        "state: postgres://u:hunter2@localhost",
        "state: [hunter2]",
        "state: '{{STATE}}'",
    ],
)
def test_no_message_shows_a_secret(text: str) -> None:
    said = "\n".join(faults_of(text, {"STATE": "hunter2"}))
    assert "hunter2" not in said
    assert "12345678" not in said


def test_the_value_of_a_state_variable_is_checked() -> None:
    assert faults_of('state: "{{STATE}}"', {"STATE": "localhost"}) == [
        '1:8: malformed-value: what the variable of "state" stands for is no address of a Redis '
        "server - set it to one such as redis://localhost:6379/0, or to memory"
    ]


@pytest.mark.parametrize("section", ["halt", "audit"])
@pytest.mark.parametrize("name", ['" "', '""', '"\\t"'])
def test_a_file_has_a_name(section: str, name: str) -> None:
    (problem,) = faults_of(f"{section}: {{file: {name}}}\n")
    assert "write the path of a file" in str(problem)
