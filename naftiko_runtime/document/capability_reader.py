"""Reads a capability file into its checked, typed model.

The way of a file: strict YAML, JSON Schema, imports, dialect, model, cross-checks. What a problem
takes out of service is left out of the model; the rest of the file is served.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from naftiko_runtime.document.behaviour_reader import read_functions
from naftiko_runtime.document.consumes_reader import environment_binds, read_consumes
from naftiko_runtime.document.cross_checks import check_references
from naftiko_runtime.document.dialects import CALLER_NAMESPACES, NameScope
from naftiko_runtime.document.element import Element, Reading
from naftiko_runtime.document.exposes_reader import read_adapter
from naftiko_runtime.document.imports import Importer, is_import
from naftiko_runtime.document.model import (
    Adapter,
    AggregateFunction,
    Bind,
    Capability,
    Consumes,
    McpAdapter,
    RestAdapter,
    SkillAdapter,
)
from naftiko_runtime.document.schema_check import check_schema, enclosing_part
from naftiko_runtime.document.yaml_reader import YamlDocument, read_yaml
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.problems import Consequence, Place, Problem


@dataclass(frozen=True, slots=True)
class CapabilityReading:
    """What reading a file gave: its model (None when nothing of it can be served), the problems
    of all stages, and the other files that were read for it."""

    capability: Capability | None
    problems: tuple[Problem, ...]
    dependencies: tuple[Path, ...] = ()


def read_capability(path: Path, data: bytes | None = None) -> CapabilityReading:
    """Reads one file; `data` is its content where the caller has read it already."""
    file = str(path)
    if data is None:
        try:
            data = path.read_bytes()
        except OSError as error:
            message = f"the file cannot be read: {error.strerror}"
            return CapabilityReading(None, (Problem("unreadable-file", Place(file), (), message),))
    document, problems = read_yaml(data, file)
    if document is None:
        return CapabilityReading(None, tuple(problems))
    problems = [*problems, *check_schema(document)]
    if any(problem.consequence is Consequence.FILE for problem in problems):
        return CapabilityReading(None, tuple(problems))
    reading = _start(document, problems)
    importer = Importer(path, read_upstreams, reading.scope)
    capability = check_references(_read_document(reading, importer), reading)
    problems = [*problems, *reading.problems]
    return CapabilityReading(capability, tuple(problems), tuple(importer.files))


def read_upstreams(
    path: Path, data: bytes, importer: Importer
) -> tuple[dict[str, Consumes], list[Bind]]:
    """The upstreams and binds of a file that another one imports from; raises ValueError, whose
    text says what is wrong, when it cannot be read."""
    document, problems = read_yaml(data, str(path))
    if document is not None:
        problems = [*problems, *check_schema(document)]
    fatal = [p for p in problems if p.consequence is Consequence.FILE]
    if document is None or fatal:
        raise ValueError(str(fatal[0]) if fatal else "it is not a capability file")
    reading = _start(document, problems)
    reading.scope = importer.scope = reading.scope.with_variables(importer.scope)
    capability = _read_document(reading, importer)
    return dict(capability.consumes), list(capability.binds)


def _start(document: YamlDocument, problems: Iterable[Problem]) -> Reading:
    parts = (enclosing_part(p.path) for p in problems if p.consequence is Consequence.PART)
    return Reading(document, {part for part in parts if part is not None}, _scope_of(document))


def _scope_of(document: YamlDocument) -> NameScope:
    """What names mean in the file: its variables, and the namespaces that stand for callers."""
    root = document.value if isinstance(document.value, dict) else {}
    capability = root.get("capability")
    body = capability if isinstance(capability, dict) else {}
    namespaces: dict[str, frozenset[str]] = {}
    for section in (root.get("binds"), body.get("binds")):
        for bind in section if isinstance(section, list) else []:
            if isinstance(bind, dict) and isinstance(bind.get("keys"), dict):
                keys = frozenset(str(key) for key in bind["keys"])  # type: ignore[union-attr]
                name = str(bind.get("namespace"))
                namespaces[name] = namespaces.get(name, frozenset()) | keys
    callers = {
        str(item["namespace"])
        for section in (body.get("exposes"), body.get("aggregates"))
        for item in (section if isinstance(section, list) else [])
        if isinstance(item, dict) and item.get("namespace")
    }
    return NameScope(
        variables=frozenset[str]().union(*namespaces.values()),
        variable_namespaces=namespaces,
        callers=CALLER_NAMESPACES | callers,
    )


def _read_document(reading: Reading, importer: Importer) -> Capability:
    document = reading.document
    assert isinstance(document.value, dict)
    root = Element(reading, (), document.value)
    body = root.child("capability") or Element(reading, ("capability",), {})
    binds = [bind for element in (root, body) for bind in _read_binds(element)]
    consumes: dict[str, Consumes] = {}
    for element in (root, body):
        for child in element.children("consumes"):
            found = importer.resolve(child, binds) if is_import(child) else read_consumes(child)
            if found is not None:
                _keep_first(consumes, found.namespace, found, child)
                known = {bind.variable for bind in binds}
                binds += (b for b in environment_binds(found) if b.variable not in known)
    functions: dict[str, AggregateFunction] = {}
    for child in body.children("aggregates"):
        for function in read_functions(child, reading.scope):
            _keep_first(functions, function.reference, function, child)
    info = root.child("info") or Element(reading, ("info",), {})
    return Capability(
        place=Place(document.file),
        path=(),
        label=info.text("label") or Path(document.file).stem,
        description=info.text("description"),
        binds=tuple(binds),
        consumes=consumes,
        aggregates=functions,
        adapters=tuple(_read_adapters(body)),
    )


def _read_adapters(body: Element) -> Iterable[Adapter]:
    seen: dict[str, Place] = {}
    for child in body.children("exposes"):
        adapter = read_adapter(child)
        if adapter is None or child.reading.is_refused((*child.path, "authentication")):
            continue
        if isinstance(adapter, RestAdapter | McpAdapter | SkillAdapter):
            first = seen.setdefault(adapter.namespace, adapter.place)
            if first is not adapter.place:
                child.reading.report(
                    "duplicate-namespace",
                    (*child.path, "namespace"),
                    f'"{adapter.namespace}" is also the namespace of the adapter at line '
                    f"{first.line}",
                    "give each adapter a namespace of its own",
                )
        yield adapter


_Named = TypeVar("_Named", Consumes, AggregateFunction)


def _keep_first(found: dict[str, _Named], name: str, value: _Named, element: Element) -> None:
    first = found.setdefault(name, value)
    if first is not value:
        element.reading.report(
            "duplicate-namespace",
            element.path,
            f'"{name}" is defined twice; the first is at {first.place}',
            "rename one of them: calls reach the first only",
        )


def _read_binds(element: Element) -> Iterable[Bind]:
    for child in element.children("binds"):
        for variable, key in child.mapping("keys").items():
            path = (*child.path, "keys", variable)
            yield Bind(
                place=element.reading.document.place(path),
                path=path,
                namespace=child.text("namespace"),
                variable=variable,
                key=str(key),
                location=child.optional_text("location"),
                default=_default_of(child, variable),
            )


def _default_of(binding: Element, variable: str) -> str | None:
    defaults = binding.child("defaults")
    return None if defaults is None else defaults.optional_text(variable)
