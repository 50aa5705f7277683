"""What a capability file and the environment say about scripts (ScriptingManagementSpec)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path

from naftiko_runtime.document.model import Adapter, ControlAdapter
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass

SWITCH = "NAFTIKO_SCRIPTING"
"""The variable that switches scripts off where no file says otherwise."""

_OFF = frozenset({"false", "0", "no", "off"})
_TIMEOUT_MILLISECONDS = 60_000
_STATEMENTS = 100_000


@dataclass(frozen=True, slots=True)
class Scripting:
    """The settings of all script steps of a capability.

    `disabled` says why no script runs, and is empty when scripts do. `location` and `language`
    stand for what a step does not say; a relative `location` is beside `folder`. `timeout` is in
    seconds, `statements` how many a step may execute. `allowed` is None for all languages.
    `files` gathers the files that steps name, there or not, so that their changes are followed.
    """

    disabled: str = ""
    location: str | None = None
    folder: Path = Path()
    language: str | None = None
    timeout: float = _TIMEOUT_MILLISECONDS / 1000
    statements: int = _STATEMENTS
    allowed: frozenset[str] | None = None
    files: set[Path] = field(default_factory=set)


def read_scripting(adapters: Iterable[Adapter], environment: Mapping[str, str]) -> Scripting:
    """The settings under `management.scripting` of the first control adapter that has any."""
    for adapter in adapters:
        if isinstance(adapter, ControlAdapter):
            section = adapter.management.get("scripting")
            if isinstance(section, dict):
                return _read(section, Path(adapter.place.file).parent, environment)
    return Scripting(disabled=_switched_off(environment))


def _read(
    section: Mapping[str, JsonValue], folder: Path, environment: Mapping[str, str]
) -> Scripting:
    enabled = section.get("enabled")
    if enabled is None:
        disabled = _switched_off(environment)
    else:
        disabled = "" if enabled else "management.scripting.enabled is false"
    allowed = section.get("allowedLanguages")
    return Scripting(
        disabled=disabled,
        location=_text(section.get("defaultLocation")),
        folder=folder,
        language=_text(section.get("defaultLanguage")),
        timeout=_number(section.get("timeout"), _TIMEOUT_MILLISECONDS) / 1000,
        statements=_number(section.get("statementLimit"), _STATEMENTS),
        allowed=frozenset(map(str, allowed)) if isinstance(allowed, list) else None,
    )


def _switched_off(environment: Mapping[str, str]) -> str:
    off = environment.get(SWITCH, "").strip().lower() in _OFF
    return f"the variable {SWITCH} is {environment[SWITCH].strip()}" if off else ""


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: JsonValue, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default
