"""Say what is wrong with capability files and the settings beside them, and how to mend it.

Each problem is one line: file, line and column, severity, what is wrong, the remedy, and where
that is inside the document. The exit code is 1 when there are errors, 0 otherwise.

examples:
  naftiko validate orders.yaml
  naftiko validate capabilities --strict             also what goes beyond the official schema
  naftiko validate capabilities --format sarif       for code scanning
  naftiko validate capabilities/runtime.yaml         the settings alone
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from naftiko_runtime.cli.options import UsageError, add_environment, add_settings

if TYPE_CHECKING:
    from naftiko_runtime.cli.problem_formats import Findings
    from naftiko_runtime.problems import Problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a capability file, a folder of them, or a runtime.yaml",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="also list what works here but goes beyond the official schema",
    )
    parser.add_argument(
        "--format",
        choices=("text", "json", "sarif"),
        default="text",
        help="how to print the problems, on standard output (default: text)",
    )
    add_settings(parser)
    add_environment(parser)


def run(arguments: argparse.Namespace) -> int:
    from naftiko_runtime.cli.problem_formats import FORMATS

    paths, settings = _told_apart(arguments.paths, arguments.settings)
    findings = find_problems(paths, arguments.env_file, arguments.strict, settings)
    FORMATS[arguments.format](findings, sys.stdout)
    return 1 if findings.errors else 0


def _told_apart(
    paths: Sequence[Path], settings: Path | None
) -> tuple[tuple[Path, ...], Path | None]:
    """The capability files, and the settings where they are named among them."""
    from naftiko_runtime.serving.discovery import is_settings_name

    named = [path for path in paths if settings is None and is_settings_name(path)]
    if len(named) > 1:
        raise UsageError("a process works by one file of settings: name one of them")
    others = tuple(path for path in paths if path not in named)
    return others, named[0] if named else settings


def find_problems(
    paths: tuple[Path, ...], env_file: Path | None, strict: bool, settings: Path | None = None
) -> Findings:
    """All problems of the files that the paths stand for, of serving them together, and of the
    operator's settings."""
    from naftiko_runtime.cli.problem_formats import Findings
    from naftiko_runtime.problems import Severity, in_file_order
    from naftiko_runtime.serving.collection import load_collection
    from naftiko_runtime.serving.settings import PortSettings, SourceSettings
    from naftiko_runtime.serving.tables import build_tables

    collection = load_collection(SourceSettings(paths, env_file, settings=settings))
    _, together = build_tables(collection.plans, PortSettings())
    # An adapter for standard input and output is a problem to `serve` alone.
    together = [problem for problem in together if problem.rule != "stdio-adapter"]
    problems = in_file_order([*collection.all_problems, *together])
    if strict:
        for path in collection.files:
            problems += _beyond_the_official_schema(path)
    else:
        problems = [p for p in problems if p.severity is not Severity.NOTE]
    files = len(collection.files) + (collection.operator.file is not None)
    return Findings.of(files, problems)


def _beyond_the_official_schema(path: Path) -> list[Problem]:
    from naftiko_runtime.document.schema_check import check_schema
    from naftiko_runtime.document.yaml_reader import read_yaml
    from naftiko_runtime.problems import Severity
    from naftiko_runtime.serving.contents import looks_like_capability, read_bytes

    try:
        content = read_bytes(path)
    except OSError:
        return []  # reported already
    document, _ = read_yaml(content, str(path)) if looks_like_capability(content) else (None, [])
    if document is None:
        return []
    return [p for p in check_schema(document, strict=True) if p.severity is Severity.NOTE]
