"""The member of `_meta` with which a client asks what a tool would send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from naftiko_runtime.exposes.mcp.fast_requests import DRY_RUN
from naftiko_runtime.exposes.mcp.protocol import wrong_params


def wants_dry_run(meta: Mapping[str, Any] | None) -> bool:
    """Whether nothing is to be changed. Raises MCPError for what is neither yes nor no: whoever
    says something of the kind does not expect to be taken seriously."""
    wanted = (meta or {}).get(DRY_RUN, False)
    if not isinstance(wanted, bool):
        raise wrong_params(f'"{DRY_RUN}" in "_meta" is true or false')
    return wanted
