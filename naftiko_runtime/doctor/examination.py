"""Looks at all that the calls of a collection of files depend on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.doctor.findings import Finding, Verdict
from naftiko_runtime.doctor.subjects import subjects_of
from naftiko_runtime.doctor.upstream_checks import check_upstream
from naftiko_runtime.plan.operation import CapabilityPlan
from naftiko_runtime.problems import Severity
from naftiko_runtime.serving.collection import Collection
from naftiko_runtime.serving.settings import UpstreamChoices
from naftiko_runtime.settings.model import RuntimeSettings

SECONDS: Final = 5.0
"""How long the checks of one upstream may take together."""

_OF_A_REQUEST: Final = 0.8
"""The part of that which one request may take: it can say better than the whole what is stuck."""


async def examine(
    collection: Collection, choices: UpstreamChoices, seconds: float = SECONDS
) -> list[Finding]:
    """The findings about files, settings and variables, then about each upstream; all upstreams
    are looked at side by side, for so many `seconds`. Raises TrustError for a CA file that is not
    usable."""
    upstreams = HttpUpstreams(
        UpstreamSettings(
            connect_timeout=seconds * _OF_A_REQUEST,
            timeout=seconds * _OF_A_REQUEST,
            ca_files=choices.ca_files,
            insecure=choices.insecure,
        )
    )
    upstreams.adopt(_without_waiting(collection.settings))
    subjects = subjects_of(collection.plans, collection.settings, choices.insecure)
    try:
        found = await asyncio.gather(*(check_upstream(s, upstreams, seconds) for s in subjects))
    finally:
        await upstreams.aclose()
    findings = [*_about_files(collection), *_about_settings(collection)]
    for plan in collection.plans:
        findings += _about_variables(plan)
    return [*findings, *(finding for of_one in found for finding in of_one)]


def _without_waiting(settings: RuntimeSettings) -> RuntimeSettings:
    """What the checks go by: they are few, made once, and are to say what is wrong at once."""
    rules = (
        replace(rule, pacing=None, operations={}, retries=None, breaker=None)
        for rule in settings.upstreams
    )
    return replace(settings, upstreams=tuple(rules))


def _about_files(collection: Collection) -> Iterator[Finding]:
    if not collection.plans and not collection.files:
        message = "there is no capability file here - name a file, or a folder that has one"
        yield Finding("files", "files", Verdict.FAIL, message)
    for path, file in collection.files.items():
        errors = sum(problem.severity is Severity.ERROR for problem in file.problems)
        if errors:
            what = "has an error" if errors == 1 else f"has {errors} errors"
            message = f'{what} - run "naftiko validate {path}"'
            yield Finding(str(path), "file", Verdict.FAIL, message)


def _about_settings(collection: Collection) -> Iterator[Finding]:
    operator = collection.operator
    if operator.file is None:
        return
    subject = str(operator.file)
    if collection.has_bad_settings:
        message = f'the settings cannot be used - run "naftiko validate {subject}"'
        yield Finding(subject, "settings", Verdict.FAIL, message)
    else:
        yield Finding(subject, "settings", Verdict.PASS, "these settings are in force")
    halt = collection.settings.halt
    if halt is not None and halt.exists():
        message = f'all changes are halted by {halt} - "naftiko halt --lift" ends it'
        yield Finding(subject, "halt", Verdict.NOTE, message)


def _about_variables(plan: CapabilityPlan) -> Iterator[Finding]:
    known = [name for name, has_value in plan.variables.items() if has_value]
    if known:
        message = f"set: {', '.join(known)}"
        yield Finding(plan.file, "variables", Verdict.PASS, message)
    for name, has_value in plan.variables.items():
        if not has_value:
            message = (
                f'"{name}" is not set - set it in the environment or with --env-file, or to '
                "nothing if no credential is needed"
            )
            yield Finding(plan.file, "variables", Verdict.FAIL, message)
    for namespace, origin in plan.upstreams.items():
        if origin is None:
            message = f'the address of "{namespace}" needs a variable that is not set'
            yield Finding(plan.file, "address", Verdict.FAIL, f"{message} - set it")
