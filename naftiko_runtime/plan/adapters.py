"""The plans of the adapters that call nothing: skill catalogues and control ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from pathlib import Path

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.inbound import InboundPlan
from naftiko_runtime.problems import Place
from naftiko_runtime.telemetry.context import Propagation


class ToolMode(StrEnum):
    """How the tool of a skill is called: as an operation or as an MCP tool."""

    REST = "rest"
    MCP = "mcp"


@dataclass(frozen=True, slots=True)
class ToolSource:
    """The action of another adapter of the file that a skill's tool stands for."""

    namespace: str
    action: str
    mode: ToolMode


@dataclass(frozen=True, slots=True)
class SkillToolPlan:
    """Exactly one of `source` and `instruction` (a path in the skill's folder) is given."""

    name: str
    description: str
    source: ToolSource | None = None
    instruction: str | None = None


@dataclass(frozen=True, slots=True)
class SkillPlan:
    """`fields` are those of the Agent Skills format as the file has them; `folder` holds the
    skill's files, None where it has none."""

    name: str
    description: str
    fields: Mapping[str, JsonValue]
    folder: Path | None
    tools: tuple[SkillToolPlan, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class SkillAdapterPlan:
    namespace: str
    port: int
    address: str | None
    description: str
    skills: tuple[SkillPlan, ...]
    place: Place
    authentication: InboundPlan | None = None


@dataclass(frozen=True, slots=True)
class LogsPlan:
    """ControlLogsEndpointSpec: whether levels can be seen and set, and how many callers may
    follow the log at once (0: none)."""

    levels: bool = True
    subscribers: int = 0


@dataclass(frozen=True, slots=True)
class ManagementPlan:
    """ControlManagementSpec with its defaults. `scripting` are the settings of scripts, None
    where the file has none."""

    health: bool = True
    info: bool = False
    reload: bool = False
    validate: bool = False
    logs: LogsPlan | None = None
    scripting: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class ObservabilityPlan:
    """ObservabilitySpec with its defaults. `metrics` and `traces` say whether the control port
    shows them; sampling and propagation are None where the file is silent. `endpoint` is where
    traces are sent."""

    enabled: bool = True
    metrics: bool = True
    traces: bool = True
    buffer_size: int = 100
    sampling: float | None = None
    propagation: Propagation | None = None
    endpoint: Secret | None = None


@dataclass(frozen=True, slots=True)
class ControlAdapterPlan:
    """`observability` is None where the file does not ask for it. Two that do the same are equal,
    wherever they stand."""

    port: int
    address: str | None
    place: Place = field(compare=False)
    management: ManagementPlan = field(default_factory=ManagementPlan)
    observability: ObservabilityPlan | None = None
    authentication: InboundPlan | None = None
