"""The command line: `naftiko COMMAND ...`, one module per command.

A command module has a docstring (its help), `add_arguments(parser)` and `run(arguments)`, which
returns the exit code: 0 fine, 1 problems, 2 wrong usage. It imports what it runs inside `run`, so
that `naftiko --help` stays quick and `validate` loads no server.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from naftiko_runtime import __version__
from naftiko_runtime.cli.options import UsageError

COMMANDS = (
    "serve",
    "validate",
    "stdio",
    "call",
    "doctor",
    "approve",
    "halt",
    "trust",
    "audit",
    "schema",
)

_DESCRIPTION = """\
Runs Naftiko capability files: every operation of a file answers REST clients and AI agents (MCP),
with the calls made against the API that the file consumes.

  naftiko serve capabilities/        serve a folder of files, and follow its changes
  naftiko validate orders.yaml       say what is wrong with a file, and how to mend it
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line and returns its exit code."""
    words = sys.argv[1:] if argv is None else argv
    # The others are loaded only to be listed, or to say that there is no such command.
    parser = _build_parser(words[:1] if words and words[0] in COMMANDS else COMMANDS)
    arguments, left = parser.parse_known_args(words)
    if left and not (hasattr(arguments, "words") and _are_words(left)):
        parser.error(f"unrecognized arguments: {' '.join(left)}")
    if left:  # those behind an option, which argparse does not look for
        arguments.words += left
    run: Callable[[argparse.Namespace], int] = arguments.run
    command: argparse.ArgumentParser = arguments.parser
    try:
        return run(arguments)
    except UsageError as error:
        command.error(str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; so may its last lines.
        sys.stdout = None
        return 1


def _are_words(left: Sequence[str]) -> bool:
    return not any(word.startswith("-") for word in left)


def _build_parser(names: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="naftiko",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"naftiko {__version__}",
        help="print the version and stop",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in names:
        module = import_module(f"{__name__}.{name}")
        summary = (module.__doc__ or "").partition("\n")[0]
        command = commands.add_parser(
            name,
            help=summary[:1].lower() + summary[1:].rstrip("."),
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run, parser=command)
    return parser
