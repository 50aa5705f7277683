"""What people see who open an MCP endpoint in a browser, or at the wrong path."""

from __future__ import annotations

from html import escape
from typing import Final

from naftiko_runtime.exposes.mcp.table import McpTable
from naftiko_runtime.exposes.rest.reply import Reply
from naftiko_runtime.failures import Failure, FailureKind

PATHS: Final = frozenset({"/mcp", "/mcp/", "/"})

_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>MCP endpoint</title>
<style>body {{ font: 16px/1.5 sans-serif; max-width: 40em; margin: 3em auto }}</style>
<h1>This is an MCP endpoint</h1>
<p>It answers AI agents, not browsers: give this address, with the path <code>/mcp</code>, to an
MCP client as a <em>streamable HTTP</em> server.</p>
<p>Served here: {title} ({summary}).</p>
</html>
"""


def unknown_path(path: str) -> Failure:
    return Failure(
        FailureKind.UNKNOWN_PATH, f'nothing is served at "{path[:200]}" - MCP clients call "/mcp"'
    )


def not_answered(method: str) -> Failure:
    return Failure(
        FailureKind.METHOD_NOT_ALLOWED,
        f"MCP clients send POST requests here, not {method[:20]}; "
        "GET and DELETE are for sessions of the protocol's versions before 2026-07-28",
    )


def page(table: McpTable) -> Reply:
    """The answer to a browser: still 405, as the transport demands, but readable."""
    body = _PAGE.format(title=escape(table.title or "nothing"), summary=table.summary).encode()
    headers = [
        (b"allow", b"POST"),
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]
    return Reply(405, headers, body)
