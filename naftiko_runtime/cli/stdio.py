"""Serve capability files to an MCP client over standard input and output.

A client such as an editor or a chat application starts this command itself and speaks MCP with
it. It gets the tools, resources and prompts of all MCP adapters, whatever transport and port they
name; whatever there is to say about the files goes to standard error.

examples:
  naftiko stdio orders.yaml
and as the entry of a client's configuration:
  {"mcpServers": {"orders": {"command": "naftiko", "args": ["stdio", "/path/to/orders.yaml"]}}}
"""

from __future__ import annotations

import argparse
from pathlib import Path

from naftiko_runtime.cli.options import (
    add_environment,
    add_logs,
    add_settings,
    add_upstreams,
    pairs,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a capability file, or a folder of them"
    )
    add_settings(parser)
    add_environment(parser)
    add_upstreams(parser)
    parser.add_argument(
        "--watch",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="follow changes of the files (default: yes)",
    )
    add_logs(parser)


def run(arguments: argparse.Namespace) -> int:
    from naftiko_runtime.serving.settings import (
        LogFormat,
        LogLevel,
        LogSettings,
        ServeSettings,
        SourceSettings,
        UpstreamChoices,
    )
    from naftiko_runtime.serving.stdio_process import run_stdio

    settings = ServeSettings(
        sources=SourceSettings(
            tuple(arguments.paths),
            arguments.env_file,
            pairs(arguments.base_uri, "--base-uri"),
            arguments.settings,
        ),
        upstreams=UpstreamChoices(tuple(arguments.ca), frozenset(arguments.insecure)),
        logs=LogSettings(LogFormat(arguments.log_format), LogLevel(arguments.log_level)),
        watch=arguments.watch,
    )
    return run_stdio(settings)
