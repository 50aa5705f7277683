"""The one place where the specification and what authors publish are read alike.

The specification (1.0.0-alpha2) writes `NAMESPACE.name` and `{{name}}`; published files write
`rest.name`, `tools.name`, `{{tools.name}}`, `{{env.KEY}}`, `{name}` and `$.`. Everything here
turns a spelling into the model's meaning, so that nothing downstream knows the dialect.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace
from enum import Enum

from naftiko_runtime.document.model import (
    BindReference,
    InputReference,
    Literal,
    Reference,
    StepReference,
    Template,
    TemplatedArray,
    TemplatedObject,
    Value,
)
from naftiko_runtime.document.templates import parse_template
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass

CALLER_NAMESPACES = frozenset({"rest", "tools"})
"""Prefixes that published files use for the caller's input, whatever the adapters are called."""

_UPPER = re.compile(r"^[A-Z][A-Z0-9_]*$")
_PREFIXED = re.compile(r"^(?:\$this\.)?([A-Za-z0-9_-]+)\.([^\s{}]+)$")
_PATH_START = re.compile(r"\$(?:$|[.\[@*A-Za-z_])")
_ENVIRONMENT = re.compile(r"\$env\.([A-Za-z_][A-Za-z0-9_]*)")
_FOLD = str.maketrans("", "", "-_")


def fold_name(name: str) -> str:
    """A name as callers' names are compared: without regard to case, `-` and `_`.

    About half of the published path variables differ from their references in just this way.
    """
    return name.translate(_FOLD).lower()


class Position(Enum):
    """Where in a file a template stands, which decides what a bare name in it can mean."""

    CALL = "call"
    """`with`, bodies, parameters, paths: a bare name is the caller's input."""
    CREDENTIAL = "credential"
    """`authentication`: a bare name in capitals is a variable."""
    ORIGIN = "origin"
    """Scheme, host and port of `baseUri`: never filled by a caller."""


@dataclass(frozen=True, slots=True)
class NameScope:
    """What names can refer to at one place of a file.

    `variables` holds the declared variables, `variable_namespaces` the keys of each bind
    namespace, `callers` the namespaces that mean the caller's input, `steps` the names of earlier
    steps.
    """

    variables: frozenset[str] = frozenset()
    variable_namespaces: Mapping[str, frozenset[str]] = field(default_factory=dict)
    callers: frozenset[str] = CALLER_NAMESPACES
    steps: frozenset[str] = frozenset()
    position: Position = Position.CALL

    def at(self, position: Position) -> NameScope:
        return replace(self, position=position)

    def with_variables(self, outer: NameScope) -> NameScope:
        """This, and the variables that another scope knows."""
        namespaces = {**outer.variable_namespaces}
        for name, keys in self.variable_namespaces.items():
            namespaces[name] = namespaces.get(name, frozenset()) | keys
        variables = self.variables | outer.variables
        return replace(self, variables=variables, variable_namespaces=namespaces)

    def with_steps(self, steps: frozenset[str]) -> NameScope:
        return replace(self, steps=steps)


def read_reference(name: str, scope: NameScope) -> Reference:
    """What the name inside a placeholder refers to.

    A declared variable wins over an input of the same name, so that no caller can put a value of
    his own where the file's author meant a secret.
    """
    variable = _read_variable(name, scope)
    if variable is not None:
        return variable
    prefixed = _PREFIXED.match(name)
    if prefixed and prefixed[1] in scope.callers and scope.position is not Position.ORIGIN:
        return InputReference(prefixed[2], text=name)
    head, *rest = name.split(".")
    if head in scope.steps:
        return StepReference(head, tuple(rest), text=name)
    if scope.position is Position.ORIGIN:
        return BindReference(name, text=name)
    return InputReference(head, tuple(rest), text=name)


def _read_variable(name: str, scope: NameScope) -> BindReference | None:
    if name in scope.variables:
        return BindReference(name, text=name)
    head, _, key = name.partition(".")
    if key and key in scope.variable_namespaces.get(head, frozenset()):
        return BindReference(f"{head}.{key}", text=name)
    if head == "env" and key:
        return BindReference(key, text=name)
    if scope.position is Position.CALL:
        return None
    declared = _declared_alike(name, scope)
    if declared is not None or _UPPER.match(name):
        return BindReference(declared or name, text=name)
    return None


def _declared_alike(name: str, scope: NameScope) -> str | None:
    """The one declared variable whose name differs in case, `-` and `_` only. Where a secret or a
    host stands, such a name means the variable rather than an input that a caller could give."""
    names = {*scope.variables}
    for namespace, keys in scope.variable_namespaces.items():
        names |= {f"{namespace}.{key}" for key in keys}
    folded = fold_name(name)
    alike = [known for known in names if fold_name(known) == folded]
    return alike[0] if len(alike) == 1 else None


def read_template(text: str, scope: NameScope) -> Template:
    """A template text. Raises TemplateSyntaxError."""
    return parse_template(text, lambda name: read_reference(name, scope))


def read_credential(text: str, scope: NameScope) -> Template:
    """A text of `authentication`; one that is `$env.NAME` as a whole is that variable, as the
    specification's descriptions spell it. Raises TemplateSyntaxError."""
    variable = _ENVIRONMENT.fullmatch(text.strip())
    if variable is not None:
        return Template((BindReference(variable[1], text=variable[1]),), text)
    return read_template(text, scope.at(Position.CREDENTIAL))


def read_path_template(text: str, scope: NameScope) -> Template:
    """A consumed path: `{x}` and `{{x}}` alike, but that a dot in single braces is part of a name,
    as in the path templates of OpenAPI. Raises TemplateSyntaxError."""

    def read_single(name: str) -> Reference:
        reference = read_reference(name, scope)
        if isinstance(reference, InputReference) and reference.rest:
            return InputReference(".".join((reference.name, *reference.rest)), text=reference.text)
        return reference

    return parse_template(
        text, lambda name: read_reference(name, scope), resolve_single=read_single
    )


def read_injected(value: JsonValue, scope: NameScope) -> Value:
    """A value of `with`: `rest.name`, `tools.name` or `NAMESPACE.name` is the caller's input, any
    other text a template, anything else a literal (WithInjector). Raises TemplateSyntaxError."""
    if isinstance(value, str):
        prefixed = _PREFIXED.match(value.strip())
        if prefixed and prefixed[1] in scope.callers:
            return Template((InputReference(prefixed[2], text=value.strip()),), value)
    return read_value(value, scope)


def read_value(value: JsonValue, scope: NameScope) -> Value:
    """A JSON value whose texts are templates (`value`, a body's `data`). Raises
    TemplateSyntaxError."""
    if isinstance(value, str):
        template = read_template(value, scope)
        text = template.literal
        return Literal(text) if text is not None else template
    if isinstance(value, dict):
        members = tuple((key, read_value(member, scope)) for key, member in value.items())
        if all(isinstance(member, Literal) for _, member in members):
            return Literal(value)
        return TemplatedObject(members)
    if isinstance(value, list):
        items = tuple(read_value(item, scope) for item in value)
        return (
            Literal(value) if all(isinstance(i, Literal) for i in items) else TemplatedArray(items)
        )
    return Literal(value)


def read_mapping(text: str) -> str:
    """A path expression, with the published `$.` for the whole document made `$`."""
    stripped = text.strip()
    return "$" if stripped in ("$.", "$") else stripped


def is_mapping(value: JsonValue) -> bool:
    """Whether a `value` is meant as a path expression: `$` and what a path can go on with. A wrong
    path such as `$orders` is one too, so that it is reported, and `$9.99` is text."""
    return isinstance(value, str) and _PATH_START.match(value.strip()) is not None


def read_body_type(text: str) -> str:
    """The `type` of a request body; published files abbreviate `formUrlEncoded` to `form`."""
    return {"form": "formUrlEncoded", "multipart": "multipartForm"}.get(text, text)


def method_of(value: JsonValue) -> str:
    """An HTTP method in capitals; GET where the file gives none (schema default)."""
    return value.upper() if isinstance(value, str) and value else "GET"
