"""What the handlers of MCP requests share: eras, pages of lists, and errors of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import mcp_types as types
from mcp.server import ServerRequestContext
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.shared.exceptions import MCPError
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from naftiko_runtime.exposes.mcp.lists import page_after
from naftiko_runtime.plan.origin import UNKNOWN_MCP, Origin

Context: TypeAlias = ServerRequestContext[Any, Any]

_Item = TypeVar("_Item")


def is_handshake(context: Context) -> bool:
    """Whether the client speaks a version before 2026-07-28."""
    return context.protocol_version in HANDSHAKE_PROTOCOL_VERSIONS


def principal_of(context: Context) -> str | None:
    """Who calls, None for a caller who was not asked."""
    user = context.request.scope.get("user") if context.request is not None else None
    return user.username if isinstance(user, AuthenticatedUser) else None


def origin_of(context: Context) -> Origin:
    """Where a call comes from, for guards to judge by."""
    principal = principal_of(context)
    return Origin("mcp", principal) if principal else UNKNOWN_MCP


def page_of(
    items: Sequence[_Item], key: Callable[[_Item], str], params: types.PaginatedRequestParams | None
) -> tuple[Sequence[_Item], str | None]:
    """The page that a list request asks for, and the cursor of the next one. Raises MCPError
    for an unknown cursor."""
    found = page_after(items, key, params.cursor if params is not None else None)
    if found is None:
        raise wrong_params("unknown cursor - list from the start")
    return found


def wrong_params(message: str, data: Any = None) -> MCPError:
    """The error to raise for a request that another one would do better than."""
    return MCPError(types.INVALID_PARAMS, message, data)


def unknown(what: str, name: str, near: str | None) -> MCPError:
    """The error to raise for a name that nothing has."""
    remedy = f' - did you mean "{near}"?' if near else ""
    return wrong_params(f'unknown {what} "{name[:100]}"{remedy}')
