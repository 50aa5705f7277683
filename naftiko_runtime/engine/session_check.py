"""Makes one call that shows whether somebody is logged in to an upstream."""

from __future__ import annotations

from enum import StrEnum

from naftiko_runtime.consumes.messages import Upstreams
from naftiko_runtime.consumes.sessions import tells_session_end
from naftiko_runtime.failures import CallFailed, FailureKind
from naftiko_runtime.json_values import Missing
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import CallPlan, OperationPlan, Scope


class SessionState(StrEnum):
    """`failing`: the upstream gave no answer that says so either way."""

    OPEN = "open"
    LOST = "lost"
    FAILING = "failing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SessionCheck:
    """What one call showed; `detail` is a sentence for the operator, empty for an open session."""

    state: SessionState
    detail: str = ""


async def check_session(plan: OperationPlan, upstreams: Upstreams) -> SessionCheck:
    """Calls a consumed operation, whose plan is that of a single call, without any input but the
    defaults of its own."""
    assert isinstance(plan.action, CallPlan), "a consumed operation is one call"
    try:
        request = plan.action.build(_without_input(plan))
        answer = await upstreams.send(request)
    except CallFailed as failed:
        lost = failed.failure.kind is FailureKind.SESSION_ENDED
        state = SessionState.LOST if lost else SessionState.FAILING
        return SessionCheck(state, failed.failure.detail)
    if tells_session_end(answer.status, answer.headers, answer.body):
        what = "nobody is logged in there"
        return SessionCheck(SessionState.LOST, f'"{plan.name}" answered {answer.status}: {what}')
    if 200 <= answer.status < 300:
        return SessionCheck(SessionState.OPEN)
    return SessionCheck(SessionState.FAILING, f'"{plan.name}" answered {answer.status}')


def _without_input(plan: OperationPlan) -> Scope:
    values = {each.name: each.default for each in plan.inputs}
    return Scope({name: value for name, value in values.items() if not isinstance(value, Missing)})
