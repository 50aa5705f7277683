"""What becomes of spans: traces, samples, and what they must not hold."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.telemetry.buffer import FinishedTrace, TraceBuffer
from naftiko_runtime.telemetry.context import Propagation, SpanContext
from naftiko_runtime.telemetry.recorder import Recorder, TraceSettings
from naftiko_runtime.telemetry.red import CallMetrics
from naftiko_runtime.telemetry.spans import SpanKind, current_span
from tests.telemetry.recording import only_trace, recorder

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


def test_spans_nest_as_they_are_entered() -> None:
    recorded = recorder()
    assert current_span() is None
    with recorded.start("root", None, {}) as root:
        assert current_span() is root
        with root.child("inner", kind=SpanKind.CLIENT) as inner:
            assert current_span() is inner
        assert current_span() is root
    assert current_span() is None
    trace = only_trace(recorded)
    assert [span.name for span in trace.spans] == ["root", "inner"]
    assert root.parent is None
    assert inner.parent == root.context.span_id
    assert inner.context.trace_id == root.context.trace_id
    assert root.duration >= inner.duration > 0


def test_a_caller_s_span_is_the_parent_of_the_root() -> None:
    recorded = recorder()
    with recorded.start("root", SpanContext(TRACE, SPAN, True, "a=1"), {}) as root:
        headers = dict(root.headers())
    assert (root.context.trace_id, root.parent) == (TRACE, SPAN)
    assert root.context.span_id != SPAN
    assert headers == {"traceparent": f"00-{TRACE}-{root.context.span_id}-01", "tracestate": "a=1"}


@pytest.mark.parametrize(("share", "kept"), [(0.0, 0), (1.0, 1)])
def test_sampling_decides_what_is_kept_and_told_to_upstreams(share: float, kept: int) -> None:
    recorded = recorder(TraceSettings(sampling=share))
    with recorded.start("root", None, {}) as root:
        pass
    assert len(recorded.traces) == kept
    assert dict(root.headers())["traceparent"].endswith(f"-0{kept}")


@pytest.mark.parametrize("sampled", [True, False])
def test_the_callers_decision_to_sample_holds(sampled: bool) -> None:
    recorded = recorder(TraceSettings(sampling=0.0 if sampled else 1.0))
    with recorded.start("root", SpanContext(TRACE, SPAN, sampled), {}):
        pass
    assert len(recorded.traces) == int(sampled)


@given(st.floats(0, 1))
def test_about_the_share_that_is_asked_for_is_sampled(share: float) -> None:
    recorded = recorder(TraceSettings(sampling=share), size=400)
    for _ in range(400):
        with recorded.start("root", None, {}):
            pass
    # six standard deviations, at most, of 400 draws
    assert abs(len(recorded.traces) / 400 - share) <= 6 * 0.5 / 20


def test_what_is_not_sampled_is_counted_all_the_same() -> None:
    recorded = recorder(TraceSettings(sampling=0.0))
    with recorded.start("root", None, {"naftiko.adapter.type": "rest"}):
        pass
    assert 'naftiko_request_total{adapter="rest"' in recorded.metrics.written()


def test_an_error_is_known_by_its_kind_and_never_by_its_text() -> None:
    recorded = recorder()
    secret = "s3cret-account-number"
    with pytest.raises(ValueError), recorded.start("root", None, {}) as root:  # noqa: PT011,PT012
        with pytest.raises(Exception, match=secret), root.child("call"):
            raise fail(FailureKind.UPSTREAM_TIMEOUT, secret)
        raise ValueError(secret)
    trace = only_trace(recorded)
    assert [span.error for span in trace.spans] == ["ValueError", "upstream-timeout"]
    assert secret not in repr([(s.name, s.attributes, s.error) for s in trace.spans])
    assert secret not in recorded.metrics.written()


@pytest.mark.anyio
async def test_tasks_of_a_call_are_part_of_its_trace_until_it_ends() -> None:
    recorded = recorder()
    released = asyncio.Event()

    async def work(name: str) -> None:
        span = current_span()
        assert span is not None
        with span.child(name):
            if name == "late":
                await released.wait()

    with recorded.start("root", None, {}):
        late = asyncio.create_task(work("late"))
        await asyncio.gather(*(asyncio.create_task(work(name)) for name in ("one", "two")))
    released.set()
    await late
    names = [span.name for span in only_trace(recorded).spans]
    assert sorted(names) == ["one", "root", "two"]


@pytest.mark.anyio
async def test_another_task_may_end_what_one_has_begun() -> None:
    recorded = recorder()
    root = recorded.start("root", None, {})
    begun = asyncio.Event()

    async def begin() -> None:
        root.__enter__()
        begun.set()

    async def end() -> None:
        await begun.wait()
        root.__exit__(None, None, None)

    await asyncio.gather(asyncio.create_task(begin()), asyncio.create_task(end()))
    assert only_trace(recorded).root is root
    assert current_span() is None


@pytest.mark.anyio
async def test_calls_at_the_same_time_do_not_share_spans() -> None:
    recorded = recorder()

    async def call(number: int) -> None:
        with recorded.start(f"call {number}", None, {}) as root:
            await asyncio.sleep(0)
            with root.child(f"step {number}"):
                await asyncio.sleep(0)

    await asyncio.gather(*(call(number) for number in range(20)))
    traces = list(recorded.traces.latest())
    assert len(traces) == 20
    for trace in traces:
        number = trace.root.name.removeprefix("call ")
        assert [span.name for span in trace.others] == [f"step {number}"]


def test_a_call_does_not_fail_because_it_cannot_be_exported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def export(trace: FinishedTrace) -> None:
        raise OSError("no collector")

    recorded = Recorder(TraceSettings(), CallMetrics(), TraceBuffer(10), export)
    with recorded.start("root", None, {}):
        pass
    assert len(recorded.traces) == 1
    assert "a trace could not be exported" in caplog.text


def test_the_oldest_trace_makes_room() -> None:
    recorded = recorder(size=10)
    for number in range(25):
        with recorded.start(str(number), None, {}):
            pass
    assert [trace.root.name for trace in recorded.traces.latest()] == [
        str(number) for number in range(24, 14, -1)
    ]
    smaller = recorded.traces.resized(3)
    assert [trace.root.name for trace in smaller.latest()] == ["24", "23", "22"]


def test_propagation_is_the_files_choice() -> None:
    recorded = recorder(TraceSettings(propagation=Propagation.B3))
    with recorded.start("root", SpanContext(TRACE, SPAN, True, "a=1"), {}) as root:
        assert root.headers() == [("b3", f"{TRACE}-{root.context.span_id}-1")]
