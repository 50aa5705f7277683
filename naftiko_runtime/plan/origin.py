"""Where a call comes from."""

from __future__ import annotations

from typing import Final

from naftiko_runtime.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """`protocol` is `rest` or `mcp`; `principal` is who the adapter let in, empty for an unknown
    caller. What a person approves holds for one origin."""

    protocol: str
    principal: str = ""


UNKNOWN_REST: Final = Origin("rest")
UNKNOWN_MCP: Final = Origin("mcp")
