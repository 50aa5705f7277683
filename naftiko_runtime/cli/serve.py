"""Serve capability files over REST and MCP, following their changes.

Files that name the same port share it. A file that is added to a served folder, changed or
removed takes effect at once; a broken one is named with its line, and what it served before goes
on. Ctrl+C lets the calls in flight finish.

examples:
  naftiko serve                                  what is in ./capabilities
  naftiko serve orders.yaml accounts.yaml        two files
  naftiko serve capabilities --port 8080=8081    where another program has port 8080
  naftiko serve capabilities --env-file .env     credentials from a file
"""

from __future__ import annotations

import argparse
import gc
from pathlib import Path

from naftiko_runtime.cli.options import (
    UsageError,
    add_environment,
    add_logs,
    add_settings,
    add_upstreams,
    moved_port,
    pairs,
    seconds,
    whole_number,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        default=[Path("capabilities")],
        metavar="PATH",
        help="a capability file, or a folder of them (default: capabilities)",
    )
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        help="listen there, whatever the files say; ports for control alone stay where they are "
        "(default: the file's address, else 127.0.0.1)",
    )
    parser.add_argument(
        "--port",
        type=moved_port,
        action="append",
        default=[],
        metavar="DECLARED=ACTUAL",
        help="open another port than the files declare, 0 for any free one (repeatable)",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name under which callers reach this service, as behind a reverse proxy "
        "(repeatable)",
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
    parser.add_argument(
        "--workers",
        type=whole_number(1, 256),
        default=1,
        metavar="N",
        help="serve with N processes on the same ports (default: 1)",
    )
    parser.add_argument(
        "--grace",
        type=seconds,
        default=10.0,
        metavar="SECONDS",
        help="how long calls in flight may go on after a stop signal (default: 10)",
    )
    add_logs(parser)


def run(arguments: argparse.Namespace) -> int:
    gc.disable()  # `run_program`, which does the same, enables it again
    from naftiko_runtime.serving.program import run_program
    from naftiko_runtime.serving.settings import (
        LogFormat,
        LogLevel,
        LogSettings,
        PortSettings,
        ServeSettings,
        SourceSettings,
        UpstreamChoices,
    )

    settings = ServeSettings(
        sources=SourceSettings(
            tuple(arguments.paths),
            arguments.env_file,
            pairs(arguments.base_uri, "--base-uri"),
            arguments.settings,
        ),
        ports=PortSettings(
            arguments.host,
            pairs(arguments.port, "--port"),
            tuple(arguments.allow_host),
        ),
        upstreams=UpstreamChoices(tuple(arguments.ca), frozenset(arguments.insecure)),
        logs=LogSettings(LogFormat(arguments.log_format), LogLevel(arguments.log_level)),
        watch=arguments.watch,
        workers=arguments.workers,
        grace=arguments.grace,
    )
    if settings.workers == 1:
        return run_program(settings)
    gc.enable()
    from naftiko_runtime.serving.workers import can_share_ports, run_workers

    if not can_share_ports():
        raise UsageError("--workers needs a system on which processes can share a port")
    if 0 in settings.ports.moved.values():
        raise UsageError("--workers needs ports that all workers know: give --port a number")
    return run_workers(settings)
