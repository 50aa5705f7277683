"""What guards want to know of each operation besides what executing it takes: which version of its
file it is of, and whether it is declared to change nothing."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from naftiko_runtime.document.model import Capability
from naftiko_runtime.plan.operation import (
    CapabilityPlan,
    OperationPlan,
    ResourcePlan,
    RestOperationPlan,
    ToolPlan,
)


def version_of(text: bytes) -> str:
    """The version of a capability file, by its text."""
    return sha256(text).hexdigest()


def with_provenance(plan: CapabilityPlan, capability: Capability, version: str) -> CapabilityPlan:
    """The plan, whose operations say where they come from."""

    def marked(operation: OperationPlan, read_only: bool | None) -> OperationPlan:
        function = capability.aggregates.get(operation.function or "")
        is_safe = function is not None and function.semantics.safe is True
        return replace(
            operation, version=version, read_only=is_safe if read_only is None else read_only
        )

    def marked_tool(tool: ToolPlan) -> ToolPlan:
        return replace(tool, operation=marked(tool.operation, tool.hints.read_only))

    def marked_exposed(exposed: RestOperationPlan) -> RestOperationPlan:
        return replace(exposed, operation=marked(exposed.operation, None))

    def marked_resource(resource: ResourcePlan) -> ResourcePlan:
        if resource.operation is None:
            return resource
        return replace(resource, operation=marked(resource.operation, None))

    return replace(
        plan,
        rest=tuple(
            replace(each, operations=tuple(map(marked_exposed, each.operations)))
            for each in plan.rest
        ),
        mcp=tuple(
            replace(
                each,
                tools=tuple(map(marked_tool, each.tools)),
                resources=tuple(map(marked_resource, each.resources)),
            )
            for each in plan.mcp
        ),
    )
