"""Compiles a call of a consumed operation into the function that builds its HTTP request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.document.model import (
    Authentication,
    Call,
    ConsumedOperation,
    ConsumedParameter,
    Consumes,
    InputParameter,
    InputReference,
    ParameterPlace,
    Template,
    Value,
)
from naftiko_runtime.json_values import JsonValue, MaybeJson, Missing
from naftiko_runtime.plan.bodies import BODIES, BodyWriter
from naftiko_runtime.plan.bodies.json_body import (
    fields_body,
    forwarded_body,
    merged_body,
    whole_body,
)
from naftiko_runtime.plan.credentials import CREDENTIALS, Carried
from naftiko_runtime.plan.getters import Compiler, Getter, input_getter
from naftiko_runtime.plan.headers import (
    NAME,
    RESERVED,
    compile_cookies,
    compile_headers,
    header_text,
)
from naftiko_runtime.plan.inputs import InputCollector, Need, need_of
from naftiko_runtime.plan.operation import CallPlan, Scope, UpstreamRequest
from naftiko_runtime.plan.url import Base, compile_url

_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


class NotSupported(Exception):
    """A construct that this version does not run; the message names it."""


@dataclass(frozen=True, slots=True)
class CompiledCall:
    """A call's plan, and what it makes of the caller's request body."""

    plan: CallPlan
    accepts_body: bool
    body_required: bool
    body_schema: dict[str, JsonValue] | None


def compile_call(
    call: Call, consumes: Consumes, base: Base, outer: Compiler, *, in_steps: bool = False
) -> CompiledCall:
    """Compiles one call, whose arguments refer to what `outer` knows.

    A call in a sequence of steps never forwards the caller's body by itself: it would reach every
    upstream of the sequence. Raises NotSupported, or ValueError for what cannot be compiled.
    """
    collector, from_rest = outer.collector, outer.collector.is_rest
    operation = consumes.operations[call.operation.partition(".")[2]]
    body_parameters = [p for p in operation.parameters if p.location is ParameterPlace.BODY]
    bodyless = operation.body is None and not body_parameters
    given = {fold_name(name): value for name, value in call.arguments}
    if bodyless and "body" in given:
        body_parameters = [_body_parameter(operation)]
    forwards = not body_parameters and bodyless and operation.method in _BODY_METHODS
    forwards = forwards and not in_steps
    if forwards or len(body_parameters) == 1:
        collector.forward_body()
    needs = {fold_name(p.name): p for p in (*operation.parameters, *body_parameters)}
    sole_body = body_parameters[0] if len(body_parameters) == 1 else None
    arguments = {
        name: outer.value(value, _need(needs.get(name), sole_body, operation, collector))
        for name, value in given.items()
    }
    parts = _Parts(Compiler(collector, outer.variables, arguments), consumes, operation)
    write_url, write_headers = parts.url(base), parts.headers()
    raw = from_rest and sole_body is not None and _is_callers_body(sole_body, given)
    body = _compile_body(operation, body_parameters, parts, forwards=forwards, raw=raw)
    whole = from_rest and _reads_whole_body(collector)
    return CompiledCall(
        CallPlan(
            upstream=consumes.namespace,
            operation=operation.reference,
            method=operation.method,
            build=_compile_build(operation, parts.carried, write_url, write_headers, body),
        ),
        accepts_body=forwards or whole or (from_rest and _reads_body_fields(collector)),
        body_required=any(plan.whole_body and plan.required for plan in collector.plans()),
        body_schema=None if sole_body is None else _body_schema(sole_body),
    )


def _body_parameter(operation: ConsumedOperation) -> ConsumedParameter:
    """The body of an operation that declares none, for a call that gives one in `with`."""
    return ConsumedParameter(operation.place, operation.path, "body", ParameterPlace.BODY)


def _is_callers_body(parameter: ConsumedParameter, given: Mapping[str, Value]) -> bool:
    """Whether the caller's body goes upstream as it is: nothing else fills the parameter."""
    value = given.get(fold_name(parameter.name))
    whole = value.whole if isinstance(value, Template) else None
    implied = value is None or (isinstance(whole, InputReference) and not whole.rest)
    return parameter.value is None and implied


def _need(
    parameter: ConsumedParameter | None,
    sole_body: ConsumedParameter | None,
    operation: ConsumedOperation,
    collector: InputCollector,
) -> Need:
    if parameter is None:
        return Need()
    if parameter is sole_body:
        return _body_need(parameter, operation, collector)
    return need_of(parameter)


def _body_need(
    parameter: ConsumedParameter, operation: ConsumedOperation, collector: InputCollector
) -> Need:
    """What a sole `in: body` parameter wants. Bodies of GET and DELETE have no meaning of their own
    (RFC 9110, section 9.3) and many HTTP clients cannot send one, so they are never required."""
    need = need_of(parameter, whole_body=True)
    if collector.is_rest and operation.method not in _BODY_METHODS:
        return replace(need, required=False)
    return need


def _reads_whole_body(collector: InputCollector) -> bool:
    return any(plan.whole_body for plan in collector.plans())


def _reads_body_fields(collector: InputCollector) -> bool:
    return any(
        ParameterPlace.BODY in plan.places or plan.body_path is not None
        for plan in collector.plans()
    )


def _body_schema(parameter: ConsumedParameter) -> dict[str, JsonValue]:
    schema: dict[str, JsonValue] = {}
    if parameter.type is not None:
        schema["type"] = parameter.type.value
    if parameter.description:
        schema["description"] = parameter.description
    return schema


class _Parts:
    """Compiles the parts of one request; lives while its call is compiled."""

    def __init__(
        self, compiler: Compiler, consumes: Consumes, operation: ConsumedOperation
    ) -> None:
        self.compiler = compiler
        self._operation = operation
        self.carried = _compile_credentials(consumes.authentication, compiler)
        self._by_place: dict[ParameterPlace, list[ConsumedParameter]] = {}
        for parameter in operation.parameters:
            self._by_place.setdefault(parameter.location, []).append(parameter)

    def at(self, place: ParameterPlace) -> list[ConsumedParameter]:
        return self._by_place.get(place, [])

    def getter(self, parameter: ConsumedParameter, need: Need | None = None) -> Getter:
        """What fills a consumed parameter: its own `value`, else the argument in `with`, else the
        caller's input of the same name; a default of the file where none of them is given."""
        need = need or need_of(parameter)
        if parameter.value is not None:
            return self.compiler.value(parameter.value, need)
        argument = self.compiler.arguments.get(fold_name(parameter.name))
        if argument is None:
            name = self.compiler.collector.implied_by(parameter, need)
            return input_getter(name)
        default = parameter.schema.get("default")
        return argument if default is None else _or_default(argument, default)

    def url(self, base: Base) -> Callable[[Scope], str]:
        needs = {parameter.name: need_of(parameter) for parameter in self.at(ParameterPlace.PATH)}
        values = {
            fold_name(parameter.name): self.getter(parameter)
            for parameter in self.at(ParameterPlace.PATH)
            if parameter.value is not None
        }
        compiler = self.compiler
        if values:
            compiler = Compiler(
                compiler.collector, compiler.variables, {**compiler.arguments, **values}
            )
        query = [
            (parameter.name, parameter.name, self.getter(parameter))
            for parameter in self.at(ParameterPlace.QUERY)
        ]
        if self.carried is not None and self.carried.in_query:
            query = [item for item in query if item[0] != self.carried.name]
            query.append((self.carried.name, self.carried.name, _credential(self.carried)))
        path = _with_needs(self._operation.url_path, needs)
        return compile_url(base, path, query, compiler, needs)

    def headers(self) -> Callable[[Scope], list[tuple[str, str]]]:
        """Headers of parameters; one that the credentials set cannot be given by a caller."""
        managed = ""
        if self.carried is not None and not self.carried.in_query:
            managed = self.carried.name.lower()
        headers: list[tuple[str, Getter]] = []
        for parameter in self.at(ParameterPlace.HEADER):
            lower = parameter.name.lower()
            if lower in RESERVED or lower == managed:
                continue
            if not NAME.fullmatch(parameter.name):
                raise ValueError(f'"{parameter.name}" is no name of a header')
            headers.append((parameter.name, self.getter(parameter)))
        cookies = [(p.name, self.getter(p)) for p in self.at(ParameterPlace.COOKIE)]
        cookie = compile_cookies(cookies)
        if cookie is not None:
            headers.append(("Cookie", cookie))
        return compile_headers(headers)


def _with_needs(path: Template, needs: dict[str, Need]) -> Template:
    """The path, with what `in: path` parameters say of its variables under the variables' own
    spelling (they may differ in case, `-` and `_`)."""
    folded = {fold_name(name): need for name, need in needs.items()}
    for reference in path.references:
        if isinstance(reference, InputReference):
            name = ".".join((reference.name, *reference.rest))
            if fold_name(name) in folded:
                needs[name] = folded[fold_name(name)]
    return path


def _or_default(get: Getter, default: JsonValue) -> Getter:
    def read(scope: Scope) -> MaybeJson:
        value = get(scope)
        return default if isinstance(value, Missing) else value

    return read


def _credential(carried: Carried) -> Getter:
    return lambda scope: carried.read(scope)


def _compile_credentials(
    authentication: Authentication | None, compiler: Compiler
) -> Carried | None:
    if authentication is None:
        return None
    compile_one = CREDENTIALS.get(authentication.type)
    if compile_one is None:
        raise NotSupported(f'authentication of type "{authentication.type}" towards an upstream')
    return compile_one(authentication, compiler)


def _compile_body(
    operation: ConsumedOperation,
    parameters: list[ConsumedParameter],
    parts: _Parts,
    *,
    forwards: bool,
    raw: bool,
) -> BodyWriter | None:
    collector = parts.compiler.collector
    if operation.body is not None and operation.body.data is not None:
        compile_one = BODIES.get(operation.body.type)
        if compile_one is None:
            raise NotSupported(f'a body of type "{operation.body.type}"')
        writer = compile_one(operation.body, parts.compiler)
        extra = _take(collector, [p for p in collector.unread() if _feeds_body(p)])
        if extra and writer.content_type == "application/json":
            return merged_body(writer, parts.compiler.value(operation.body.data, Need()), extra)
        return writer
    if len(parameters) == 1:
        need = _body_need(parameters[0], operation, collector)
        return whole_body(parts.getter(parameters[0], need), raw=raw)
    if parameters:
        return fields_body([(p.name, parts.getter(p)) for p in parameters])
    if forwards:
        unread = [] if collector.is_rest else _take(collector, collector.unread())
        return forwarded_body(unread)
    return None


def _feeds_body(parameter: InputParameter) -> bool:
    return parameter.target is not None and parameter.target.startswith("body.")


def _take(collector: InputCollector, parameters: list[InputParameter]) -> list[tuple[str, Getter]]:
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


def _compile_build(
    operation: ConsumedOperation,
    carried: Carried | None,
    write_url: Callable[[Scope], str],
    write_headers: Callable[[Scope], list[tuple[str, str]]],
    body: BodyWriter | None,
) -> Callable[[Scope], UpstreamRequest]:
    upstream, name, method = operation.namespace, operation.reference, operation.method
    expects_body = method in _BODY_METHODS
    typed = any(
        p.location is ParameterPlace.HEADER and p.name.lower() == "content-type"
        for p in operation.parameters
    )

    def build(scope: Scope) -> UpstreamRequest:
        headers = write_headers(scope)
        secrets: tuple[str, ...] = ()
        if carried is not None:
            credential = carried.read(scope)
            secrets = carried.secrets(scope)
            if credential is not None and not carried.in_query:
                headers.append((carried.name, header_text(carried.name, credential)))
        content = None if body is None else body.write(scope)
        if content is not None and body is not None:
            given = typed and any(key.lower() == "content-type" for key, _ in headers)
            if not given:
                headers.append(("Content-Type", body.content_type))
        elif expects_body:
            content = b""
        return UpstreamRequest(upstream, name, method, write_url(scope), headers, content, secrets)

    return build
