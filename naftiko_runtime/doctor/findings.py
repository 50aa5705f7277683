"""What a check found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass


class Verdict(StrEnum):
    """`note`: nothing is wrong, or nothing can be told."""

    PASS = "pass"  # noqa: S105
    NOTE = "note"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a report. `subject` is an upstream's origin or a file, `check` what was looked
    at there; the message of a failure ends with what to do about it."""

    subject: str
    check: str
    verdict: Verdict
    message: str


def failed(findings: Iterable[Finding]) -> bool:
    return any(finding.verdict is Verdict.FAIL for finding in findings)


def report_document(findings: Sequence[Finding]) -> JsonValue:
    """For programs: `{"passed", "findings": [{"subject", "check", "verdict", "message"}]}`."""
    return {
        "passed": not failed(findings),
        "findings": [
            {
                "subject": finding.subject,
                "check": finding.check,
                "verdict": finding.verdict.value,
                "message": finding.message,
            }
            for finding in findings
        ],
    }
