"""The MCP adapter: tools out of plans, over streamable HTTP and stdio.

Importing the package, `tools` or `application` does not import the MCP SDK, which takes half a
second and 40 MB; `transport`, `server` and `stdio` do.
"""
