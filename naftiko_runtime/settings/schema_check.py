"""Checks a settings file against its JSON Schema, which editors use too.

In a capability file an unknown key is passed over; here it may be a guard that somebody counts on,
so that nothing of a file with any error is taken.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from naftiko_runtime.document.schema_compile import Compiler
from naftiko_runtime.document.schema_keywords import Check, Fault, FaultKind, Schema
from naftiko_runtime.document.schema_words import RULES, describe, describe_unknown_key
from naftiko_runtime.document.yaml_reader import YamlDocument
from naftiko_runtime.problems import Problem, in_file_order


def settings_schema_text() -> str:
    """The JSON Schema of settings files."""
    path = Path(__file__).with_name("schema") / "naftiko-settings.schema.json"
    return path.read_text(encoding="utf-8")


def check_settings(document: YamlDocument) -> list[Problem]:
    """All that is wrong with the structure of a settings file, in file order."""
    value = document.value
    if isinstance(value, dict) and "naftiko" in value:
        return [_a_capability(document)]
    check, schema = _compiled()
    faults: list[Fault] = []
    check(value, (), faults)
    return in_file_order(_problem(fault, schema, document) for fault in faults)


@cache
def _compiled() -> tuple[Check, Schema]:
    schema = json.loads(settings_schema_text())
    return Compiler(schema, strict=False).compile(schema), schema


def _problem(fault: Fault, schema: Schema, document: YamlDocument) -> Problem:
    path = fault.path
    if fault.kind is FaultKind.UNKNOWN_KEY:
        message, remedy = describe_unknown_key(fault)
        path = (*path, str(fault.detail))
    else:
        message, remedy = describe(fault, schema)
    if fault.kind is FaultKind.TYPE and fault.value is not None:
        # "write it in quotes" is no help for a duration without a unit
        remedy = str(fault.schema.get("patternErrorMessage", remedy))
    place = document.place(path, key=fault.kind is FaultKind.UNKNOWN_KEY)
    return Problem(RULES[fault.kind], place, path, message, remedy)


def _a_capability(document: YamlDocument) -> Problem:
    return Problem(
        "not-settings",
        document.place(("naftiko",), key=True),
        ("naftiko",),
        "this is a capability file where the operator's settings are expected",
        "give it another name than runtime.yaml",
    )
