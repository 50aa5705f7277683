"""The values of variables, found once at load."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path

from naftiko_runtime.binds import PROVIDERS, BindSourceError, Found, Load, Secret, find_values
from naftiko_runtime.document.model import Bind, BindReference, Capability
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.problems import Consequence, Problem, Severity


@dataclass(frozen=True, slots=True)
class Variables:
    """The values of variables by their name and by `namespace.name`.

    `declared` holds the names that binds declare; what is declared and has no value is not set.
    """

    values: Mapping[str, Secret] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()
    environment: Mapping[str, str] = field(default_factory=dict)

    def find(self, reference: BindReference) -> str | None:
        """The value, None when the variable is not set. A name that no bind declares comes from
        the environment, and no other one does: it may belong to a file."""
        secret = self.values.get(reference.variable)
        if secret is not None:
            return secret.reveal()
        if self.is_declared(reference):
            return None
        return self.environment.get(reference.variable)

    def is_declared(self, reference: BindReference) -> bool:
        return reference.variable in self.declared


def unset_variable(reference: BindReference) -> CallFailed:
    """What a call that needs a variable without a value ends in."""
    name = reference.variable
    return fail(
        FailureKind.UNSET_VARIABLE,
        f'the variable "{name}" is not set, and the call needs it; set it in the environment or '
        "in the file given with --env-file and start again (an empty value means none)",
        field=name,
    )


def resolve_variables(
    capability: Capability, environment: Mapping[str, str]
) -> tuple[Variables, list[Problem], list[Path]]:
    """The values of a capability's binds, the problems met and the files read.

    A variable without a value is a warning: only calls that need it fail.
    """
    problems: list[Problem] = []
    files: list[Path] = []
    values: dict[str, Secret] = {}
    load = Load(environment)
    for location, binds in _by_location(capability.binds):
        found = _find(location, binds, load, problems)
        files.extend(found.files)
        for bind in binds:
            value = found.values.get(bind.key)
            if value is None and location is None:
                value = environment.get(bind.variable)
            if value is None:
                value = bind.default
            if value is None:
                problems.append(_unset(bind, location))
                continue
            secret = Secret(value.rstrip("\r\n"))  # what editors and `|` in YAML put at the end
            values[bind.variable] = values[f"{bind.namespace}.{bind.variable}"] = secret
    declared = {bind.variable for bind in capability.binds}
    declared |= {f"{bind.namespace}.{bind.variable}" for bind in capability.binds}
    return Variables(values, frozenset(declared), environment), problems, files


def _by_location(binds: Iterable[Bind]) -> list[tuple[str | None, list[Bind]]]:
    grouped: dict[tuple[str, str | None], list[Bind]] = {}
    for bind in binds:
        grouped.setdefault((bind.place.file, bind.location), []).append(bind)
    return [(location, group) for (_, location), group in grouped.items()]


def _find(location: str | None, binds: list[Bind], load: Load, problems: list[Problem]) -> Found:
    keys = tuple(bind.key for bind in binds)
    folder = Path(binds[0].place.file).parent
    files: tuple[Path, ...] = ()
    try:
        return find_values(location, keys, folder, load)
    except KeyError as scheme:
        schemes = ", ".join(f"{known}://" for known in PROVIDERS if known)
        message = f'"{location}" is not read: no provider for {scheme}'
        remedy = f"use {schemes} or leave `location` out for the environment"
    except BindSourceError as error:
        message = str(error)
        remedy = error.remedy or "locations are relative to the file that names them"
        files = () if error.file is None else (error.file,)
    bind = binds[0]
    problems.append(
        Problem(
            "bind-location",
            bind.place,
            (*bind.path[:-2], "location"),
            message,
            remedy,
            Severity.ERROR,
            Consequence.NOTHING,
        )
    )
    return Found({}, files)


def _unset(bind: Bind, location: str | None) -> Problem:
    where = f'at "{location}"' if location else "in the environment"
    return Problem(
        "unset-variable",
        bind.place,
        bind.path,
        f'the variable "{bind.variable}" has no value: there is no "{bind.key}" {where}',
        f"set {bind.key}, or set it to nothing if no credential is needed"
        if location is None
        else f"add {bind.key} there",
        Severity.WARNING,
        Consequence.NOTHING,
    )
