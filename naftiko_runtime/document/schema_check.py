"""Checks a document against the project's JSON Schema for capability files.

The schema is a file that editors use too (`schema_path`). It accepts the specification and what
published files write beyond it; `strict` lists the latter as notes.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from naftiko_runtime.document.lost_authentication import without_loss
from naftiko_runtime.document.schema_compile import Compiler
from naftiko_runtime.document.schema_identity import check_identity
from naftiko_runtime.document.schema_keywords import Check, Fault, FaultKind, Schema
from naftiko_runtime.document.schema_parts import enclosing_part
from naftiko_runtime.document.schema_words import RULES, describe
from naftiko_runtime.document.yaml_reader import YamlDocument
from naftiko_runtime.problems import Consequence, Problem, Severity, in_file_order

__all__ = ["check_schema", "enclosing_part", "schema_path", "schema_text"]

_OF_KEYS = frozenset({FaultKind.MISSING, FaultKind.MISSING_ANY, FaultKind.UNKNOWN_KEY})


def schema_path() -> Path:
    """The JSON Schema file, for editors."""
    return Path(__file__).with_name("schema") / "naftiko-capability.schema.json"


def schema_text() -> str:
    return schema_path().read_text(encoding="utf-8")


def check_schema(document: YamlDocument, *, strict: bool = False) -> list[Problem]:
    """All problems of a document's structure, in file order.

    An unknown key is an error whose consequence is nothing: it is passed over, unless it may have
    been meant as an adapter's authentication. Any other error takes out the innermost part that can
    be left out (`enclosing_part`), or the file where there is none. With `strict`, what the
    official schema would refuse is added as notes.
    """
    identity = check_identity(document)
    if identity is not None and identity.severity is Severity.ERROR:
        return [identity]
    check, schema = _compiled(strict)
    faults: list[Fault] = []
    check(document.value, (), faults)
    problems = [_problem(fault, schema, document) for fault in _without_repetition(faults)]
    if identity is not None:
        problems.append(identity)
    return in_file_order(problems)


@cache
def _compiled(strict: bool) -> tuple[Check, Schema]:
    schema = json.loads(schema_text())
    return Compiler(schema, strict=strict).compile(schema), schema


def _without_repetition(faults: list[Fault]) -> list[Fault]:
    """The faults without those that the official schema finds where the own one finds one too."""
    own = {_spot(fault) for fault in faults if not fault.beyond}
    return [fault for fault in faults if not fault.beyond or _spot(fault) not in own]


def _spot(fault: Fault) -> tuple[object, ...]:
    if fault.kind is FaultKind.MISSING_ANY:
        return fault.path, fault.kind
    return fault.path, str(fault.detail) if fault.kind in _OF_KEYS else ""


def _problem(fault: Fault, schema: Schema, document: YamlDocument) -> Problem:
    message, remedy = describe(fault, schema)
    path = fault.path
    if fault.kind is FaultKind.UNKNOWN_KEY:
        path = (*path, str(fault.detail))
    of_key = fault.kind in (FaultKind.UNKNOWN_KEY, FaultKind.REFUSED)
    place = document.place(path, key=of_key)
    if fault.beyond:
        rule = "beyond-official-schema"
        return Problem(rule, place, path, message, remedy, Severity.NOTE, Consequence.NOTHING)
    if fault.kind is FaultKind.UNKNOWN_KEY:
        consequence = Consequence.NOTHING
    elif enclosing_part(path) is not None:
        consequence = Consequence.PART
    else:
        consequence = Consequence.FILE
    rule = RULES[fault.kind]
    problem = Problem(rule, place, path, message, remedy, Severity.ERROR, consequence)
    return without_loss(problem) if fault.kind is FaultKind.UNKNOWN_KEY else problem
