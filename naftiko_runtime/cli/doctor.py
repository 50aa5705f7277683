"""Look at everything that calls depend on, and say what to do.

For each upstream of the files: its name, TCP, its certificate, whether it answers, the clocks,
whether somebody is logged in, and the pace of calls; for each file its variables. All upstreams are
looked at side by side, for at most five seconds. The exit code is 1 when something has failed.

examples:
  naftiko doctor                                 what is in ./capabilities
  naftiko doctor orders.yaml --env-file .env     one file, with its variables
  naftiko doctor capabilities --format json      for a program
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from naftiko_runtime.cli.options import add_environment, add_settings, add_upstreams, pairs

if TYPE_CHECKING:
    from naftiko_runtime.doctor.findings import Finding

_COLOURS: Final = {"fail": "error", "note": "warning"}


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
        "--format",
        choices=("text", "json"),
        default="text",
        help="how to print the findings, on standard output (default: text)",
    )
    add_settings(parser)
    add_environment(parser)
    add_upstreams(parser)


def run(arguments: argparse.Namespace) -> int:
    import asyncio

    from naftiko_runtime.consumes.pools import TrustError
    from naftiko_runtime.doctor.examination import examine
    from naftiko_runtime.doctor.findings import failed
    from naftiko_runtime.serving.collection import load_collection
    from naftiko_runtime.serving.settings import SourceSettings, UpstreamChoices

    sources = SourceSettings(
        tuple(arguments.paths),
        arguments.env_file,
        pairs(arguments.base_uri, "--base-uri"),
        arguments.settings,
    )
    choices = UpstreamChoices(tuple(arguments.ca), frozenset(arguments.insecure))
    try:
        findings = asyncio.run(examine(load_collection(sources), choices))
    except TrustError as error:
        print(f"naftiko doctor: {error}", file=sys.stderr)
        return 1
    (_print_json if arguments.format == "json" else _print_text)(findings)
    return 1 if failed(findings) else 0


def _print_json(findings: Sequence[Finding]) -> None:
    import json

    from naftiko_runtime.doctor.findings import report_document

    print(json.dumps(report_document(findings), indent=2))


def _print_text(findings: Sequence[Finding]) -> None:
    from naftiko_runtime.serving.logs import coloured, one_line, wants_colour

    colour = wants_colour(sys.stdout)
    for subject, of_subject in groupby(findings, key=lambda finding: finding.subject):
        print(one_line(subject))
        for finding in of_subject:
            verdict = finding.verdict.value
            shown = coloured(verdict, _COLOURS.get(verdict, "")) if colour else verdict
            print(f"  {shown}  {finding.check:<10} {one_line(finding.message)}")
    failures = sum(finding.verdict.value == "fail" for finding in findings)
    print(f"{len(findings)} checks: {f'{failures} failed' if failures else 'all is well'}")
