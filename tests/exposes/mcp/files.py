"""Capability files with resources and prompts, served on a real socket by the real engine.

path = write(folder, resources=[{"name": "guide", "uri": "docs://guide", ...}])
async with offering(path) as listener, listener.client(era) as client:
    await client.read_resource("docs://guide")
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.engine.execute import execute
from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.exposes.mcp.table import McpTable, build_mcp_table
from naftiko_runtime.plan.load import LoadedFile, load_file
from naftiko_runtime.plan.operation import Inputs, OperationPlan
from naftiko_runtime.problems import Problem
from tests.exposes.mcp.listener import Listener, listening

Keys = Mapping[str, Any]

TOOL = {
    "name": "hello",
    "description": "Says hello.",
    "outputParameters": [{"name": "text", "type": "string", "value": "hello"}],
}


def write(
    folder: Path,
    *,
    name: str = "shop",
    upstream: str = "http://127.0.0.1:9",
    operations: Sequence[Keys] = (),
    resources: Sequence[Keys] = (),
    prompts: Sequence[Keys] = (),
    binds: Sequence[Keys] = (),
    transport: Keys | None = None,
    authentication: Keys | None = None,
) -> Path:
    """Writes a capability: `up.NAME` for each of `operations` (of keys `name`, `path`, `method`,
    and others of a consumed operation), and an MCP adapter of namespace NAME with one tool,
    `hello`."""
    adapter: dict[str, Any] = {"type": "mcp", "namespace": name, "tools": [TOOL]}
    adapter |= transport or {"port": 9090}
    adapter |= {"resources": [dict(each) for each in resources]} if resources else {}
    adapter |= {"prompts": [dict(each) for each in prompts]} if prompts else {}
    consumed: dict[str, Any] = {
        "type": "http",
        "namespace": "up",
        "description": "An upstream.",
        "baseUri": upstream,
        "resources": [_consumed(each) for each in operations],
    }
    consumed |= {"authentication": dict(authentication)} if authentication else {}
    document: dict[str, Any] = {
        "naftiko": "1.0.0-alpha2",
        "info": {"label": name, "description": f"The {name}."},
        "capability": {"exposes": [adapter]} | ({"consumes": [consumed]} if operations else {}),
    }
    document |= {"binds": [dict(each) for each in binds]} if binds else {}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    return path


def _consumed(keys: Keys) -> dict[str, Any]:
    operation = {"method": "GET", **{key: value for key, value in keys.items() if key != "path"}}
    return {"name": keys["name"], "path": keys["path"], "operations": [operation]}


def a_file(name: str = "guide", uri: str = "docs://guide", **keys: Any) -> dict[str, Any]:
    """A resource of files, or with other keys of something else."""
    return {"name": name, "label": name.title(), "uri": uri, "description": f"The {name}."} | keys


def load(path: Path, **variables: str) -> LoadedFile:
    return load_file(path, variables, {})


def table_of(*paths: Path, **variables: str) -> tuple[McpTable, list[Problem]]:
    """What the files offer together, and what the table has against it."""
    plans = [loaded.plan for path in paths if (loaded := load(path, **variables)).plan]
    adapters = [(plan.label, adapter) for plan in plans if plan for adapter in plan.mcp]
    return build_mcp_table(adapters)


@asynccontextmanager
async def offering(*paths: Path, **variables: str) -> AsyncIterator[Listener]:
    """A listener that offers what the files say."""
    table, _ = table_of(*paths, **variables)
    upstreams = HttpUpstreams(UpstreamSettings())

    async def call(plan: OperationPlan, inputs: Inputs) -> Outcome:
        return await execute(plan, inputs, upstreams)

    try:
        async with listening(table, call) as listener:
            yield listener
    finally:
        await upstreams.aclose()
