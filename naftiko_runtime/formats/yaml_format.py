"""YAML answers: the value of the document, read as strictly as capability files are."""

from __future__ import annotations

from naftiko_runtime.document.yaml_reader import read_yaml
from naftiko_runtime.json_values import JsonValue


def read_yaml_answer(body: bytes, charset: str | None) -> JsonValue:
    """Raises ValueError: no YAML, an alias bomb, or nested too deeply."""
    document, problems = read_yaml(body, "the answer")
    if document is None:
        raise ValueError(problems[0].message if problems else "it is not YAML")
    return document.value
