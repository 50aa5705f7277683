"""A program whose calls need a person's word, over stdio; tests start it as desktop clients do."""

from __future__ import annotations

import asyncio
import sys

from naftiko_runtime.exposes.mcp.stdio import open_stdio_server, serve_stdio
from tests.exposes.mcp.gateway_that_asks import Gateway, a_trading_table

gateway = Gateway(frozenset(sys.argv[1:]))
asyncio.run(serve_stdio(open_stdio_server(a_trading_table(), gateway.execute)))
