"""Problems for a person, for a program, and for code scanning (SARIF)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import TextIO
from urllib.parse import quote

from naftiko_runtime import __version__
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.problems import Problem, Severity, format_path, in_file_order
from naftiko_runtime.serving.logs import coloured, one_line, wants_colour

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check found: how many files were looked at, and their problems in file order."""

    files: int
    problems: Sequence[Problem]

    @classmethod
    def of(cls, files: int, problems: Iterable[Problem]) -> Findings:
        return cls(files, tuple(in_file_order(problems)))

    def count(self, severity: Severity) -> int:
        return sum(problem.severity is severity for problem in self.problems)

    @property
    def errors(self) -> int:
        return self.count(Severity.ERROR)


def write_text(findings: Findings, stream: TextIO) -> None:
    """One line per problem and a summary."""
    colour = wants_colour(stream)
    for problem in findings.problems:
        severity = problem.severity.value
        shown = coloured(severity, severity) if colour else severity
        remedy = f" - {problem.remedy}" if problem.remedy else ""
        place = f" [{format_path(problem.path)}]" if problem.path else ""
        message = one_line(f"{problem.message}{remedy}{place}")
        stream.write(f"{one_line(str(problem.place))}: {shown}: {message}\n")
    stream.write(f"{_summary(findings)}\n")


def _summary(findings: Findings) -> str:
    files = f"{findings.files} file{'' if findings.files == 1 else 's'}"
    counts = Counter(problem.severity.value for problem in findings.problems)
    found = [
        f"{counts[severity.value]} {severity.value}{'' if counts[severity.value] == 1 else 's'}"
        for severity in Severity
        if counts[severity.value]
    ]
    return f"{files}: {', '.join(found) if found else 'no problems'}"


def write_json(findings: Findings, stream: TextIO) -> None:
    """One document: the counts, and each problem with its fields."""
    document = {
        "files": findings.files,
        "errors": findings.errors,
        "warnings": findings.count(Severity.WARNING),
        "notes": findings.count(Severity.NOTE),
        "problems": [_as_json(problem) for problem in findings.problems],
    }
    _write(document, stream)


def _as_json(problem: Problem) -> dict[str, object]:
    return {
        "file": problem.place.file,
        "line": problem.place.line,
        "column": problem.place.column,
        "path": format_path(problem.path),
        "rule": problem.rule,
        "severity": problem.severity.value,
        "consequence": problem.consequence.value,
        "message": problem.message,
        "remedy": problem.remedy,
    }


def write_sarif(findings: Findings, stream: TextIO) -> None:
    """A log of one run in the Static Analysis Results Interchange Format (OASIS, 2.1.0)."""
    rules = sorted({problem.rule for problem in findings.problems})
    numbers = {rule: number for number, rule in enumerate(rules)}
    driver = {
        "name": "naftiko validate",
        "semanticVersion": __version__,
        "rules": [{"id": rule, "name": _rule_name(rule)} for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_as_result(problem, numbers) for problem in findings.problems],
    }
    _write({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, stream)


def _rule_name(rule: str) -> str:
    """`unknown-key` as SARIF likes names: `UnknownKey`."""
    return "".join(word.capitalize() for word in rule.split("-"))


def _as_result(problem: Problem, numbers: Mapping[str, int]) -> dict[str, object]:
    remedy = f" - {problem.remedy}" if problem.remedy else ""
    region = {"startLine": problem.place.line, "startColumn": problem.place.column}
    return {
        "ruleId": problem.rule,
        "ruleIndex": numbers[problem.rule],
        "level": problem.severity.value,
        "message": {"text": problem.message + remedy},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(problem.place.file)},
                    "region": region,
                },
                "logicalLocations": [{"fullyQualifiedName": format_path(problem.path)}],
            }
        ],
    }


def _uri(file: str) -> str:
    """A relative reference for a relative path, a file URI for an absolute one."""
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _write(document: object, stream: TextIO) -> None:
    stream.write(json.dumps(document, indent=2) + "\n")


FORMATS: Mapping[str, Callable[[Findings, TextIO], None]] = {
    "text": write_text,
    "json": write_json,
    "sarif": write_sarif,
}
