"""Stop every change at once, or let changes be made again.

It makes the file that the operator's settings name ("halt", by default HALT beside them). As long
as it is there, running processes send nothing that could change anything, and neither do those
that are started later; reading goes on. Nothing has to run for it. Where the settings name a Redis
server, all processes that share it are halted too.

examples:
  naftiko halt                       for what is served from ./capabilities
  naftiko halt orders.yaml           for a served file
  naftiko halt --lift                let changes be made again
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from naftiko_runtime.cli.options import add_environment, add_settings

if TYPE_CHECKING:
    from naftiko_runtime.serving.halting import Halting

_OTHERS = (
    "processes that were started with --settings look at the file that those name: halt them with "
    "the same --settings"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        default=[Path("capabilities")],
        metavar="PATH",
        help="what is served: files and folders as for serve (default: capabilities)",
    )
    parser.add_argument("--lift", action="store_true", help="take the halt back")
    add_settings(parser)
    add_environment(parser)


def run(arguments: argparse.Namespace) -> int:
    from naftiko_runtime.serving.halting import HaltError, find_halting
    from naftiko_runtime.serving.settings import SourceSettings

    sources = SourceSettings(
        tuple(arguments.paths), arguments.env_file, settings=arguments.settings
    )
    try:
        halting = find_halting(sources)
        if halting.doubt:
            print(halting.doubt, file=sys.stderr)
        if arguments.lift:
            return _lift(halting)
        code = _halt(halting)
        if arguments.settings is None:
            print(_OTHERS)
        return code
    except HaltError as error:
        print(error, file=sys.stderr)
        return 1


def _halt(halting: Halting) -> int:
    was_there = not halting.halt("naftiko halt")
    since = "already halted" if was_there else "halted"
    print(f'{since}: nothing is changed as long as "{halting.file}" is there')
    print('"naftiko halt --lift" takes it back')
    return 0


def _lift(halting: Halting) -> int:
    if halting.lift():
        print(f'lifted: "{halting.file}" is gone, changes are made again')
    else:
        print(f'nothing was halted: there is no "{halting.file}"')
    return 0
