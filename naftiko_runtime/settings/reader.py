"""Reads the operator's settings from a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.document.dialects import NameScope
from naftiko_runtime.document.element import Element, Reading
from naftiko_runtime.document.yaml_reader import YamlDocument, read_yaml
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.problems import Problem, Severity, in_file_order
from naftiko_runtime.settings.guard_reader import read_guards
from naftiko_runtime.settings.model import IN_MEMORY, ApprovalPage, RuntimeSettings
from naftiko_runtime.settings.schema_check import check_settings
from naftiko_runtime.settings.upstream_reader import read_upstreams
from naftiko_runtime.settings.values import whole
from naftiko_runtime.settings.variables import UnsetVariable, fill

HALT_FILE: Final = "HALT"
"""The file that halts, where the settings name no other one."""

_STATE: Final = re.compile(r"memory|(?:rediss?|unix)://.+")
_LEAST_PASSWORD: Final = 8


@dataclass(frozen=True, slots=True)
class SettingsReading:
    """What reading a settings file gave: the settings, None where an error of any kind is in the
    file, the problems in file order, and the document for whoever checks more of it."""

    settings: RuntimeSettings | None
    problems: tuple[Problem, ...]
    document: YamlDocument | None = None


def read_settings(path: Path, data: bytes, variables: Mapping[str, str]) -> SettingsReading:
    """Reads the content of one file; an empty one sets nothing. `variables` are the environment;
    paths in the file are relative to its folder."""
    document, problems = read_yaml(data, str(path))
    if [problem.rule for problem in problems] == ["yaml-empty"]:
        document, problems = YamlDocument(str(path), {}, {}, {}), []
    if document is not None:
        problems += check_settings(document)
    if document is None or _has_errors(problems):
        return SettingsReading(None, tuple(in_file_order(problems)), document)
    reading = Reading(document, set(), NameScope())
    values = document.value if isinstance(document.value, dict) else {}
    settings = _read_root(Element(reading, (), values), path.absolute(), variables)
    problems = in_file_order([*problems, *reading.problems])
    return SettingsReading(None if _has_errors(problems) else settings, tuple(problems), document)


def _has_errors(problems: list[Problem]) -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems)


def _read_root(root: Element, path: Path, variables: Mapping[str, str]) -> RuntimeSettings:
    tools = root.child("tools")
    return RuntimeSettings(
        file=path,
        upstreams=read_upstreams(root),
        guards=read_guards(root),
        hidden=() if tools is None else tools.texts("hide"),
        approvals=_read_approvals(root.child("approvals"), variables),
        audit=_read_file(root.child("audit"), path),
        halt=_read_file(root.child("halt"), path) or path.parent / HALT_FILE,
        state=_read_state(root, variables),
    )


def _read_file(element: Element | None, path: Path) -> Path | None:
    return None if element is None else path.parent / element.text("file")


def _read_approvals(element: Element | None, variables: Mapping[str, str]) -> ApprovalPage:
    usual = ApprovalPage()
    if element is None:
        return usual
    return ApprovalPage(
        port=whole(element, "port", usual.port),
        address=element.text("address", usual.address),
        password=_read_password(element, variables),
        url=element.optional_text("url"),
    )


def _read_password(element: Element, variables: Mapping[str, str]) -> Secret | None:
    secret = _read_secret(element, "password", variables)
    if secret is not None and len(secret.reveal()) < _LEAST_PASSWORD:
        message = f"the password has fewer than {_LEAST_PASSWORD} characters"
        element.reading.refuse(
            "malformed-value", (*element.path, "password"), message, "lengthen it"
        )
    return secret


def _read_state(root: Element, variables: Mapping[str, str]) -> Secret:
    secret = _read_secret(root, "state", variables)
    if secret is not None and _STATE.fullmatch(secret.reveal()) is None:
        message = 'what the variable of "state" stands for is no address of a Redis server'
        remedy = "set it to one such as redis://localhost:6379/0, or to memory"
        root.reading.refuse("malformed-value", ("state",), message, remedy)
    return secret or IN_MEMORY


def _read_secret(element: Element, key: str, variables: Mapping[str, str]) -> Secret | None:
    text = element.optional_text(key)
    if text is None:
        return None
    try:
        return Secret(fill(text, variables))
    except UnsetVariable as error:
        message = f'the variable "{error.name}" has no value in the environment'
        remedy = f"set {error.name}"
        element.reading.refuse("unset-variable", (*element.path, key), message, remedy)
        return None
