"""Which adapters of the files are being served, for those who ask whether a process is ready."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from naftiko_runtime.document.model import McpTransport
from naftiko_runtime.exposes.control.management import AdapterState
from naftiko_runtime.plan.adapters import ControlAdapterPlan, SkillAdapterPlan
from naftiko_runtime.plan.operation import CapabilityPlan, McpAdapterPlan, RestAdapterPlan
from naftiko_runtime.serving.service import OpenPort

_Adapter: TypeAlias = RestAdapterPlan | McpAdapterPlan | SkillAdapterPlan | ControlAdapterPlan


def adapter_states(
    plans: Iterable[CapabilityPlan], ports: Iterable[OpenPort]
) -> tuple[AdapterState, ...]:
    """Every adapter of every file that needs a port, in the order of the files."""
    opened = dict(_served(ports))
    states: list[AdapterState] = []
    for plan in plans:
        label = plan.label or plan.file
        mcp = [each for each in plan.mcp if each.transport is not McpTransport.STDIO]
        named: list[tuple[str, _Adapter, str | None]] = [
            *(("rest", each, each.namespace) for each in plan.rest),
            *(("mcp", each, each.namespace) for each in mcp if each.port is not None),
            *(("skill", each, each.namespace) for each in plan.skills),
            *(("control", each, None) for each in plan.control),
        ]
        for kind, adapter, namespace in named:
            port = opened.get(id(adapter))
            states.append(
                AdapterState(
                    kind,
                    namespace,
                    adapter.port if port is None else port,
                    label,
                    port is not None,
                )
            )
        states += (
            AdapterState(each.type, each.namespace or None, each.port, label, False)
            for each in plan.unserved
        )
    return tuple(states)


def _served(ports: Iterable[OpenPort]) -> Iterator[tuple[int, int]]:
    """The adapters that answer, by identity, with the port at which they do."""
    for port in ports:
        plan = port.plan
        answering: list[_Adapter] = [adapter for _, adapter in plan.rest]
        answering += [adapter for _, adapter in plan.mcp]
        answering += [adapter for _, adapter in plan.skills] if port.skills is not None else []
        answering += [] if port.control is None else [port.control]
        for adapter in answering:
            yield id(adapter), port.port
