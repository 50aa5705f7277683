"""Call one operation of capability files.

A consumed operation goes by namespace.operation; an operation or a tool that the files expose by
its name. Words with an equals sign are what it is given, the others are files and folders. The
body of the answer goes to standard output, its status to standard error. The exit code is 1 when
the call fails or the answer's status is 400 or above.

The operator's settings hold here too, whichever callers their guards are for. Where the settings
name no state that processes share, what they guard with an approval or a key is refused.

examples:
  naftiko call web-accounts.getaccounts
  naftiko call web-orders.getorder orderid=987654 capabilities/web-orders.yaml
  naftiko call web-orders.placeorder accountid=DU1 body='{"orders": []}' --dry-run
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from naftiko_runtime.cli.options import (
    UsageError,
    add_environment,
    add_settings,
    add_upstreams,
    pairs,
)

if TYPE_CHECKING:
    from naftiko_runtime.engine.outcome import Answer
    from naftiko_runtime.failures import Failure
    from naftiko_runtime.serving.collection import Collection
    from naftiko_runtime.serving.one_call import Preview
    from naftiko_runtime.serving.settings import UpstreamChoices

_GIVEN: Final = re.compile(r"([^=/\\]+)=(.*)", re.DOTALL)
"""A value by its name. A path with an equals sign is told from it by a slash before that."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "operation",
        metavar="OPERATION",
        help="namespace.operation of a consumed operation, or the name of an exposed operation or "
        "tool",
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="what the operation is given (a body is JSON), and capability files or folders "
        "(default: capabilities)",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="show the request that would be sent, without credentials, and send nothing",
    )
    add_settings(parser)
    add_environment(parser)
    add_upstreams(parser)


def run(arguments: argparse.Namespace) -> int:
    from naftiko_runtime.serving.collection import load_collection
    from naftiko_runtime.serving.settings import SourceSettings, UpstreamChoices

    given, paths = _sorted(arguments.words)
    collection = load_collection(
        SourceSettings(
            tuple(paths) or (Path("capabilities"),),
            arguments.env_file,
            pairs(arguments.base_uri, "--base-uri"),
            arguments.settings,
        )
    )
    choices = UpstreamChoices(tuple(arguments.ca), frozenset(arguments.insecure))
    return _call(arguments.operation, given, collection, choices, dry_run=arguments.dry_run)


def _sorted(words: Sequence[str]) -> tuple[dict[str, str], list[Path]]:
    """Values and paths. Raises UsageError for a value that is given twice."""
    given: list[tuple[str, str]] = []
    paths: list[Path] = []
    for word in words:
        match = _GIVEN.fullmatch(word)
        if match is None:
            paths.append(Path(word))
        else:
            given.append((match[1], match[2]))
    names = [name for name, _ in given]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f'"{name}" is given twice')
    return dict(given), paths


def _call(
    name: str,
    given: dict[str, str],
    collection: Collection,
    choices: UpstreamChoices,
    *,
    dry_run: bool,
) -> int:
    import asyncio

    from naftiko_runtime.consumes.pools import TrustError
    from naftiko_runtime.failures import Failure
    from naftiko_runtime.serving.one_call import call_operation, find_operation, preview_operation

    if collection.has_bad_settings:
        return _fail("the settings cannot be read", collection)
    try:
        plan = find_operation(collection.plans, name)
    except ValueError as error:
        return _fail(str(error), collection)
    if dry_run:
        preview = asyncio.run(preview_operation(plan, given))
        return _print_failure(preview) if isinstance(preview, Failure) else _print(preview)
    try:
        outcome = asyncio.run(call_operation(plan, given, collection, choices))
    except TrustError as error:
        return _fail(str(error))
    return _print_failure(outcome) if isinstance(outcome, Failure) else _print_answer(outcome)


def _print_answer(answer: Answer) -> int:
    from naftiko_runtime.serving.logs import one_line

    kind = f", {one_line(answer.content_type)}" if answer.content_type else ""
    print(f"status {answer.status}{kind}", file=sys.stderr, flush=True)
    sys.stdout.buffer.write(answer.body)
    if sys.stdout.isatty() and answer.body and not answer.body.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.flush()
    return 1 if answer.status >= 400 else 0


def _print(preview: Preview) -> int:
    from naftiko_runtime.failures import CallFailed
    from naftiko_runtime.serving.request_text import request_text

    try:
        print("\n\n".join(request_text(request) for request in preview.requests))
    except CallFailed as failed:
        return _print_failure(failed.failure)
    note = "not sent"
    if not preview.requests:
        note = "nothing would be sent: the file has the answer itself"
    elif preview.has_more:
        note += "; what would be sent then depends on the answer"
    print(f"naftiko call: {note}", file=sys.stderr)
    return 0


def _print_failure(failure: Failure) -> int:
    after = f" (Retry-After: {failure.retry_after})" if failure.retry_after is not None else ""
    return _fail(f"{failure.detail} [{failure.kind.slug}]{after}")


def _fail(message: str, collection: Collection | None = None) -> int:
    from naftiko_runtime.problems import Severity
    from naftiko_runtime.serving.logs import one_line

    print(f"naftiko call: {one_line(message)}", file=sys.stderr)
    problems = [] if collection is None else collection.all_problems
    for problem in problems:
        if problem.severity is Severity.ERROR:
            print(f"  {one_line(str(problem))}", file=sys.stderr)
    return 1
