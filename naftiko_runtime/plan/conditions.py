"""Compiles conditions and paths over the object of a call's inputs and its steps' outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from naftiko_runtime.document.model import Expression, InputReference, Node
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.plan.calls import Scope
from naftiko_runtime.plan.getters import Compiler, Getter
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.jsonpath import (
    JsonPathSyntaxError,
    compile_expression,
    compile_jsonpath,
    names_of_path,
)
from naftiko_runtime.problems import DocumentPath


class StepError(ValueError):
    """A part of a step or of `errors` that cannot be compiled, and where it stands."""

    def __init__(
        self,
        rule: str,
        node: Node,
        message: str,
        remedy: str = "",
        path: DocumentPath | None = None,
    ) -> None:
        super().__init__(message)
        self.rule = rule
        self.place = node.place
        self.path = node.path if path is None else path
        self.remedy = remedy


def compile_condition(expression: Expression, compiler: Compiler) -> Callable[[Scope], bool]:
    """Whether the expression holds in a scope. Raises StepError."""
    try:
        compiled = compile_expression(expression.text)
    except JsonPathSyntaxError as error:
        raise unreadable(expression, error) from None
    document = _document(compiled.names, expression, compiler)
    return lambda scope: compiled.holds(document(scope))


def unreadable(node: Node, error: JsonPathSyntaxError) -> StepError:
    message, _, remedy = str(error).partition(" - ")
    return StepError("jsonpath-syntax", node, message, remedy)


def compile_path(text: str, node: Node, compiler: Compiler) -> Getter:
    """What a path finds in the object of all inputs and outputs. Raises StepError."""
    try:
        read = compile_jsonpath(text).read
    except JsonPathSyntaxError as error:
        raise unreadable(node, error) from None
    document = _document(names_of_path(text), node, compiler)
    return lambda scope: read(document(scope))


def _document(
    names: frozenset[str] | None, node: Node, compiler: Compiler
) -> Callable[[Scope], dict[str, JsonValue]]:
    """The object, with no more in it than what is read of it."""
    if names is None:
        names = frozenset({*compiler.collector.known_names(), *compiler.steps})
        names |= compiler.arguments.names()
    getters = [(name, _getter(name, node, compiler)) for name in sorted(names)]

    def build(scope: Scope) -> dict[str, JsonValue]:
        found = {name: get(scope) for name, get in getters}
        return {name: value for name, value in found.items() if not isinstance(value, Missing)}

    return build


def _getter(name: str, node: Node, compiler: Compiler) -> Getter:
    """A step's output wins over an input of that name, as it does in templates."""
    if name in compiler.steps:
        return lambda scope: scope.steps.get(name, Missing.MISSING)
    if compiler.arguments.find(name) is None and not compiler.collector.knows(name):
        known = ", ".join(f'"{each}"' for each in _known(compiler)) or "none"
        raise StepError(
            "unknown-reference",
            node,
            f'"{name}" names no input and no earlier step',
            f"there are {known}",
        )
    return compiler.reference(InputReference(name), Need())


def _known(compiler: Compiler) -> Iterable[str]:
    names = {*compiler.collector.known_names(), *compiler.steps, *compiler.arguments.names()}
    return sorted(names)
