"""Compiles what an upstream request's body is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.document.model import (
    Call,
    ConsumedOperation,
    ConsumedParameter,
    InputParameter,
    InputReference,
    ParameterPlace,
    Template,
    TemplatedObject,
    Value,
)
from naftiko_runtime.document.values import references_of
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.bodies import BODIES, BodyWriter
from naftiko_runtime.plan.bodies.json_body import (
    fields_body,
    forwarded_body,
    merged_body,
    whole_body,
)
from naftiko_runtime.plan.getters import Compiler, Getter, input_getter
from naftiko_runtime.plan.inputs import InputCollector, Need, need_of

BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class BodySource:
    """Where a call's body comes from: `in: body` parameters, or the caller's body as it is
    (`forwards`), or else what the operation's `body` says."""

    parameters: tuple[ConsumedParameter, ...]
    forwards: bool

    @property
    def sole(self) -> ConsumedParameter | None:
        return self.parameters[0] if len(self.parameters) == 1 else None


def body_source(operation: ConsumedOperation, call: Call, *, in_steps: bool) -> BodySource:
    """A call may give the body of an operation that declares none as the argument `body`."""
    is_given = any(fold_name(name) == "body" for name, _ in call.arguments)
    is_other = any(fold_name(parameter.name) == "body" for parameter in operation.parameters)
    if operation.leaves_body_open and is_given and not is_other:
        body = ConsumedParameter(operation.place, operation.path, "body", ParameterPlace.BODY)
        return BodySource((body,), False)
    parameters = (p for p in operation.parameters if p.location is ParameterPlace.BODY)
    forwards = operation.leaves_body_open and operation.method in BODY_METHODS and not in_steps
    return BodySource(tuple(parameters), forwards)


def body_need(
    parameter: ConsumedParameter, operation: ConsumedOperation, collector: InputCollector
) -> Need:
    """What a sole `in: body` parameter wants. Bodies of GET and DELETE have no meaning of their own
    (RFC 9110, section 9.3) and many HTTP clients cannot send one, so they are never required."""
    need = need_of(parameter, whole_body=True)
    if collector.is_rest and operation.method not in BODY_METHODS:
        return replace(need, required=False)
    return need


def is_callers_body(parameter: ConsumedParameter, call: Call, outer: Compiler) -> bool:
    """Whether the caller's body goes upstream as it is: nothing else fills the parameter."""
    if outer.arguments.find(parameter.name) is not None:
        return False
    folded = fold_name(parameter.name)
    values = [value for name, value in call.arguments if fold_name(name) == folded]
    whole = values[0].whole if values and isinstance(values[0], Template) else None
    implied = not values or (isinstance(whole, InputReference) and not whole.rest)
    return parameter.value is None and implied


def body_field(operation: ConsumedOperation) -> InputReference | None:
    """The reference in a body's `data` that means the caller's field `body`, as in
    `{title: "{{title}}", body: "{{body}}"}`; None where it means the whole of the caller's body:
    where it is all that `data` takes from there, under another name.
    """
    data = None if operation.body is None else operation.body.data
    if data is None or (isinstance(data, Template) and data.whole is not None):
        return None
    given = [r for r in references_of(data) if isinstance(r, InputReference)]
    found = next((r for r in given if fold_name(r.name) == "body" and not r.rest), None)
    if found is None:
        return None
    in_path = {fold_name(r.text) for r in operation.url_path.references}
    others = {fold_name(r.name) for r in given} - in_path - {"body"}
    return found if others or _has_member(data, found) else None


def _has_member(data: Value, reference: InputReference) -> bool:
    """Whether a member is called like what fills it."""
    if not isinstance(data, TemplatedObject):
        return False
    return any(
        _has_member(member, reference)
        or (
            fold_name(name) == fold_name(reference.name)
            and isinstance(member, Template)
            and member.whole == reference
        )
        for name, member in data.members
    )


def body_schema(parameter: ConsumedParameter) -> dict[str, JsonValue]:
    schema: dict[str, JsonValue] = {}
    if parameter.type is not None:
        schema["type"] = parameter.type.value
    if parameter.description:
        schema["description"] = parameter.description
    return schema


def compile_body(
    operation: ConsumedOperation,
    source: BodySource,
    compiler: Compiler,
    fill: Callable[[ConsumedParameter, Need | None], Getter],
    *,
    raw: bool,
) -> BodyWriter | None:
    """The writer of a request's body, None when the call never has one. `fill` reads what a
    parameter is given. Raises ValueError for what cannot be compiled."""
    collector = compiler.collector
    if operation.body is not None and operation.body.data is not None:
        compiler = _with_body_field(operation, compiler)
        writer = BODIES[operation.body.type](operation.body, compiler)
        extra = _take(collector, [p for p in collector.unread() if _feeds_body(p)])
        if extra and writer.content_type == "application/json":
            return merged_body(writer, compiler.value(operation.body.data, Need()), extra)
        return writer
    if source.sole is not None:
        return whole_body(fill(source.sole, body_need(source.sole, operation, collector)), raw=raw)
    if source.parameters:
        return fields_body([(p.name, fill(p, None)) for p in source.parameters])
    if source.forwards:
        unread = [] if collector.is_rest else _take(collector, collector.unread())
        return forwarded_body(unread)
    return None


def _with_body_field(operation: ConsumedOperation, compiler: Compiler) -> Compiler:
    field = body_field(operation)
    if field is None or compiler.arguments.find(field.name) is not None:
        return compiler
    name, _ = compiler.collector.name_for(field, Need(member=True))
    arguments = compiler.arguments.joined(field.name, input_getter(name))
    return replace(compiler, arguments=arguments)


def _feeds_body(parameter: InputParameter) -> bool:
    return parameter.target is not None and parameter.target.startswith("body.")


def _take(
    collector: InputCollector, parameters: Sequence[InputParameter]
) -> list[tuple[str, Getter]]:
    """Members of a JSON body out of declared inputs that nothing else reads."""
    members: list[tuple[str, Getter]] = []
    for parameter in parameters:
        collector.read(parameter)
        name = parameter.name
        if _feeds_body(parameter):
            assert parameter.target is not None
            name = parameter.target.removeprefix("body.")
        members.append((name, input_getter(parameter.name)))
    return members
