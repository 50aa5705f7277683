"""Compiles output parameters into a function from an upstream's document to the answer.

The rules are those of MappedOutputParameter, with the gaps of the reference engine closed: what is
not found becomes null and never disappears, nested shapes are followed to any depth, declared
types hold where a value fits them without loss, and several named parameters make an object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from naftiko_runtime.document.model import OutputParameter
from naftiko_runtime.formats import RawFormat
from naftiko_runtime.json_values import JsonValue, MaybeJson, Missing
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.getters import Compiler
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.jsonpath import JsonPath, JsonPathSyntaxError, compile_jsonpath
from naftiko_runtime.plan.operation import OutputPlan, Scope
from naftiko_runtime.plan.output_rows import Field, compile_row
from naftiko_runtime.plan.rewriting import SCALARS, fitting, is_rewritten, rewritten, types_of

Map = Callable[[JsonValue, Scope], JsonValue]


@dataclass(frozen=True, slots=True)
class _Source:
    """What compiling the outputs of one call shares. `repeats`: the format writes a list as an
    element that is repeated, so that a list of one or none cannot be told from something else."""

    compiler: Compiler
    repeats: bool = False


class OutputError(ValueError):
    """An output parameter that cannot be compiled."""

    def __init__(self, parameter: OutputParameter, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


def compile_output(
    outputs: Sequence[OutputParameter], raw_format: RawFormat, compiler: Compiler
) -> OutputPlan:
    """The output of a call. Raises OutputError.

    One parameter is the whole answer, whatever its name; several with names make an object; of
    several without names the first that gives something counts. Where nothing is found at all the
    document is returned as it came. An answer in another format than JSON becomes JSON as soon as
    any parameter is declared; text and bytes do not where it is the whole of them.
    """
    if not outputs:
        return OutputPlan(raw_format=raw_format)
    if len(outputs) == 1 and _is_identity(outputs[0]):
        if raw_format.as_it_came:
            return OutputPlan(raw_format=raw_format)
        return OutputPlan(lambda document, scope: document, raw_format=raw_format)
    source = _Source(compiler, repeats=raw_format.name == "xml")
    if len(outputs) > 1 and all(output.name for output in outputs):
        members = [(output.name or "", output) for output in outputs]
        schema: dict[str, JsonValue] = {
            "type": "object",
            "properties": {output.name or "": output_schema(output) for output in outputs},
        }
        return OutputPlan(_compile_object(members, source), schema, raw_format)
    candidates = [_compile(output, source) for output in outputs]
    if raw_format.name == "xml" and len(outputs) == 1 and _is_array_of_all(outputs[0]):
        assert outputs[0].items is not None
        candidates = [_array(_only_children, outputs[0].items, source)]

    def first(document: JsonValue, scope: Scope) -> JsonValue:
        for candidate in candidates:
            value = candidate(document, scope)
            if value is not None:
                return value
        return document

    return OutputPlan(first, output_schema(outputs[0]) if len(outputs) == 1 else None, raw_format)


def compile_member(output: OutputParameter, compiler: Compiler) -> Map:
    """What one parameter gives by itself: null where nothing is found. Raises OutputError."""
    return _compile(output, _Source(compiler))


def _is_identity(output: OutputParameter) -> bool:
    """Whether the parameter is the whole document as it is, whatever type it claims."""
    return (
        (output.mapping == "$" or output.mapping is None)
        and output.value is None
        and isinstance(output.const, Missing)
        and output.properties is None
        and output.items is None
        and output.values is None
        and output.max_length is None
        and not output.others
        and not is_rewritten(output)
        and (output.mapping == "$" or output.type == "object")
        and not (output.name and output.mapping is None)
    )


def _path(parameter: OutputParameter, text: str) -> JsonPath:
    try:
        return compile_jsonpath(text)
    except JsonPathSyntaxError as error:
        raise OutputError(parameter, f'the path "{text}" cannot be read: {error}') from None


def _compile(output: OutputParameter, source: _Source) -> Map:
    make = _compile_source(output, source)
    return rewritten(make, output) if is_rewritten(output) else make


def _compile_source(output: OutputParameter, source: _Source) -> Map:
    if output.value is not None:
        return _constant(output, source.compiler)
    read = _reader(output)
    if output.values is not None:
        return _each_member(read, _compile(output.values, source))
    if output.items is not None:
        return _array(read, output.items, source)
    if output.properties is not None:
        build = _compile_properties(output.properties, source)
        return _scoped(read if output.mapping is not None else None, build)
    return _scalar(read, output)


def _compile_properties(properties: Sequence[tuple[str, OutputParameter]], source: _Source) -> Map:
    fields = [field for name, child in properties if (field := _field(name, child)) is not None]
    if len(fields) == len(properties):
        return compile_row(fields)
    return _compile_object(properties, source)


def _field(name: str, output: OutputParameter) -> Field | None:
    """The property as a member of the document alone; None where it takes more."""
    parts = (output.value, output.values, output.items, output.properties, output.max_length)
    if output.mapping is None or any(part is not None for part in parts):
        return None
    if output.others or output.optional or is_rewritten(output):
        return None
    key = _path(output, output.mapping).member
    return None if key is None else Field(name, key, output.type, fitting(output.type))


def _constant(output: OutputParameter, compiler: Compiler) -> Map:
    """A `value`: a constant or template, in the declared type where it fits."""
    assert output.value is not None
    get = compiler.value(output.value, Need())
    fit = fitting(output.type)

    def make(document: JsonValue, scope: Scope) -> JsonValue:
        value = get(scope)
        return None if isinstance(value, Missing) else fit(value)

    return make


def _reader(output: OutputParameter) -> Callable[[JsonValue], MaybeJson]:
    """Reads the node that a parameter is about: its path; else, for a named one of a list, the
    member of its name; else the document itself."""
    if output.mapping is not None and output.others:
        return _first_of([_path(output, text).read for text in (output.mapping, *output.others)])
    if output.mapping is not None:
        return _path(output, output.mapping).read
    if not isinstance(output.const, Missing):
        constant = output.const
        return lambda document: constant
    if output.name and output.properties is None and output.values is None:
        name = output.name
        return lambda document: (
            document.get(name, Missing.MISSING) if isinstance(document, dict) else Missing.MISSING
        )
    return lambda document: document


def _first_of(
    reads: Sequence[Callable[[JsonValue], MaybeJson]],
) -> Callable[[JsonValue], MaybeJson]:
    def read(document: JsonValue) -> MaybeJson:
        for each in reads:
            value = each(document)
            if not isinstance(value, Missing) and value is not None and value != []:
                return value
        return Missing.MISSING

    return read


def _is_array_of_all(output: OutputParameter) -> bool:
    return output.items is not None and output.mapping == "$" and output.value is None


def _only_children(document: JsonValue) -> MaybeJson:
    """The children of an XML root that has them of one kind only, and nothing else: XML writes a
    list as an element around its items, and this is what an array of the whole document means."""
    if document == {}:
        return []
    if isinstance(document, dict) and len(document) == 1:
        (children,) = document.values()
        if isinstance(children, list | dict):
            return children
    return document


def _compile_object(members: Sequence[tuple[str, OutputParameter]], source: _Source) -> Map:
    """An object, without the `optional` members for which there is nothing."""
    made = [(name, _compile(output, source)) for name, output in members]
    optional = {name for name, output in members if output.optional}
    if not optional:
        return _object(made)

    def build(document: JsonValue, scope: Scope) -> JsonValue:
        found = {name: make(document, scope) for name, make in made}
        return {k: v for k, v in found.items() if v is not None or k not in optional}

    return build


def _object(members: Sequence[tuple[str, Map]]) -> Map:
    def build(document: JsonValue, scope: Scope) -> JsonValue:
        return {name: make(document, scope) for name, make in members}

    return build


def _scoped(read: Callable[[JsonValue], MaybeJson] | None, build: Map) -> Map:
    """An object whose own path narrows what its members' paths see."""
    if read is None:
        return build

    def narrowed(document: JsonValue, scope: Scope) -> JsonValue:
        node = read(document)
        return None if isinstance(node, Missing) or node is None else build(node, scope)

    return narrowed


def _array(read: Callable[[JsonValue], MaybeJson], items: OutputParameter, source: _Source) -> Map:
    make = _compile(items, source)
    if not source.repeats:
        return _each_item(read, make)
    of_elements = items.properties is not None or items.values is not None

    def read_repeated(document: JsonValue) -> MaybeJson:
        """All there are of a repeated element: a list, one of them, or nothing. An empty text is
        an element that holds none where the items are elements with something in them."""
        node = read(document)
        if isinstance(node, Missing) or (node == "" and of_elements):
            return []
        return [node] if isinstance(node, str) else node

    return _each_item(read_repeated, make)


def _each_item(read: Callable[[JsonValue], MaybeJson], make: Map) -> Map:
    """An array; a single object stands for an array of one (as formats without arrays give)."""

    def build(document: JsonValue, scope: Scope) -> JsonValue:
        node = read(document)
        if isinstance(node, list):
            return [make(item, scope) for item in node]
        if isinstance(node, dict):
            return [make(node, scope)]
        return None

    return build


def _each_member(read: Callable[[JsonValue], MaybeJson], make: Map) -> Map:
    """A map whose every value is mapped (`values`)."""

    def build(document: JsonValue, scope: Scope) -> JsonValue:
        node = read(document)
        if not isinstance(node, dict):
            return None
        return {key: make(value, scope) for key, value in node.items()}

    return build


def _scalar(read: Callable[[JsonValue], MaybeJson], output: OutputParameter) -> Map:
    fit, limit = fitting(output.type), output.max_length

    def make(document: JsonValue, scope: Scope) -> JsonValue:
        value = read(document)
        if isinstance(value, Missing) or value is None:
            return None
        value = fit(value)
        return value[:limit] if limit is not None and isinstance(value, str) else value

    return make


def output_schema(output: OutputParameter) -> dict[str, JsonValue]:
    """JSON Schema (2020-12) of what a parameter gives; everything may be null but an object that
    is built member by member."""
    schema: dict[str, JsonValue] = {}
    if output.description:
        schema["description"] = output.description
    if output.values is not None:
        return schema | {
            "type": ["object", "null"],
            "additionalProperties": output_schema(output.values),
        }
    if output.items is not None:
        return schema | {"type": ["array", "null"], "items": output_schema(output.items)}
    if output.properties is not None:
        built = output.mapping is None
        return schema | {
            "type": "object" if built else ["object", "null"],
            "properties": {name: output_schema(child) for name, child in output.properties},
        }
    if output.type in SCALARS:
        return schema | {"type": types_of(output)}
    return schema
