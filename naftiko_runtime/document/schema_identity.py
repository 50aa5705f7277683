"""Whether a document is a capability file at all, and of a version that is understood."""

from __future__ import annotations

import re

from naftiko_runtime.document.yaml_reader import YamlDocument
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.problems import Consequence, DocumentPath, Problem, Severity

VERSION = "1.0.0-alpha2"
_OTHER_ALPHA = re.compile(r"1\.0\.0-alpha[0-9]+")

_OTHER_FORMATS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("ikanos",), "an Ikanos file, a later format than this runtime reads"),
    (("openapi",), "an OpenAPI description"),
    (("swagger",), "a Swagger description"),
    (("asyncapi",), "an AsyncAPI description"),
    (("arazzo",), "an Arazzo description"),
    (("apiVersion", "kind"), "a Kubernetes object"),
    (("mcpServers",), "the configuration of an MCP client"),
    (("services",), "a Docker Compose file"),
    (("jobs",), "a workflow of a build server"),
    (("$schema",), "a JSON Schema"),
)
_REMEDY = f'give a capability file; it starts with "naftiko: {VERSION}"'
_KEYS_SHOWN = 5


def check_identity(document: YamlDocument) -> Problem | None:
    """The problem with what a document is; one of severity error makes all others moot.

    Another alpha of version 1.0.0 is read as the one that is known, with a warning: the alphas
    differ in little, and published files name several. Any other version is refused.
    """
    value = document.value
    if not isinstance(value, dict):
        return _refused(
            document, "not-a-capability", (), f"the file holds {_kind(value)}, not a capability"
        )
    if "naftiko" not in value and "capability" not in value:
        return _refused(document, "not-a-capability", (), _foreign(value))
    version = value.get("naftiko", VERSION)
    if version == VERSION:
        return None
    if not isinstance(version, str) or not _OTHER_ALPHA.fullmatch(version):
        shown = f'"{version[:30]}"' if isinstance(version, str) else _kind(version)
        message = f"the version of the specification is {shown}, which is not supported"
        return _refused(document, "unknown-version", ("naftiko",), message)
    return Problem(
        "other-version",
        document.place(("naftiko",)),
        ("naftiko",),
        f'the file is written for version "{version}" and is read as "{VERSION}"',
        f'check it and write "naftiko: {VERSION}"',
        Severity.WARNING,
        Consequence.NOTHING,
    )


def _refused(document: YamlDocument, rule: str, path: DocumentPath, message: str) -> Problem:
    return Problem(rule, document.place(path), path, message, _REMEDY)


def _foreign(value: dict[str, JsonValue]) -> str:
    for keys, name in _OTHER_FORMATS:
        if all(key in value for key in keys):
            return f"this looks like {name}, not a capability file"
    if "consumes" in value:
        return 'the file has no "naftiko" key, which says that it is a capability file'
    if not value:
        return "this is no capability file: it has no keys"
    shown = ", ".join(f'"{key[:30]}"' for key in list(value)[:_KEYS_SHOWN])
    more = ", ..." if len(value) > _KEYS_SHOWN else ""
    return f"this is no capability file: its keys are {shown}{more}"


def _kind(value: JsonValue) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, str):
        return "a single text"
    return str(value).lower() if isinstance(value, bool) else f"the number {value}"
