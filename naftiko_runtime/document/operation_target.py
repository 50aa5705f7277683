"""What published files leave open about a consumed request: which of two paths it goes to, and
where in it a parameter stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from naftiko_runtime.document.dialects import NameScope, fold_name, read_path_template
from naftiko_runtime.document.element import Element, Reading
from naftiko_runtime.document.model import (
    ConsumedParameter,
    InputReference,
    ParameterPlace,
    ParameterType,
    RequestBody,
    Template,
)
from naftiko_runtime.document.templates import TemplateSyntaxError
from naftiko_runtime.problems import DocumentPath, Severity

_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_STRUCTURED: Final = frozenset({ParameterType.OBJECT, ParameterType.ARRAY})


def read_url_path(resource: Element, operation: Element, scope: NameScope) -> Template:
    """The resource's path, or the operation's where it has none: the specification knows only the
    former. A fragment never travels in a request (RFC 9110, section 4.2.5), so `#...` is cut off.
    """
    holder = resource if resource.text("path") else operation
    text = holder.text("path")
    own = operation.text("path")
    if own not in ("", text):
        operation.reading.report(
            "operation-path",
            (*operation.path, "path"),
            f'the path "{own}" of operation "{operation.text("name")}" is passed over: its '
            f'resource has "{text}"',
            "move the operation to a resource of its own, with the whole path",
            key=True,
        )
    before, hash_mark, _ = text.partition("#")
    if hash_mark:
        holder.reading.report(
            "path-fragment",
            (*holder.path, "path"),
            f'the part of "{text}" from "#" on is never sent to a server',
            "leave it out, or give what it says as a header or query parameter",
        )
    if before and not before.startswith("/"):
        before = "/" + before
    try:
        return read_path_template(before, scope)
    except TemplateSyntaxError as error:
        holder.fail_template("path", error)
        operation.reading.refused.add(operation.path)
        return Template((before,), text)


def without_place(holders: Iterable[Element]) -> frozenset[DocumentPath]:
    """The parameters of these elements that do not say where they go."""
    return frozenset(
        parameter.path
        for holder in holders
        for parameter in holder.children("inputParameters")
        if "in" not in parameter.values
    )


def takes_fields(
    method: str,
    body: RequestBody | None,
    parameters: Iterable[ConsumedParameter],
    unplaced: frozenset[DocumentPath],
    url_path: Template,
) -> bool:
    """Whether parameters without a place make the body of a request: nothing else says anything of
    it, and they are several or an object or list. One scalar would be the whole JSON body."""
    if method not in _WITH_BODY or (body is not None and body.data is not None):
        return False
    in_body = [p for p in parameters if p.location is ParameterPlace.BODY]
    if not all(p.path in unplaced for p in in_body):
        return False
    in_path = _variables(url_path)
    fields = [p for p in in_body if fold_name(p.name) not in in_path]
    return len(fields) > 1 or any(p.type in _STRUCTURED for p in fields)


def placed(
    parameters: tuple[ConsumedParameter, ...],
    unplaced: frozenset[DocumentPath],
    url_path: Template,
    reading: Reading,
    *,
    into_body: bool,
) -> tuple[ConsumedParameter, ...]:
    """The parameters, each at a place. One that says none fills the variable of the path that has
    its name; else it goes into the body (`into_body`) or the query."""
    if not any(parameter.path in unplaced for parameter in parameters):
        return parameters
    in_path = _variables(url_path)
    open_place = ParameterPlace.BODY if into_body else ParameterPlace.QUERY
    found: list[ConsumedParameter] = []
    for parameter in parameters:
        if parameter.path in unplaced:
            is_variable = fold_name(parameter.name) in in_path
            place = ParameterPlace.PATH if is_variable else open_place
            parameter = replace(parameter, location=place)
            _tell(parameter, reading)
        found.append(parameter)
    return tuple(found)


def _variables(url_path: Template) -> set[str]:
    return {fold_name(r.text) for r in url_path.references if isinstance(r, InputReference)}


def _tell(parameter: ConsumedParameter, reading: Reading) -> None:
    """Once for a parameter that several operations share."""
    if any(p.rule == "assumed-place" and p.path == parameter.path for p in reading.problems):
        return
    reading.report(
        "assumed-place",
        parameter.path,
        f'parameter "{parameter.name}" has no "in" and is read as "in: {parameter.location}"',
        "write it, or another place",
        severity=Severity.WARNING,
    )
