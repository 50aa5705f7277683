"""Runs Naftiko capability files as REST and MCP services."""
