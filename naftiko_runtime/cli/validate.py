"""Say what is wrong with capability files, and how to mend it.

Each problem is one line: file, line and column, severity, what is wrong, the remedy, and where
that is inside the document. The exit code is 1 when there are errors, 0 otherwise.

examples:
  naftiko validate orders.yaml
  naftiko validate capabilities --strict             also what goes beyond the official schema
  naftiko validate capabilities --format sarif       for code scanning
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from naftiko_runtime.cli.options import add_environment

if TYPE_CHECKING:
    from naftiko_runtime.cli.problem_formats import Findings
    from naftiko_runtime.problems import Problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a capability file, or a folder of them"
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
    add_environment(parser)


def run(arguments: argparse.Namespace) -> int:
    from naftiko_runtime.cli.problem_formats import FORMATS

    findings = find_problems(tuple(arguments.paths), arguments.env_file, arguments.strict)
    FORMATS[arguments.format](findings, sys.stdout)
    return 1 if findings.errors else 0


def find_problems(paths: tuple[Path, ...], env_file: Path | None, strict: bool) -> Findings:
    """All problems of the files that the paths stand for, and of serving them together."""
    from naftiko_runtime.cli.problem_formats import Findings
    from naftiko_runtime.problems import Severity, in_file_order
    from naftiko_runtime.serving.collection import load_collection
    from naftiko_runtime.serving.settings import PortSettings, SourceSettings
    from naftiko_runtime.serving.tables import build_tables

    collection = load_collection(SourceSettings(paths, env_file))
    _, together = build_tables(collection.plans, PortSettings())
    # An adapter for standard input and output is a problem to `serve` alone.
    together = [problem for problem in together if problem.rule != "stdio-adapter"]
    problems = in_file_order([*collection.all_problems, *together])
    if strict:
        for path in collection.files:
            problems += _beyond_the_official_schema(path)
    else:
        problems = [p for p in problems if p.severity is not Severity.NOTE]
    return Findings.of(len(collection.files), problems)


def _beyond_the_official_schema(path: Path) -> list[Problem]:
    from naftiko_runtime.document.schema_check import check_schema
    from naftiko_runtime.document.yaml_reader import read_yaml
    from naftiko_runtime.problems import Severity
    from naftiko_runtime.serving.discovery import looks_like_capability, read_bytes

    try:
        content = read_bytes(path)
    except OSError:
        return []  # reported already
    document, _ = read_yaml(content, str(path)) if looks_like_capability(content) else (None, [])
    if document is None:
        return []
    return [p for p in check_schema(document, strict=True) if p.severity is Severity.NOTE]
