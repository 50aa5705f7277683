"""What guards want to know of each operation besides what executing it takes: which version of its
file it is of, and whether it is declared to change nothing, or something."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from naftiko_runtime.document.model import Capability, Hints
from naftiko_runtime.plan.operation import (
    CapabilityPlan,
    OperationPlan,
    ResourcePlan,
    RestOperationPlan,
    ToolPlan,
)

_SILENT: Final = Hints()


def version_of(text: bytes, more: Iterable[Path] = ()) -> str:
    """The version of a capability file, by its text and that of the files that it is made of
    besides: imports and scripts."""
    version = sha256(text).hexdigest()
    for path in more:
        with suppress(OSError):  # what is not there is a problem of the file
            if not path.is_file():
                continue
            version = sha256(f"{version} {path} ".encode() + path.read_bytes()).hexdigest()
    return version


def with_provenance(plan: CapabilityPlan, capability: Capability, version: str) -> CapabilityPlan:
    """The plan, whose operations say where they come from."""

    def marked(operation: OperationPlan, hints: Hints = _SILENT) -> OperationPlan:
        """Of declarations that contradict each other, the one of a change counts."""
        function = capability.aggregates.get(operation.function or "")
        safe = None if function is None else function.semantics.safe
        said = safe if hints.read_only is None else hints.read_only
        changes = hints.destructive is True or said is False
        return replace(
            operation, version=version, read_only=said is True and not changes, changes=changes
        )

    def marked_tool(tool: ToolPlan) -> ToolPlan:
        return replace(tool, operation=marked(tool.operation, tool.hints))

    def marked_exposed(exposed: RestOperationPlan) -> RestOperationPlan:
        return replace(exposed, operation=marked(exposed.operation))

    def marked_resource(resource: ResourcePlan) -> ResourcePlan:
        if resource.operation is None:
            return resource
        return replace(resource, operation=marked(resource.operation))

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
