"""What the operator is told about files, ports and their problems."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from itertools import groupby

from naftiko_runtime.exposes.control.paths import first_segments
from naftiko_runtime.plan.operation import CapabilityPlan
from naftiko_runtime.problems import (
    Consequence,
    Problem,
    Severity,
    format_path,
    in_file_order,
)
from naftiko_runtime.serving.collection import Collection
from naftiko_runtime.serving.logs import log_event
from naftiko_runtime.serving.operator_settings import SettingsVersion
from naftiko_runtime.serving.service import Applied, OpenPort
from naftiko_runtime.serving.versions import ServedFile

BAD_SETTINGS = (
    "nothing is served without the operator's settings - mend the file, or make it an empty one"
)

_SHOWN_PER_FILE = 10


class Reporter:
    """Says everything once: a problem that is still there after a reload is not repeated.

    A silent one (`speaks` false) is for processes whose twin says it already.
    """

    def __init__(self, speaks: bool = True) -> None:
        self._speaks = speaks
        self._known: frozenset[Problem] = frozenset()

    def problems(self, current: Iterable[Problem]) -> None:
        """Shows those of the current problems that were not there at the last call."""
        shown = [p for p in in_file_order(current) if p.severity is not Severity.NOTE]
        new = [p for p in shown if p not in self._known]
        self._known = frozenset(shown)
        if not self._speaks:
            return
        for file, of_file in groupby(new, key=lambda p: p.place.file):
            listed = list(of_file)
            for problem in listed[:_SHOWN_PER_FILE]:
                _log_problem(problem)
            if len(listed) > _SHOWN_PER_FILE:
                _log_rest(file, listed[_SHOWN_PER_FILE:])

    def ports(self, applied: Applied) -> None:
        """Announces the ports that have been opened or closed."""
        if not self._speaks:
            return
        for port in applied.opened:
            _announce(port)
        for port in applied.closed:
            message = f"closed {_origin(port)}: no file names port {port.plan.declared} any more"
            log_event(logging.INFO, "closed", message, port=port.port, declared=port.plan.declared)

    def reload(self, before: Collection, now: Collection) -> None:
        """Says which files are new, gone, changed, or kept in their last good version."""
        if not self._speaks:
            return
        if now.operator != before.operator:
            _log_settings(now.operator)
        known, served = _identities(before), _identities(now)
        for path, file in now.files.items():
            if id(file) not in known:
                _log_change(file, before.files.get(path))
        for path, file in before.files.items():
            if id(file) not in served and path not in now.files:
                log_event(logging.INFO, "removed", f"removed {path}", file=str(path))

    def settings(self, collection: Collection) -> None:
        """Says at the start by which settings the process works, if there are any."""
        if self._speaks and collection.settings.file is not None:
            _log_settings(collection.operator)

    def say(self, level: int, event: str, message: str, **fields: object) -> None:
        if self._speaks:
            log_event(level, event, message, **fields)


def _identities(collection: Collection) -> set[int]:
    """A file that has not changed is the same object, which is found faster than its path."""
    return {id(file) for file in collection.files.values()}


def _log_problem(problem: Problem) -> None:
    # What costs nothing of the service is no error here, whatever it is to `validate`.
    harmless = problem.consequence is Consequence.NOTHING
    severe = problem.severity is Severity.ERROR and not harmless
    level = "error" if severe else "warning"
    remedy = f" - {problem.remedy}" if problem.remedy else ""
    log_event(
        logging.ERROR if severe else logging.WARNING,
        "problem",
        f"{problem.place}: {level}: {problem.message}{remedy}",
        problem=problem.message,
        file=problem.place.file,
        line=problem.place.line,
        column=problem.place.column,
        path=format_path(problem.path),
        rule=problem.rule,
        remedy=problem.remedy,
    )


def _log_rest(file: str, more: Sequence[Problem]) -> None:
    message = f'{file}: {len(more)} more problems - "naftiko validate {file}" lists them'
    log_event(logging.WARNING, "problem", message, problem=message, file=file, more=len(more))


def _log_settings(operator: SettingsVersion) -> None:
    settings, file = operator.settings, str(operator.file)
    if operator.kept:
        message = f"the last good settings stay in force, instead of what is wrong with {file}"
        log_event(logging.WARNING, "settings-kept", message, file=file)
    elif settings is not None:
        guards = counted(len(settings.guards), "guard")
        upstreams = counted(len(settings.upstreams), "rule") + " for upstreams"
        message = f"working by {file}: {guards}, {upstreams}"
        log_event(logging.INFO, "settings", message, file=file, guards=len(settings.guards))


def _log_change(file: ServedFile, old: ServedFile | None) -> None:
    path = str(file.path)
    if file.kept:
        message = f"{path} is broken; its last good version goes on serving"
        log_event(logging.WARNING, "kept", message, file=path)
    elif file.plan is None:
        if old is None or old.plan is not None:
            log_event(logging.INFO, "idle", f"{path} serves nothing", file=path)
    elif old is None or old.plan is None:
        log_event(logging.INFO, "added", f"added {path}: {_surface(file.plan)}", file=path)
    else:
        log_event(logging.INFO, "changed", f"changed {path}: {_surface(file.plan)}", file=path)


def _surface(plan: CapabilityPlan) -> str:
    operations = sum(len(adapter.operations) for adapter in plan.rest)
    tools = sum(len(adapter.tools) for adapter in plan.mcp)
    resources = sum(len(adapter.resources) for adapter in plan.mcp)
    prompts = sum(len(adapter.prompts) for adapter in plan.mcp)
    parts = [counted(operations, "operation"), counted(tools, "tool")]
    parts += [counted(resources, "resource")] if resources else []
    parts += [counted(prompts, "prompt")] if prompts else []
    skills = sum(len(adapter.skills) for adapter in plan.skills)
    parts += [counted(skills, "skill")] if skills else []
    parts += ["a control port"] if plan.control else []
    return ", ".join(parts)


def counted(number: int, noun: str) -> str:
    """`1 file`, `3 files`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _origin(port: OpenPort) -> str:
    address = port.plan.address
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}:{port.port}"


def _announce(port: OpenPort) -> None:
    origin = _origin(port)
    moved = "" if port.port == port.plan.declared else f"  (port {port.plan.declared} in the files)"
    if port.rest is not None:
        operations = len(port.rest.operations)
        files = len({adapter.place.file for _, adapter in port.plan.rest})
        message = (
            f"REST  {origin}  {counted(operations, 'operation')} from {counted(files, 'file')}"
            f"  docs: {origin}/docs{moved}"
        )
        _log_listening(port, "REST", origin, message, operations=operations, files=files)
    if port.mcp is not None:
        counts = {f"{kind}s": number for kind, number in port.mcp.counts.items()}
        url = f"{origin}/mcp"
        message = f"MCP   {url}  {port.mcp.summary}{moved}"
        _log_listening(port, "MCP", url, message, **counts)
    if port.skills is not None:
        skills = len(port.skills.skills)
        url = f"{origin}/skills"
        message = f"SKILL {url}  {counted(skills, 'skill')}{moved}"
        _log_listening(port, "SKILL", url, message, skills=skills)
    if port.control is not None:
        firsts = sorted(f"/{first}" for first in first_segments(port.control))
        message = f"CTRL  {origin}  {', '.join(firsts) or 'nothing is turned on'}{moved}"
        _log_listening(port, "CONTROL", origin, message)


def _log_listening(port: OpenPort, protocol: str, url: str, message: str, **counts: int) -> None:
    log_event(
        logging.INFO,
        "listening",
        message,
        protocol=protocol,
        url=url,
        address=port.plan.address,
        port=port.port,
        declared=port.plan.declared,
        **counts,
    )
