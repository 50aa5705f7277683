"""What a process serves and how it was started, without any secret.

It is told from the plans, which say what is in force, whatever the files say by now. Values of
variables and credentials are not in what is read here; that a variable has a value shows as `***`.
"""

from __future__ import annotations

from collections.abc import Iterable

from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.adapters import ControlAdapterPlan, SkillAdapterPlan
from naftiko_runtime.plan.operation import CapabilityPlan, McpAdapterPlan, RestAdapterPlan
from naftiko_runtime.serving.collection import Collection
from naftiko_runtime.serving.operator_settings import SettingsVersion
from naftiko_runtime.serving.settings import ServeSettings
from naftiko_runtime.telemetry.otlp import shown_origin

_MASK = "***"


def describe_config(settings: ServeSettings, collection: Collection) -> dict[str, JsonValue]:
    kept = {file.plan.file: file.kept for file in collection.files.values() if file.plan}
    return {
        "settings": _describe_settings(settings),
        "operator": _describe_operator(collection.operator),
        "capabilities": [
            {**_describe_plan(plan), "kept": kept[plan.file]} for plan in collection.plans
        ],
    }


def _describe_operator(version: SettingsVersion) -> JsonValue:
    """Which of the operator's settings are in force; None where there is no file of them."""
    settings = version.settings
    if settings is None or settings.file is None:
        return None
    return {
        "file": str(settings.file),
        "kept": version.kept,
        "upstreams": [rule.match for rule in settings.upstreams],
        "guards": [[*rule.match] for rule in settings.guards],
        "hiddenTools": [*settings.hidden],
        "audit": None if settings.audit is None else str(settings.audit),
        "halt": None if settings.halt is None else str(settings.halt),
    }


def _describe_settings(settings: ServeSettings) -> JsonValue:
    sources, ports = settings.sources, settings.ports
    return {
        "paths": [str(path) for path in sources.paths],
        "envFile": None if sources.env_file is None else str(sources.env_file),
        "host": ports.host,
        "ports": {str(declared): actual for declared, actual in ports.moved.items()},
        "allowedHosts": list(ports.allowed_hosts),
        "insecure": [*sorted(settings.upstreams.insecure)],
        "watch": settings.watch,
        "workers": settings.workers,
        "graceSeconds": settings.grace,
    }


def _describe_plan(plan: CapabilityPlan) -> dict[str, JsonValue]:
    adapters: list[JsonValue] = [
        *map(_describe_rest, plan.rest),
        *map(_describe_mcp, plan.mcp),
        *map(_describe_skills, plan.skills),
        *map(_describe_control, plan.control),
    ]
    return {
        "file": plan.file,
        "label": plan.label,
        "description": plan.description,
        "upstreams": {**plan.upstreams},
        "variables": {name: _MASK if is_set else None for name, is_set in plan.variables.items()},
        "adapters": adapters,
    }


def _describe_rest(adapter: RestAdapterPlan) -> JsonValue:
    operations: list[JsonValue] = [
        {"method": each.method, "path": each.route, "name": each.name}
        for each in adapter.operations
    ]
    return {**_describe_place("rest", adapter), "operations": operations}


def _describe_mcp(adapter: McpAdapterPlan) -> JsonValue:
    return {
        **_describe_place("mcp", adapter),
        "transport": adapter.transport.value,
        "tools": _names(tool.name for tool in adapter.tools),
        "resources": _names(resource.name for resource in adapter.resources),
        "prompts": _names(prompt.name for prompt in adapter.prompts),
    }


def _describe_skills(adapter: SkillAdapterPlan) -> JsonValue:
    return {
        **_describe_place("skill", adapter),
        "skills": _names(skill.name for skill in adapter.skills),
    }


def _describe_control(adapter: ControlAdapterPlan) -> JsonValue:
    toggles, observed = adapter.management, adapter.observability
    return {
        **_describe_place("control", adapter),
        "management": {
            "health": toggles.health,
            "info": toggles.info,
            "reload": toggles.reload,
            "validate": toggles.validate,
            "logs": None
            if toggles.logs is None
            else {"levels": toggles.logs.levels, "subscribers": toggles.logs.subscribers},
            "scripting": None if toggles.scripting is None else {**toggles.scripting},
        },
        "observability": None
        if observed is None
        else {
            "enabled": observed.enabled,
            "metrics": observed.metrics,
            "traces": observed.traces,
            "bufferSize": observed.buffer_size,
            "sampling": observed.sampling,
            "propagation": None if observed.propagation is None else observed.propagation.value,
            "collector": None
            if observed.endpoint is None
            else shown_origin(observed.endpoint.reveal()),
        },
    }


def _describe_place(
    kind: str,
    adapter: RestAdapterPlan | McpAdapterPlan | SkillAdapterPlan | ControlAdapterPlan,
) -> dict[str, JsonValue]:
    asked = adapter.authentication
    return {
        "type": kind,
        "namespace": None if isinstance(adapter, ControlAdapterPlan) else adapter.namespace,
        "address": adapter.address,
        "port": adapter.port,
        "authentication": None if asked is None else asked.type.value,
    }


def _names(names: Iterable[str]) -> JsonValue:
    return list(names)
