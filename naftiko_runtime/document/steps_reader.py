"""Reads calls, with what they are given, and steps of all kinds."""

from __future__ import annotations

from collections.abc import Callable

from naftiko_runtime.document.dialects import (
    NameScope,
    is_mapping,
    read_injected,
    read_mapping,
    read_template,
    read_value,
)
from naftiko_runtime.document.durations import read_duration
from naftiko_runtime.document.element import Element
from naftiko_runtime.document.model import (
    Call,
    CallStep,
    Expression,
    FailStep,
    Literal,
    LookupStep,
    QuestionStep,
    Repeat,
    ScriptStep,
    Source,
    Step,
    UniqueStep,
    Value,
    ValueStep,
)
from naftiko_runtime.document.templates import TemplateSyntaxError

Arguments = tuple[tuple[str, Value], ...]


def read_steps(element: Element, scope: NameScope) -> tuple[Step, ...]:
    """The `steps` of an element, each of which can refer to those before it."""
    steps: list[Step] = []
    known: frozenset[str] = frozenset()
    for child in element.children("steps"):
        reader = STEPS.get(child.text("type"))
        step = None if reader is None else reader(child, scope.with_steps(known))
        if step is not None:
            steps.append(step)
            known |= {step.name}
    return tuple(steps)


def read_call(element: Element, scope: NameScope, arguments: Arguments) -> Call | None:
    """`call` as text, or as an object `{operation, with}`."""
    given = element.values.get("call")
    path = (*element.path, "call")
    place = element.reading.document.place(path)
    if isinstance(given, str):
        return Call(place, path, given, arguments)
    inner = element.child("call")
    if inner is None:
        return None
    merged = dict(arguments) | dict(read_arguments(inner, "with", scope))
    return Call(place, path, inner.text("operation"), tuple(merged.items()))


def read_arguments(element: Element, key: str, scope: NameScope) -> Arguments:
    found = element.child(key)
    if found is None:
        return ()
    arguments: list[tuple[str, Value]] = []
    for name, value in found.values.items():
        try:
            arguments.append((name, read_injected(value, scope)))
        except TemplateSyntaxError as error:
            found.fail_template(name, error)
    return tuple(arguments)


def read_expression(element: Element, key: str) -> Expression | None:
    if element.values.get(key) is None:
        return None
    path = (*element.path, key)
    return Expression(element.reading.document.place(path), path, element.text(key))


def read_text(element: Element, key: str, scope: NameScope) -> Value:
    """A text with placeholders; empty where there is none."""
    text = element.text(key)
    try:
        return read_value(text, scope)
    except TemplateSyntaxError as error:
        element.fail_template(key, error)
        return Literal(text)


def _read_call_step(element: Element, scope: NameScope) -> Step | None:
    repeat = _read_repeat(element.child("repeat"))
    if repeat is not None:
        own = {element.text("name")} | ({repeat.counter} if repeat.counter else set())
        scope = scope.with_steps(scope.steps | own)
    call = read_call(element, scope, read_arguments(element, "with", scope))
    if call is None:
        return None
    return CallStep(
        place=element.place,
        path=element.path,
        name=element.text("name"),
        call=call,
        when=read_expression(element, "when"),
        repeat=repeat,
        keep=read_duration(element.text("keep")) or 0.0,
        optional=element.flag("optional") is True,
    )


def _read_repeat(element: Element | None) -> Repeat | None:
    until = None if element is None else read_expression(element, "until")
    if element is None or until is None:
        return None
    start = element.optional_text("from")
    return Repeat(
        place=element.place,
        path=element.path,
        until=until,
        limit=element.number("limit") or 1,
        every=read_duration(element.text("every")) or 0.0,
        counter=element.optional_text("counter"),
        collect=element.flag("collect") is True,
        start=None if start is None else read_mapping(start),
        may_end_short=element.text("atLimit") == "continue",
    )


def _read_lookup_step(element: Element, scope: NameScope) -> Step | None:
    text = element.text("lookupValue")
    try:
        value = read_mapping(text) if text.strip().startswith("$") else read_template(text, scope)
    except TemplateSyntaxError as error:
        element.fail_template("lookupValue", error)
        return None
    return LookupStep(
        place=element.place,
        path=element.path,
        name=element.text("name"),
        index=element.text("index"),
        match=element.text("match"),
        lookup_value=value,
        fields=element.texts("outputParameters"),
        when=read_expression(element, "when"),
    )


def _read_script_step(element: Element, scope: NameScope) -> Step | None:
    return ScriptStep(
        place=element.place,
        path=element.path,
        name=element.text("name"),
        file=element.text("file"),
        language=element.optional_text("language"),
        location=element.optional_text("location"),
        dependencies=element.texts("dependencies"),
        arguments=read_arguments(element, "with", scope),
        when=read_expression(element, "when"),
    )


def _read_value_step(element: Element, scope: NameScope) -> Step | None:
    value = _read_source(element, "value", scope)
    if value is None:
        return None
    return ValueStep(
        place=element.place,
        path=element.path,
        name=element.text("name"),
        value=value,
        default=_read_source(element, "default", scope),
        when=read_expression(element, "when"),
    )


def _read_source(element: Element, key: str, scope: NameScope) -> Source | None:
    """A path, or a value with templates in it; None where there is none."""
    given = element.values.get(key)
    if given is None:
        return None
    if isinstance(given, str) and is_mapping(given):
        return read_mapping(given)
    try:
        return read_value(given, scope)
    except TemplateSyntaxError as error:
        element.fail_template(key, error)
        return None


def _read_unique_step(element: Element, scope: NameScope) -> Step | None:
    when = read_expression(element, "when")
    return UniqueStep(element.place, element.path, element.text("name"), when)


def _read_fail_step(element: Element, scope: NameScope) -> Step | None:
    return FailStep(
        place=element.place,
        path=element.path,
        name=element.text("name"),
        message=read_text(element, "message", scope),
        status=element.number("status"),
        executed=element.flag("executed"),
        when=read_expression(element, "when"),
    )


def _read_question_step(element: Element, scope: NameScope) -> Step | None:
    answer = element.child("answer") or Element(element.reading, (*element.path, "answer"), {})
    return QuestionStep(
        place=element.place,
        path=element.path,
        name=element.text("name"),
        message=read_text(element, "message", scope),
        id=read_text(element, "id", scope),
        operation=answer.text("operation"),
        accept=read_arguments(answer, "accept", scope),
        decline=read_arguments(answer, "decline", scope),
        when=read_expression(element, "when"),
    )


STEPS: dict[str, Callable[[Element, NameScope], Step | None]] = {
    "call": _read_call_step,
    "lookup": _read_lookup_step,
    "script": _read_script_step,
    "value": _read_value_step,
    "unique": _read_unique_step,
    "fail": _read_fail_step,
    "question": _read_question_step,
}
