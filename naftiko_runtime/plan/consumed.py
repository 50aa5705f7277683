"""Plans for calling consumed operations on their own, without anything that exposes them: for what
the operator has called on a schedule, or calls from a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial

from naftiko_runtime.document.behaviour import Behaviour, Call
from naftiko_runtime.document.upstreams import ConsumedOperation
from naftiko_runtime.plan.behaviour import OutOfService, Part, Surroundings, compile_behaviour
from naftiko_runtime.plan.operation import OperationPlan


def consumed_plans(surroundings: Surroundings) -> Mapping[str, Callable[[], OperationPlan]]:
    """By `namespace.operation`, what gives its plan. Each is compiled when it is first asked for:
    most never are. Raises ValueError there for an operation that cannot be called."""
    return {
        operation.reference: cache(partial(_compile, operation, surroundings))
        for consumes in surroundings.consumes.values()
        for operation in consumes.operations.values()
    }


def _compile(operation: ConsumedOperation, surroundings: Surroundings) -> OperationPlan:
    """As if a tool did nothing but call it: its inputs are what the operation takes, its answer is
    the upstream's."""
    call = Call(operation.place, operation.path, operation.reference)
    part = Part(operation.reference, (), Behaviour(call=call))
    try:
        return compile_behaviour(part, surroundings)
    except OutOfService as error:
        raise ValueError(str(error)) from error
