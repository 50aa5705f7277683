"""Check that no record of calls was changed or dropped.

With "audit" in the settings, each call that can change something is recorded before it is sent and
after it is answered. Each record carries the hash of the one before, and a head file beside the
journal says how many there are. This command reads both, and says the line of the first record that
was changed, dropped, reordered or inserted. It may run while calls are recorded.

What a crash left unfinished is told as torn: it is no fault, as no call was made before its record
was whole. Keep the hash of the last record somewhere else, and nobody can write the past anew.

examples:
  naftiko audit verify                             the journal beside ./capabilities
  naftiko audit verify /var/lib/naftiko/audit.jsonl
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from naftiko_runtime.audit.verification import Fault, Verdict

_JOURNAL = Path("capabilities", "audit.jsonl")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("verify",), help="read the journal and check it")
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=_JOURNAL,
        metavar="FILE",
        help=f"the journal (default: {_JOURNAL.as_posix()})",
    )


def run(arguments: argparse.Namespace) -> int:
    from naftiko_runtime.audit.verification import verify

    path: Path = arguments.file
    try:
        verdict = verify(path)
    except OSError as error:
        reason = error.strerror or str(error)
        print(f'naftiko audit: "{path}" cannot be read: {reason}', file=sys.stderr)
        return 1
    for line in verdict.torn:
        print(f"{path}:{line}: torn: a crash left it unfinished; no call was made for it")
    if verdict.fault is not None:
        print(_show_fault(path, verdict.fault))
        print(f"{path}: up to there, {_count(verdict)}")
        return 1
    if verdict.beyond:
        print(
            f"{path}: the head file does not know of the last {verdict.beyond}: a crash came"
            " between both, or somebody else added them"
        )
    if verdict.unended:
        print(f"{path}: calls without an outcome: {verdict.unended} (running, or lost in a crash)")
    print(f"{path}: {_count(verdict)}; none was changed or dropped")
    return 0


def _show_fault(path: Path, fault: Fault) -> str:
    place = path if fault.line is None else f"{path}:{fault.line}"
    return f"{place}: {fault.kind.value}: {fault.words}"


def _count(verdict: Verdict) -> str:
    if verdict.records == 0:
        return "no records"
    records = "1 record" if verdict.records == 1 else f"{verdict.records} records"
    if verdict.refused:
        records += f" ({verdict.refused} of them of refused calls)"
    return f"{records}, the last with the hash {verdict.hash}"
