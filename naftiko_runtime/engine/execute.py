"""Executes one call of an operation's plan."""

from __future__ import annotations

from collections.abc import Sequence

from naftiko_runtime.consumes.messages import Upstreams
from naftiko_runtime.engine.answers import answer_of, takes_long
from naftiko_runtime.engine.beside import beside
from naftiko_runtime.engine.explaining import explain_answer, explain_failed
from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.engine.steps import orchestrate
from naftiko_runtime.engine.tracing import function_span
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.plan.operation import (
    CallPlan,
    InputPlan,
    Inputs,
    MockPlan,
    OperationPlan,
    OrchestrationPlan,
    Scope,
)
from naftiko_runtime.telemetry.spans import current_span


async def execute(plan: OperationPlan, inputs: Inputs, upstreams: Upstreams) -> Outcome:
    """Does what the plan says and answers.

    Never raises for what can go wrong with a call: that is the Failure it returns. An upstream's
    error status is an answer, returned as it came, unless the file has other words for it
    (`errors`).
    """
    scope = Scope({})
    try:
        scope.values = bind_inputs(plan.inputs, inputs)
        if plan.accepts_body:
            scope.raw_body = inputs.raw_body()
            if scope.raw_body is None and plan.body_required:
                raise fail(FailureKind.INVALID_INPUT, "a JSON body is required", field="body")
        span = current_span() if plan.function is not None else None
        if span is None:
            answer = await _act(plan, scope, upstreams)
        else:
            with function_span(span, plan.function or ""):
                answer = await _act(plan, scope, upstreams)
    except CallFailed as failed:
        return explain_failed(plan, failed, scope) if plan.errors else failed.failure
    if plan.errors and answer.status >= 400:
        return explain_answer(plan, answer, scope)
    return answer


async def _act(plan: OperationPlan, scope: Scope, upstreams: Upstreams) -> Answer:
    action = plan.action
    if isinstance(action, CallPlan):
        request = action.build(scope)
        response = await upstreams.send(request)
        if takes_long(plan.output, response):
            return await beside(answer_of, plan.output, request, response, scope)
        return answer_of(plan.output, request, response, scope)
    if isinstance(action, OrchestrationPlan):
        return await orchestrate(action, plan.output, scope, upstreams)
    return _mock_answer(action, scope)


def _mock_answer(mock: MockPlan, scope: Scope) -> Answer:
    value = mock.answer(scope)
    if isinstance(value, Missing):
        return Answer(204, None, b"")
    return Answer(200, "application/json", encode_json(value), (), value)


def bind_inputs(plans: Sequence[InputPlan], inputs: Inputs) -> dict[str, JsonValue]:
    """The caller's values by input name, checked and in their types.

    Raises CallFailed (INVALID_INPUT) for a value that does not fit or is required and not given.
    A null stands for "not given" where the input has a type.
    """
    values: dict[str, JsonValue] = {}
    without_body = inputs.has_encoded_body()
    for each in plans:
        if without_body and each.whole_body:
            continue
        value, textual = inputs.find(each)
        if value is None and each.type is not None:
            value = Missing.MISSING
        if not isinstance(value, Missing):
            values[each.name] = each.convert(value, textual)
        elif not isinstance(each.default, Missing):
            values[each.name] = each.default
        elif each.required:
            hint = f": {each.description}" if each.description else ""
            message = f'"{each.name}" is required{hint}'
            raise fail(FailureKind.INVALID_INPUT, message, field=each.name)
    return values
