"""Collects the rule ids of problems out of the code, without running it.

A rule is whatever reaches a parameter or field called `rule`. Each expression that is handed to
one is resolved to the texts that it can be; one that cannot be resolved is an error, so that no
rule slips by.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.docs.markdown import ROOT

PACKAGE = ROOT / "naftiko_runtime"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """A module, its constants, and where those that it imports come from."""

    path: str
    tree: ast.Module
    constants: dict[str, ast.expr]
    imported: dict[str, tuple[str, str]]


@cache
def rules_in_code() -> dict[str, str]:
    """Each rule id with one place that reports it."""
    modules = {module.path: module for module in _modules()}
    named = [taker for module in modules.values() for taker in _takers(module.tree)]
    public = [taker for taker in named if not taker[0].startswith("_")]
    assert len(dict(public)) == len(set(public)), "functions of one name take it in two places"
    found: dict[str, str] = {}
    for module in modules.values():
        takers = dict([*public, *_takers(module.tree)])
        for call, function in _calls(module.tree):
            position = takers.get(_name(call.func))
            given = None if position is None else _argument(call, position)
            if given is None:
                continue
            place = f"{module.path}:{call.lineno}"
            for rule in _texts(given, function, module, modules, place):
                found.setdefault(rule, place)
    return found


def _modules() -> Iterator[Module]:
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants: dict[str, ast.expr] = {}
        imported: dict[str, tuple[str, str]] = {}
        for node in tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    constants[_name(target)] = node.value
            elif isinstance(node, ast.ImportFrom) and node.module:
                source = f"{node.module.replace('.', '/')}.py"
                for alias in node.names:
                    imported[alias.asname or alias.name] = (source, alias.name)
        yield Module(str(path.relative_to(ROOT)), tree, constants, imported)


def _takers(tree: ast.Module) -> list[tuple[str, int]]:
    """The functions and classes of a module that take a rule, with its position among their
    arguments."""
    named = [
        (node.name, _fields(node) if isinstance(node, ast.ClassDef) else _arguments(node))
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | Function)
    ]
    return [(name, names.index("rule")) for name, names in named if "rule" in names]


def _arguments(function: Function) -> list[str]:
    return [argument.arg for argument in function.args.args if argument.arg != "self"]


def _fields(node: ast.ClassDef) -> list[str]:
    """What the constructor of a class takes: that of `__init__`, or the fields of a dataclass."""
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            return _arguments(each)
    fields = (each.target for each in node.body if isinstance(each, ast.AnnAssign))
    return [target.id for target in fields if isinstance(target, ast.Name)]


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, Function | None]]:
    """Every call with the innermost function around it."""

    def visit(
        node: ast.AST, function: Function | None
    ) -> Iterator[tuple[ast.Call, Function | None]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Call):
                yield child, function
            yield from visit(child, child if isinstance(child, Function) else function)

    yield from visit(tree, None)


def _name(expression: ast.expr) -> str:
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""


def _argument(call: ast.Call, position: int) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == "rule":
            return keyword.value
    return call.args[position] if position < len(call.args) else None


def _texts(
    given: ast.expr,
    function: Function | None,
    module: Module,
    modules: dict[str, Module],
    place: str,
) -> Iterator[str]:
    """The rules that an expression can be; none for one that is handed through."""
    match given:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=first, orelse=second):
            yield from _texts(first, function, module, modules, place)
            yield from _texts(second, function, module, modules, place)
        case ast.Subscript(value=ast.Name(id=name)):
            table = _constant(name, module, modules)
            assert isinstance(table, ast.Dict), f"{place}: {name} is no table of rules"
            for value in table.values:
                yield from _texts(value, None, module, modules, place)
        case ast.Attribute(attr="rule"):
            return
        case ast.Name(id=name):
            if function is not None and name in {*_arguments(function), *_looped(function)}:
                return
            values = [] if function is None else _assigned(name, function)
            constant = _constant(name, module, modules)
            values += [] if values or constant is None else [constant]
            assert values, f"{place}: where does the rule come from?"
            for value in values:
                yield from _texts(value, function, module, modules, place)
        case _:
            raise AssertionError(f"{place}: which rules can this be? {ast.unparse(given)}")


def _constant(name: str, module: Module, modules: dict[str, Module]) -> ast.expr | None:
    """A constant of the module, or of the one that it is imported from."""
    if name in module.constants:
        return module.constants[name]
    source, original = module.imported.get(name, ("", ""))
    return modules[source].constants.get(original) if source in modules else None


def _looped(function: Function) -> Iterator[str]:
    """The variables that run over rules which problems have already."""
    for node in ast.walk(function):
        if isinstance(node, ast.comprehension) and isinstance(node.target, ast.Name):
            yield node.target.id


def _assigned(name: str, function: Function) -> list[ast.expr]:
    return [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    ]
