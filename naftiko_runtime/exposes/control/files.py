"""/config/validate and /config/reload: the files on disk, looked at and taken over."""

from __future__ import annotations

from collections.abc import Iterable

from naftiko_runtime.exposes.control.management import Management
from naftiko_runtime.exposes.endpoints import Handler, Request, json_reply
from naftiko_runtime.exposes.rest.reply import Reply
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.problems import Problem, Severity, format_path


def validate(management: Management) -> Handler:
    async def answer(request: Request) -> Reply:
        found = await management.validate()
        return json_reply(
            {
                "valid": not any(p.severity is Severity.ERROR for p in found.problems),
                "files": found.files,
                "problems": _describe(found.problems),
            }
        )

    return answer


def reload(management: Management) -> Handler:
    async def answer(request: Request) -> Reply:
        done = await management.reload()
        return json_reply(
            {
                "status": "KEPT" if done.kept else "RELOADED",
                "changed": list(done.changed),
                "removed": list(done.removed),
                "kept": list(done.kept),
                "problems": _describe(done.problems),
            }
        )

    return answer


def _describe(problems: Iterable[Problem]) -> JsonValue:
    return [
        {
            "file": problem.place.file,
            "line": problem.place.line,
            "column": problem.place.column,
            "path": format_path(problem.path),
            "rule": problem.rule,
            "severity": problem.severity.value,
            "message": problem.message,
            "remedy": problem.remedy,
        }
        for problem in problems
        if problem.severity is not Severity.NOTE
    ]
