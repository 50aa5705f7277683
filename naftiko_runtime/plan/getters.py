"""Compiles values of the model into functions that read a call's scope."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import field
from decimal import Decimal
from typing import TypeAlias

from naftiko_runtime.document.dialects import fold_name
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
from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson, Missing
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.inputs import InputCollector, Need
from naftiko_runtime.plan.operation import Scope
from naftiko_runtime.plan.variables import Variables, unset_variable

Getter: TypeAlias = Callable[[Scope], MaybeJson]
TextGetter: TypeAlias = Callable[[Scope], str | None]


@dataclass(frozen=True, slots=True)
class Arguments:
    """Values that are given by name, already compiled: `with`, and parameters with a `value`.

    `loose` holds those that a name may also find when it differs in case, `-` and `_` only.
    `outer` are those that count where these have nothing of a name.
    """

    exact: Mapping[str, Getter] = field(default_factory=dict)
    loose: Mapping[str, Getter] = field(default_factory=dict)
    outer: Arguments | None = None

    def find(self, name: str) -> Getter | None:
        found = self.exact.get(name) or self.loose.get(fold_name(name))
        return self.outer.find(name) if found is None and self.outer is not None else found

    def names(self) -> frozenset[str]:
        """The names of all, as they are given."""
        outer = frozenset[str]() if self.outer is None else self.outer.names()
        return outer | self.exact.keys()

    def joined(self, name: str, get: Getter) -> Arguments:
        """These with one more, which wins over those of its name."""
        exact, loose = {**self.exact, name: get}, {**self.loose, fold_name(name): get}
        return Arguments(exact, loose, self.outer)

    def over(self, outer: Arguments) -> Arguments:
        """These, with others behind them."""
        return Arguments(self.exact, self.loose, outer)


def arguments_of(given: Mapping[str, Getter], apart: Container[str] = ()) -> Arguments:
    """Arguments by name. `apart` holds the folded names that stand for several things, which
    match exactly or not at all."""
    loose: dict[str, Getter] = {}
    for name, get in given.items():
        if fold_name(name) not in apart:
            loose.setdefault(fold_name(name), get)
    return Arguments(given, loose)


@dataclass(frozen=True, slots=True)
class Compiler:
    """What compiling the parts of one call needs: where inputs are collected, the variables'
    values, the arguments that the call is given, and the names of the steps before it."""

    collector: InputCollector
    variables: Variables
    arguments: Arguments = Arguments()
    steps: frozenset[str] = frozenset()

    def reference(self, reference: Reference, need: Need) -> Getter:
        """Reads what a reference refers to; MISSING when it is not there."""
        if isinstance(reference, BindReference):
            return self._variable(reference)
        if isinstance(reference, StepReference):
            return _descend(_step_getter(reference.step), reference.rest)
        return self._input(reference, need)

    def value(self, value: Value, need: Need) -> Getter:
        """A value with its placeholders filled in.

        A value that is one whole placeholder keeps the type of what fills it. Text with several
        pieces is MISSING when nothing at all fills its placeholders. In objects and lists what is
        missing becomes null, so that their shape is the file's.
        """
        if isinstance(value, Literal):
            constant = value.value
            return lambda scope: constant
        if isinstance(value, TemplatedObject):
            members = [(name, self.value(member, Need())) for name, member in value.members]
            return lambda scope: {name: _or_null(get(scope)) for name, get in members}
        if isinstance(value, TemplatedArray):
            items = [self.value(item, Need()) for item in value.items]
            return lambda scope: [_or_null(get(scope)) for get in items]
        whole = value.whole
        if whole is not None:
            return self.reference(whole, need)
        return self._text(value)

    def _variable(self, reference: BindReference) -> Getter:
        """A variable's value. A name that neither a bind nor the environment knows is no variable:
        the text stays as written (loading has warned of it)."""
        found = self.variables.find(reference)
        if found is None and not self.variables.is_declared(reference):
            found = f"{{{{{reference.text}}}}}"
        if found is not None:
            text = found
            return lambda scope: text

        def unset(scope: Scope) -> MaybeJson:
            raise unset_variable(reference)

        return unset

    def _input(self, reference: InputReference, need: Need) -> Getter:
        dotted = ".".join((reference.name, *reference.rest))
        argument = self.arguments.find(dotted)
        if argument is not None:
            return argument
        argument = self.arguments.find(reference.name)
        if argument is not None:
            return _descend(argument, reference.rest)
        if reference.name in self.steps:
            return _descend(_step_getter(reference.name), reference.rest)
        name, rest = self.collector.name_for(reference, need)
        return _descend(input_getter(name), rest)

    def _text(self, template: Template) -> Getter:
        pieces = [
            part if isinstance(part, str) else self.reference(part, Need())
            for part in template.parts
        ]
        references = sum(not isinstance(piece, str) for piece in pieces)

        def fill(scope: Scope) -> MaybeJson:
            missing = 0
            texts: list[str] = []
            for piece in pieces:
                if isinstance(piece, str):
                    texts.append(piece)
                    continue
                value = piece(scope)
                missing += value is MISSING
                texts.append("" if isinstance(value, Missing) else as_text(value))
            return MISSING if missing and missing == references else "".join(texts)

        return fill


def nothing(scope: Scope) -> MaybeJson:
    """Reads what is never given."""
    return MISSING


def input_getter(name: str) -> Getter:
    """Reads the caller's input of a name."""

    def get(scope: Scope) -> MaybeJson:
        return scope.values.get(name, MISSING)

    return get


def _step_getter(name: str) -> Getter:
    def get(scope: Scope) -> MaybeJson:
        return scope.steps.get(name, MISSING)

    return get


def _descend(get: Getter, rest: tuple[str, ...]) -> Getter:
    """Follows names (and list indexes) into a value; plain data only, never attributes."""
    if not rest:
        return get

    def follow(scope: Scope) -> MaybeJson:
        value = get(scope)
        for name in rest:
            if isinstance(value, dict):
                value = value.get(name, MISSING)
            elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
                value = value[int(name)]
            else:
                return MISSING
        return value

    return follow


def _or_null(value: MaybeJson) -> JsonValue:
    return None if isinstance(value, Missing) else value


def as_text(value: JsonValue) -> str:
    """A JSON value as text in a URL, a header or a template: text as it is, null as nothing,
    everything else as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    return encode_json(value).decode()


def encodable(name: str, text: str) -> str:
    """The text of the value called `name`. Raises CallFailed when it holds half a surrogate pair,
    which has no UTF-8 form."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise fail(
            FailureKind.INVALID_INPUT, f'"{name}": the text is not valid Unicode', field=name
        ) from None
    return text
