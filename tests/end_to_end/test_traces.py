"""Traces of real calls: from a caller's context over steps to what upstreams and collectors get."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from mcp import Client, StdioServerParameters

from tests.capability_text import capability
from tests.end_to_end.controlled import CONTROL, PORTS, ask, controlled, write
from tests.recording_upstream import RecordingUpstream, Reply, reply_json
from tests.serving_process import ROOT, Serving, clean_environment, serve

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
PARENT_PATTERN = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0([01])")
CANARY = "s3cret-canary-value"


def sequence(base_uri: str, observability: Mapping[str, Any] | None = None, **root: Any) -> str:
    """Ships with their crews: a call, a lookup in its answer, a call with what was found; as an
    operation and as a tool, both through a function."""
    steps = [
        {"type": "call", "name": "ships", "call": "fleet.list-ships"},
        {
            "type": "lookup",
            "name": "found",
            "index": "ships",
            "match": "imo",
            "lookupValue": "{{imo}}",
            "outputParameters": ["crew"],
        },
        {
            "type": "call",
            "name": "crew",
            "call": "fleet.get-crew",
            "with": {"id": "{{found.crew}}"},
        },
    ]
    outputs = [{"name": "name", "type": "string"}]
    function = {
        "name": "crew-of",
        "description": "The crew of a ship.",
        "inputParameters": [{"name": "imo", "type": "string", "description": "The ship."}],
        "steps": steps,
        "mappings": [{"targetName": "name", "value": "$.crew.name"}],
        "outputParameters": outputs,
    }
    consumed = [
        {
            "name": "ships",
            "path": "/ships",
            "operations": [{"name": "list-ships", "method": "GET", "outputRawFormat": "json"}],
        },
        {
            "name": "crew",
            "path": "/crews/{id}",
            "operations": [
                {
                    "name": "get-crew",
                    "method": "GET",
                    "outputRawFormat": "json",
                    "inputParameters": [{"name": "id", "in": "path"}],
                }
            ],
        },
    ]
    operation = {
        "method": "GET",
        "name": "crew",
        "ref": "crews.crew-of",
        "inputParameters": [
            {"name": "imo", "in": "path", "type": "string", "description": "The ship."}
        ],
    }
    document = {
        "naftiko": "1.0.0-alpha2",
        "info": {"label": "Fleet", "description": "Ships."},
        **root,
        "capability": {
            "consumes": [
                {"type": "http", "namespace": "fleet", "baseUri": base_uri, "resources": consumed}
            ],
            "aggregates": [{"label": "Crews", "namespace": "crews", "functions": [function]}],
            "exposes": [
                {
                    "type": "rest",
                    "namespace": "fleet-rest",
                    "port": 8080,
                    "resources": [{"path": "/ships/{imo}/crew", "operations": [operation]}],
                },
                {
                    "type": "mcp",
                    "namespace": "fleet-mcp",
                    "port": 9090,
                    "tools": [{"name": "crew", "description": "The crew.", "ref": "crews.crew-of"}],
                },
                {"type": "control", "port": CONTROL, "observability": dict(observability or {})},
            ],
        },
    }
    return yaml.safe_dump(document, sort_keys=False)


def answer_fleet(upstream: RecordingUpstream) -> None:
    def answer(request: Any) -> Reply:
        if request.path == "/ships":
            return reply_json([{"imo": "1", "crew": "a"}, {"imo": "2", "crew": "b"}])
        return reply_json({"name": f"crew {request.path[-1]}"})

    upstream.answers(answer)


@pytest.fixture
def serving(folder: Path, upstream: RecordingUpstream) -> Iterator[Serving]:
    answer_fleet(upstream)
    write(folder, sequence(upstream.url))
    with serve(folder, ports=PORTS) as running:
        yield running


def spans_of(serving: Serving, trace_id: str) -> list[dict[str, Any]]:
    document = ask(serving, f"/traces/{trace_id}").json()
    assert document["traceId"] == trace_id
    spans: list[dict[str, Any]] = document["spans"]
    return spans


def context(upstream: RecordingUpstream, index: int) -> tuple[str, str, str]:
    """Trace, span and sampling of one request that reached the upstream."""
    value = upstream.requests[index].all("traceparent")
    assert len(value) == 1
    match = PARENT_PATTERN.fullmatch(value[0])
    assert match
    return match[1], match[2], match[3]


def test_a_trace_leads_from_the_caller_over_the_steps_to_the_upstream(
    serving: Serving, upstream: RecordingUpstream
) -> None:
    headers = {"traceparent": PARENT, "tracestate": "vendor=opaque"}
    called = httpx2.get(serving.rest(8080) + "/ships/2/crew", headers=headers, timeout=60)
    assert called.json() == {"name": "crew b"}
    spans = spans_of(serving, TRACE)
    by_id = {span["spanId"]: span for span in spans}
    tree = [
        (span["name"], by_id[span["parentSpanId"]]["name"] if i else "caller")
        for i, span in enumerate(spans)
    ]
    assert tree == [
        ("rest.request", "caller"),
        ("aggregate.function", "rest.request"),
        ("step.call", "aggregate.function"),
        ("http.client.GET", "step.call"),
        ("step.lookup", "aggregate.function"),
        ("step.call", "aggregate.function"),
        ("http.client.GET", "step.call"),
    ]
    assert spans[0]["parentSpanId"] == SPAN
    metrics = ask(serving, "/metrics").text
    labels = 'operation="fleet-rest.crew",step="found",type="lookup"'
    assert f"naftiko_step_duration_seconds_count{{{labels}}} 1" in metrics
    sent = [context(upstream, index) for index in (0, 1)]
    clients = [span["spanId"] for span in spans if span["name"] == "http.client.GET"]
    assert sent == [(TRACE, clients[0], "1"), (TRACE, clients[1], "1")]
    assert [r.all("tracestate") for r in upstream.requests] == [["vendor=opaque"]] * 2


def test_spans_say_what_the_file_declares_and_nothing_that_was_given(
    serving: Serving, upstream: RecordingUpstream
) -> None:
    target = f"/ships/2/crew?note={CANARY}"
    headers = {"traceparent": PARENT, "x-given": CANARY}
    httpx2.get(serving.rest(8080) + target, headers=headers, timeout=60)
    spans = spans_of(serving, TRACE)
    operation = {"naftiko.operation.id": "fleet-rest.crew"}
    port = {"server.address": "127.0.0.1", "server.port": upstream.port}
    assert [span["attributes"] for span in spans] == [
        {
            "naftiko.adapter.type": "rest",
            "http.request.method": "GET",
            "http.route": "/ships/{imo}/crew",
            "naftiko.capability": "Fleet",
            "naftiko.namespace": "fleet-rest",
            "http.response.status_code": 200,
        }
        | operation,
        {"naftiko.aggregate.ref": "crews.crew-of"} | operation,
        {
            "naftiko.step.index": 0,
            "naftiko.step.name": "ships",
            "naftiko.step.call": "fleet.list-ships",
            "naftiko.namespace": "fleet",
        }
        | operation,
        {
            "http.request.method": "GET",
            "naftiko.namespace": "fleet",
            "naftiko.operation.id": "fleet.list-ships",
            "http.response.status_code": 200,
        }
        | port,
        {"naftiko.step.index": 1, "naftiko.step.name": "found", "naftiko.step.match": "imo"}
        | operation,
        {
            "naftiko.step.index": 2,
            "naftiko.step.name": "crew",
            "naftiko.step.call": "fleet.get-crew",
            "naftiko.namespace": "fleet",
        }
        | operation,
        {
            "http.request.method": "GET",
            "naftiko.namespace": "fleet",
            "naftiko.operation.id": "fleet.get-crew",
            "http.response.status_code": 200,
        }
        | port,
    ]
    assert [span["kind"] for span in spans][:4] == ["SERVER", "INTERNAL", "INTERNAL", "CLIENT"]
    assert {span["status"] for span in spans} == {"OK"}
    assert CANARY not in ask(serving, "/metrics").text


def test_a_request_without_a_context_begins_a_trace(
    serving: Serving, upstream: RecordingUpstream
) -> None:
    for headers in ({}, {"traceparent": "00-not-a-trace-01", "tracestate": "a=1"}):
        httpx2.get(serving.rest(8080) + "/ships/1/crew", headers=headers, timeout=60)
    traces = {context(upstream, index)[0] for index in range(4)}
    assert len(traces) == 2
    assert all(request.all("tracestate") == [] for request in upstream.requests)
    listed = ask(serving, "/traces").json()
    assert {trace["traceId"] for trace in listed["traces"]} == traces


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_tool_call_goes_on_with_the_trace_of_its_message(
    serving: Serving, upstream: RecordingUpstream, mode: Any
) -> None:
    meta: Any = {"traceparent": PARENT, "tracestate": "vendor=opaque"}
    async with Client(serving.mcp(9090), mode=mode) as client:
        result = await client.call_tool("crew", {"imo": "1"}, meta=meta)
    assert result.structured_content == {"name": "crew a"}
    spans = spans_of(serving, TRACE)
    assert [span["name"] for span in spans[:3]] == ["mcp.request", "mcp.tool", "aggregate.function"]
    assert spans[0]["parentSpanId"] == SPAN
    assert spans[1]["parentSpanId"] == spans[0]["spanId"]
    assert spans[0]["attributes"]["mcp.method.name"] == "tools/call"
    assert spans[1]["attributes"] == {
        "naftiko.capability": "Fleet",
        "naftiko.namespace": "fleet-mcp",
        "naftiko.operation.id": "fleet-mcp.crew",
    }
    assert [context(upstream, index)[0] for index in (0, 1)] == [TRACE, TRACE]
    assert upstream.requests[0].all("tracestate") == ["vendor=opaque"]


@pytest.mark.anyio
async def test_a_message_without_meta_goes_on_with_the_trace_of_its_http_request(
    serving: Serving, upstream: RecordingUpstream
) -> None:
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "crew", "arguments": {"imo": "1"}},
    }
    headers = {
        "traceparent": PARENT,
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2025-06-18",
    }
    answered = httpx2.post(serving.mcp(9090), json=message, headers=headers, timeout=60)
    assert answered.status_code == 200
    assert context(upstream, 0)[0] == TRACE


@pytest.mark.anyio
async def test_what_clients_make_up_names_no_metric(serving: Serving) -> None:
    headers = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2025-06-18",
    }
    message = {"jsonrpc": "2.0", "id": 1, "method": f"{CANARY}/list", "params": {}}
    httpx2.post(serving.mcp(9090), json=message, headers=headers, timeout=60)
    httpx2.request(CANARY.upper(), serving.rest(8080) + "/ships/1/crew", timeout=60)
    httpx2.get(serving.rest(8080) + f"/{CANARY}", timeout=60)
    metrics = ask(serving, "/metrics").text
    assert CANARY not in metrics.lower()
    unknown = 'adapter="rest",capability="",operation="",status="404"} 1'
    assert unknown in metrics


def test_b3_is_sent_where_the_file_says_so(folder: Path, upstream: RecordingUpstream) -> None:
    answer_fleet(upstream)
    write(folder, sequence(upstream.url, {"traces": {"propagation": "b3"}}))
    with serve(folder, ports=PORTS) as serving:
        url = serving.rest(8080) + "/ships/1/crew"
        httpx2.get(url, headers={"traceparent": PARENT}, timeout=60)
        httpx2.get(url, headers={"b3": f"{'a' * 32}-{SPAN}-0"}, timeout=60)
        values = [request.header("b3") or "" for request in upstream.requests]
        assert re.fullmatch(f"{TRACE}-[0-9a-f]{{16}}-1", values[0])
        assert re.fullmatch(f"{'a' * 32}-[0-9a-f]{{16}}-0", values[2])
        assert all(request.header("traceparent") is None for request in upstream.requests)
        assert [each["traceId"] for each in ask(serving, "/traces").json()["traces"]] == [TRACE]


def test_the_share_that_is_sampled_is_the_files(folder: Path, upstream: RecordingUpstream) -> None:
    answer_fleet(upstream)
    write(folder, sequence(upstream.url, {"traces": {"sampling": 0}}))
    with serve(folder, ports=PORTS) as serving:
        url = serving.rest(8080) + "/ships/1/crew"
        httpx2.get(url, timeout=60)
        httpx2.get(url, headers={"traceparent": PARENT}, timeout=60)
        assert [context(upstream, index)[2] for index in (0, 1)] == ["0", "0"]
        assert [context(upstream, index)[2] for index in (2, 3)] == ["1", "1"]
        listed = ask(serving, "/traces").json()
        assert [each["traceId"] for each in listed["traces"]] == [TRACE]
        counted = 'operation="fleet-rest.crew",status="200"} 2'
        assert counted in ask(serving, "/metrics").text


def test_nothing_is_recorded_or_sent_unless_somebody_asks(
    folder: Path, upstream: RecordingUpstream
) -> None:
    control = {"management": {"info": True}}
    write(folder, controlled(upstream.url, "list", control=control))
    with serve(folder, ports=PORTS) as serving:
        headers = {"traceparent": PARENT, "tracestate": "a=1", "b3": f"{TRACE}-{SPAN}-1"}
        httpx2.get(serving.rest(8080) + "/orders/list", headers=headers, timeout=60)
        names = {name.lower() for name, _ in upstream.requests[0].headers}
        assert not names & {"traceparent", "tracestate", "b3"}
        assert ask(serving, "/metrics").status_code == 404
        assert ask(serving, "/traces").status_code == 404


def test_traces_are_listed_newest_first_and_chosen_by_operation_and_status(
    folder: Path, upstream: RecordingUpstream
) -> None:
    traces = {"traces": {"local": {"buffer-size": 10}}}
    control = {"observability": traces}
    write(folder, controlled(upstream.url, "list", "fails", control=control))
    with serve(folder, ports=PORTS) as serving:
        upstream.answers(reply_json({}))
        for _ in range(12):
            httpx2.get(serving.rest(8080) + "/orders/list", timeout=60)
        upstream.answers(Reply(raw=b"nonsense\r\n\r\n"))
        assert httpx2.get(serving.rest(8080) + "/orders/fails", timeout=60).status_code == 502
        listed = ask(serving, "/traces").json()
        assert (listed["bufferSize"], listed["bufferUsed"]) == (10, 10)
        assert len(listed["traces"]) == 10
        newest = listed["traces"][0]
        assert newest.keys() == {
            "traceId",
            "operation",
            "durationMs",
            "status",
            "spanCount",
            "timestamp",
        }
        assert (newest["operation"], newest["status"]) == ("orders-rest.fails", "ERROR")
        assert newest["spanCount"] == 2
        chosen = ask(serving, "/traces?status=ERROR").json()["traces"]
        assert chosen == [newest]
        lists = ask(serving, "/traces?operation=orders-rest.list&status=OK").json()["traces"]
        assert len(lists) == 9
        assert (
            ask(serving, "/traces?operation=orders-rest.list&status=error").json()["traces"] == []
        )
        assert ask(serving, "/traces?status=fine").status_code == 400
        assert ask(serving, f"/traces/{'0' * 32}").status_code == 404
        spans = spans_of(serving, newest["traceId"])
        assert [s["attributes"]["error.type"] for s in spans] == ["upstream-broken"] * 2
        metrics = ask(serving, "/metrics").text
        assert 'operation="orders-rest.fails",error="upstream-broken"} 1' in metrics
        assert (
            'naftiko_http_client_total{namespace="orders",method="GET",status="200"} 12' in metrics
        )
        assert 'naftiko_capability_active{capability="orders"} 1' in metrics


def test_a_reload_goes_on_counting_and_follows_the_files_observability(
    folder: Path, upstream: RecordingUpstream
) -> None:
    answer_fleet(upstream)
    path = write(folder, sequence(upstream.url))
    with serve(folder, ports=PORTS) as serving:
        url = serving.rest(8080) + "/ships/1/crew"
        httpx2.get(url, timeout=60)
        path.write_text(sequence(upstream.url, {"traces": {"propagation": "b3"}}))
        serving.wait_for_event("changed", 1)
        httpx2.get(url, timeout=60)
        assert upstream.requests[-1].header("b3") is not None
        assert ask(serving, "/traces").json()["bufferUsed"] == 2
        assert 'operation="fleet-rest.crew",status="200"} 2' in ask(serving, "/metrics").text
        path.write_text(sequence(upstream.url, {"enabled": False}))
        serving.wait_for_event("changed", 2)
        httpx2.get(url, timeout=60)
        assert upstream.requests[-1].header("b3") is None
        assert ask(serving, "/metrics").status_code == 404


def test_traces_are_sent_to_the_collector_that_the_file_names(
    folder: Path, upstream: RecordingUpstream
) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    from tests.otlp_receiver import OtlpReceiver

    answer_fleet(upstream)
    binds = [{"namespace": "env", "keys": {"COLLECTOR": "COLLECTOR"}}]
    observability = {"exporters": {"otlp": {"endpoint": "{{COLLECTOR}}"}}}
    with OtlpReceiver() as collector:
        write(folder, sequence(upstream.url, observability, binds=binds))
        with serve(folder, ports=PORTS, env={"COLLECTOR": collector.url}) as serving:
            target = f"{serving.rest(8080)}/ships/2/crew?given={CANARY}"
            httpx2.get(target, headers={"traceparent": PARENT, "x-given": CANARY}, timeout=60)
        # The process has ended: what it had not sent by then came with its end.
        spans = collector.wait_for_spans(7)
    assert {span.trace_id for span in spans} == {TRACE}
    root = next(span for span in spans if span.name == "rest.request")
    assert (root.kind, root.parent_id) == ("SERVER", SPAN)
    assert root.attributes["naftiko.operation.id"] == "fleet-rest.crew"
    assert root.resource["service.name"] == "naftiko-runtime"
    assert {span.kind for span in spans} == {"SERVER", "INTERNAL", "CLIENT"}
    assert CANARY.encode() not in collector.text


def test_the_environment_alone_turns_sending_on(folder: Path, upstream: RecordingUpstream) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    from tests.otlp_receiver import OtlpReceiver

    write(folder, capability("orders", upstream.url, "list"))
    with OtlpReceiver() as collector:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_SERVICE_NAME": "shop"}
        with serve(folder, env=variables) as serving:
            httpx2.get(
                serving.rest(8080) + "/orders/list", headers={"traceparent": PARENT}, timeout=60
            )
        spans = collector.wait_for_spans(2)
    assert sorted(span.name for span in spans) == ["http.client.GET", "rest.request"]
    assert {span.trace_id for span in spans} == {TRACE}
    assert {span.resource["service.name"] for span in spans} == {"shop"}
    assert context(upstream, 0)[0] == TRACE


def test_a_collector_that_is_not_there_costs_nothing_but_a_warning(
    folder: Path, upstream: RecordingUpstream
) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    write(folder, capability("orders", upstream.url, "list"))
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }
    with serve(folder, env=variables) as serving:
        assert httpx2.get(serving.rest(8080) + "/orders/list", timeout=60).status_code == 200
        lost = serving.wait_for_event("spans-lost")
        assert "http://127.0.0.1:9" in lost["message"]


def test_what_two_files_say_differently_is_named_and_the_first_holds(
    folder: Path, upstream: RecordingUpstream
) -> None:
    answer_fleet(upstream)
    write(folder, sequence(upstream.url), "a.yaml")
    other = {"port": 9200, "observability": {"traces": {"propagation": "b3"}}}
    write(folder, controlled(upstream.url, "list", control=other), "b.yaml")
    with serve(folder, ports=(*PORTS, 9200)) as serving:
        problem = serving.wait_for_event("problem", rule="observability-conflict")
        assert problem["file"].endswith("b.yaml")
        httpx2.get(
            serving.rest(8080) + "/ships/1/crew", headers={"traceparent": PARENT}, timeout=60
        )
        assert context(upstream, 0)[0] == TRACE
        second = f"http://127.0.0.1:{serving.port(9200)}"
        assert httpx2.get(second + "/traces", timeout=60).json()["bufferUsed"] == 1


@pytest.mark.anyio
async def test_calls_over_standard_input_are_traced_too(
    folder: Path, upstream: RecordingUpstream
) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    from tests.otlp_receiver import OtlpReceiver

    write(folder, capability("orders", upstream.url, "list"))
    with OtlpReceiver() as collector:
        process = StdioServerParameters(
            command=sys.executable,
            args=["-m", "naftiko_runtime", "stdio", str(folder)],
            env=clean_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}),
            cwd=str(ROOT),
        )
        meta: Any = {"traceparent": PARENT}
        async with Client(process, mode="auto") as client:
            await client.call_tool("orders-list", {}, meta=meta)
        spans = collector.wait_until(lambda came: any(s.name == "mcp.tool" for s in came))
    tool = next(span for span in spans if span.name == "mcp.tool")
    assert tool.trace_id == TRACE
    assert context(upstream, 0)[0] == TRACE


@pytest.mark.anyio
async def test_reading_a_resource_is_known_by_its_operation(
    folder: Path, upstream: RecordingUpstream
) -> None:
    document = yaml.safe_load(controlled(upstream.url, "list"))
    resource = {
        "name": "all-orders",
        "label": "All",
        "uri": "orders://all",
        "description": "All orders.",
        "call": "orders.list",
    }
    document["capability"]["exposes"][1]["resources"] = [resource]
    write(folder, yaml.safe_dump(document, sort_keys=False))
    with serve(folder, ports=PORTS) as serving:
        async with Client(serving.mcp(9090), mode="auto") as client:
            await client.read_resource("orders://all")
        (found,) = ask(serving, "/traces?operation=orders-mcp.all-orders").json()["traces"]
        assert (found["status"], found["spanCount"]) == ("OK", 2)


def test_a_script_is_a_step_of_the_trace(folder: Path, upstream: RecordingUpstream) -> None:
    pytest.importorskip("pydantic_monty", reason="the extra script is missing")
    (folder / "scripts").mkdir()
    (folder / "scripts" / "total.py").write_text("result = {'total': 42}\n")
    document = yaml.safe_load(controlled(upstream.url, "list"))
    operation = document["capability"]["exposes"][0]["resources"][0]["operations"][0]
    del operation["call"]
    operation["steps"] = [
        {
            "type": "script",
            "name": "total",
            "language": "python",
            "location": "file:///./scripts",
            "file": "total.py",
        }
    ]
    write(folder, yaml.safe_dump(document, sort_keys=False))
    with serve(folder, ports=PORTS) as serving:
        headers = {"traceparent": PARENT}
        called = httpx2.get(serving.rest(8080) + "/orders/list", headers=headers, timeout=30)
        assert called.json() == {"total": 42}
        spans = spans_of(serving, TRACE)
    assert [span["name"] for span in spans] == ["rest.request", "step.script"]
    attributes = spans[1]["attributes"]
    assert attributes["naftiko.step.script.file"] == "total.py"
    assert attributes["naftiko.step.script.language"] == "python"
