"""The endpoints of one control adapter: those that its toggles turn on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from naftiko_runtime.exposes.authentication import Door, door_of, metadata_pages
from naftiko_runtime.exposes.control import files, health, logs, state, telemetry_pages
from naftiko_runtime.exposes.control.management import Management
from naftiko_runtime.exposes.control.paths import ANY, paths_of
from naftiko_runtime.exposes.endpoints import Handler
from naftiko_runtime.plan.adapters import ControlAdapterPlan

_Path: TypeAlias = tuple[str, ...]


class ControlSite:
    """The Site of one listener's control adapter. Never changed: a reload makes another one."""

    __slots__ = ("_endpoints", "door")

    def __init__(self, plan: ControlAdapterPlan, process: Management) -> None:
        asked = [plan.authentication]
        self.door: Door = door_of(asked, metadata_pages(asked))
        everything = _endpoints(plan, process)
        self._endpoints = {path: everything[path] for path in paths_of(plan)}

    def find(self, segments: _Path) -> Mapping[str, Handler] | None:
        found = self._endpoints.get(segments)
        if found is None and len(segments) == 2 and segments[1]:
            return self._endpoints.get((segments[0], ANY))
        return found

    def unknown(self, path: str) -> str:
        paths = ", ".join(f'"/{"/".join(segments)}"' for segments in sorted(self._endpoints))
        return f'nothing is served at "{path}" - the file turns on {paths or "nothing"}'


def _endpoints(plan: ControlAdapterPlan, process: Management) -> dict[_Path, Mapping[str, Handler]]:
    log, telemetry = process.logs, process.telemetry
    most = plan.management.logs.subscribers if plan.management.logs is not None else 0
    return {
        ("health", "live"): {"GET": health.live},
        ("health", "ready"): {"GET": health.ready(process)},
        ("status",): {"GET": state.show_status(process, plan.place.file)},
        ("config",): {"GET": state.show_config(process)},
        ("config", "validate"): {"POST": files.validate(process)},
        ("config", "reload"): {"POST": files.reload(process)},
        ("logs",): {"GET": logs.show_levels(log), "PUT": logs.set_level(log)},
        ("logs", ANY): {"GET": logs.show_level(log), "PUT": logs.set_level(log)},
        ("logs", "stream"): {"GET": logs.follow(log, most)},
        ("scripting",): {"GET": state.show_scripting(plan.management.scripting or {})},
        ("metrics",): {"GET": telemetry_pages.show_metrics(telemetry)},
        ("traces",): {"GET": telemetry_pages.list_traces(telemetry)},
        ("traces", ANY): {"GET": telemetry_pages.show_trace(telemetry)},
    }
