"""Reads output parameters: mapped, orchestrated, mock and consumed ones."""

from __future__ import annotations

from naftiko_runtime.document.dialects import NameScope, is_mapping, read_mapping, read_value
from naftiko_runtime.document.element import Element, scalar_text
from naftiko_runtime.document.model import Literal, OutputParameter, Value
from naftiko_runtime.document.templates import TemplateSyntaxError
from naftiko_runtime.json_values import MISSING, JsonValue


def read_outputs(element: Element, scope: NameScope) -> tuple[OutputParameter, ...]:
    """The `outputParameters` of an element."""
    return tuple(_read_output(child, scope) for child in element.children("outputParameters"))


def _read_output(element: Element, scope: NameScope, name: str | None = None) -> OutputParameter:
    """One output parameter. A `value` that is a path expression is read as `mapping` (consumed
    outputs are written so), unless a mapping is given too."""
    paths = element.texts("mapping")
    mapping = paths[0] if paths else element.optional_text("mapping")
    value: Value | None = None
    given = element.values.get("value")
    if mapping is None and is_mapping(given):
        mapping = element.text("value")
    elif given is not None:
        value = _value(element, given, scope)
    return OutputParameter(
        place=element.place,
        path=element.path,
        name=element.optional_text("name") or name,
        type=element.text("type", "object"),
        mapping=None if mapping is None else read_mapping(mapping),
        value=value,
        const=element.values.get("const", MISSING),
        properties=_read_properties(element, scope),
        items=_read_items(element, scope),
        values=_read_values(element, scope),
        max_length=element.number("maxLength"),
        description=element.text("description"),
        others=tuple(map(read_mapping, paths[1:])),
        replacements=tuple((k, scalar_text(v)) for k, v in element.mapping("replace").items()),
        cases=element.mapping("cases") if element.child("cases") is not None else None,
        otherwise=element.values.get("otherwise", MISSING),
        optional=element.flag("optional") is True,
    )


def _value(element: Element, given: JsonValue, scope: NameScope) -> Value:
    try:
        return read_value(given, scope)
    except TemplateSyntaxError as error:
        element.fail_template("value", error)
        return Literal(given)


def _read_properties(
    element: Element, scope: NameScope
) -> tuple[tuple[str, OutputParameter], ...] | None:
    """`properties` as a mapping of name to definition, or as a list of named definitions."""
    given = element.values.get("properties")
    if isinstance(given, list):
        listed = (_read_output(child, scope) for child in element.children("properties"))
        return tuple((output.name or "", output) for output in listed)
    if not isinstance(given, dict):
        return None
    found = element.child("properties")
    assert found is not None
    children = ((name, found.child(name)) for name in given)
    return tuple(
        (name, _read_output(child, scope, name)) for name, child in children if child is not None
    )


def _read_items(element: Element, scope: NameScope) -> OutputParameter | None:
    """`items`: one definition, or a list of named ones, which are an object's properties."""
    given = element.values.get("items")
    if isinstance(given, dict):
        child = element.child("items")
        return None if child is None else _read_output(child, scope)
    if not isinstance(given, list):
        return None
    listed = [_read_output(child, scope) for child in element.children("items")]
    if len(listed) == 1 and listed[0].name is None:
        return listed[0]
    path = (*element.path, "items")
    return OutputParameter(
        place=element.reading.document.place(path),
        path=path,
        name=None,
        type="object",
        properties=tuple((output.name or "", output) for output in listed),
    )


def _read_values(element: Element, scope: NameScope) -> OutputParameter | None:
    child = element.child("values")
    return None if child is None else _read_output(child, scope)
