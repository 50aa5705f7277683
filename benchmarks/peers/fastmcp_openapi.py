"""FastMCP with tools generated from an OpenAPI document.

`python fastmcp_openapi.py PORT TOOLS UPSTREAM`, in an environment that has fastmcp.
"""

import sys

import httpx2 as httpx
from fastmcp import FastMCP

port, count, upstream = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
parameter = {"name": "symbol", "in": "query", "required": True, "schema": {"type": "string"}}
document = {
    "openapi": "3.1.0",
    "info": {"title": "Peer", "version": "1"},
    "servers": [{"url": upstream}],
    "paths": {
        f"/orders-{i}": {
            "get": {
                "operationId": f"tool_{i}",
                "description": f"Orders {i}",
                "parameters": [parameter],
                "responses": {"200": {"description": "The orders"}},
            }
        }
        for i in range(count)
    },
}
server = FastMCP.from_openapi(
    openapi_spec=document, client=httpx.AsyncClient(base_url=upstream), name="peer"
)
server.run(
    transport="http", host="127.0.0.1", port=port, show_banner=False, stateless_http=True,
    json_response=True, log_level="warning",
)  # fmt: skip
