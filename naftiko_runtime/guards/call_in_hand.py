"""A call as it came in, and what guards note of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from naftiko_runtime.engine.execute import bind_inputs
from naftiko_runtime.guards.identity import repetition_hash
from naftiko_runtime.guards.masking import masked_value
from naftiko_runtime.guards.request_document import describe_request
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import Inputs, OperationPlan, UpstreamRequest
from naftiko_runtime.settings.model import GuardRule


@dataclass(slots=True)
class CallInHand:
    """An exposed operation or tool with the caller's values, for the time of one call."""

    plan: OperationPlan
    inputs: Inputs
    _arguments: Mapping[str, JsonValue] | None = field(default=None, init=False)

    def arguments(self) -> Mapping[str, JsonValue]:
        """The caller's values by the names of the inputs, credentials and all."""
        if self._arguments is None:
            self._arguments = bind_inputs(self.plan.inputs, self.inputs)
        return self._arguments

    def shown_arguments(self, request: UpstreamRequest) -> Mapping[str, JsonValue]:
        """The same without the credentials of one of its requests."""
        shown = masked_value(dict(self.arguments()), request.secrets)
        assert isinstance(shown, dict)
        return shown

    def repeats(self, request: UpstreamRequest) -> str:
        """What a request of this call has in common with those of its repetitions."""
        return repetition_hash(self.inputs.origin, self.plan, request, self.arguments())

    def entry(
        self, request: UpstreamRequest, rules: Sequence[GuardRule]
    ) -> Mapping[str, JsonValue]:
        """What the audit has of a request that is sent under these rules."""
        origin = self.inputs.origin
        decisions: dict[str, JsonValue] = {}
        if any(rule.limits for rule in rules):
            decisions["limits"] = "kept"
        if any(rule.idempotency for rule in rules):
            decisions["idempotency"] = "first"
        if any(rule.approve for rule in rules):
            decisions["approval"] = "approved"
        return {
            "protocol": origin.protocol,
            "caller": origin.principal,
            "capability": self.plan.capability,
            "name": self.plan.name,
            "arguments": dict(self.shown_arguments(request)),
            "request": describe_request(request),
            "guards": decisions,
        }
