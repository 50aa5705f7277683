"""Reads `consumes`: upstreams, their operations, parameters, bodies and credentials."""

from __future__ import annotations

from dataclasses import replace

from naftiko_runtime.document.dialects import (
    NameScope,
    Position,
    method_of,
    read_body_type,
    read_credential,
    read_path_template,
    read_value,
)
from naftiko_runtime.document.element import Element
from naftiko_runtime.document.model import (
    Authentication,
    AuthenticationType,
    Bind,
    BodyType,
    ConsumedOperation,
    ConsumedParameter,
    Consumes,
    Literal,
    ParameterPlace,
    ParameterType,
    RequestBody,
    Template,
    Value,
)
from naftiko_runtime.document.operation_target import (
    placed,
    read_url_path,
    takes_fields,
    without_place,
)
from naftiko_runtime.document.outputs_reader import read_outputs
from naftiko_runtime.document.templates import TemplateSyntaxError
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.problems import DocumentPath

PLACEMENTS = frozenset({"header", "query"})
_PARAMETER_KEYS = frozenset({"name", "in", "type", "description", "required", "value", "template"})
_PARAMETER_TYPES = frozenset(ParameterType)
_AUTHENTICATION_TYPES = frozenset(AuthenticationType)
_AUTHENTICATION_KEYS = frozenset({"type", "placement", "scopes"})


def read_consumes(element: Element) -> Consumes:
    """One `type: http` entry of `consumes`."""
    holders = _holders(element)
    scope = _with_environment(holders, element.reading.scope)
    unplaced = without_place(holders)
    namespace = element.text("namespace")
    parameters = _read_parameters(element, scope)
    operations: dict[str, ConsumedOperation] = {}
    for resource in element.children("resources"):
        shared = _most_specific(parameters, _read_parameters(resource, scope))
        for operation in resource.children("operations"):
            read = _read_operation(namespace, resource, operation, shared, scope, unplaced)
            first = operations.setdefault(read.name, read)
            if first is not read:
                element.reading.report(
                    "duplicate-operation",
                    (*operation.path, "name"),
                    f'"{read.name}" names a second operation of "{namespace}"; the first is at '
                    f"line {first.place.line}",
                    "give it another name: calls reach the first only",
                )
    return Consumes(
        place=element.place,
        path=element.path,
        namespace=namespace,
        base_uri=read_base_uri(element, scope),
        operations=operations,
        parameters=parameters,
        authentication=_read_credentials(element, scope),
        description=element.text("description"),
    )


def _holders(element: Element) -> tuple[Element, ...]:
    """What can have `inputParameters`: the upstream, its resources and their operations."""
    resources = list(element.children("resources"))
    operations = [child for each in resources for child in each.children("operations")]
    return (element, *resources, *operations)


def _with_environment(holders: tuple[Element, ...], scope: NameScope) -> NameScope:
    """The scope in which `in: environment` parameters of an upstream are variables, so that no
    caller can give them. One with a `value` is a constant instead."""
    names = {
        parameter.text("name")
        for holder in holders
        for parameter in holder.children("inputParameters")
        if parameter.text("in") == ParameterPlace.ENVIRONMENT and "value" not in parameter.values
    }
    return replace(scope, variables=scope.variables | names)


def environment_binds(consumes: Consumes) -> list[Bind]:
    """The variables that `in: environment` parameters declare: each its own key."""
    return [
        Bind(p.place, p.path, consumes.namespace, p.name, p.name, None)
        for operation in consumes.operations.values()
        for p in operation.parameters
        if p.location is ParameterPlace.ENVIRONMENT and p.value is None
    ]


def read_base_uri(element: Element, scope: NameScope) -> Template:
    """`baseUri`: its origin is filled by variables only, its path by callers too."""
    text = element.text("baseUri")
    scheme_end = text.find("://")
    slash = text.find("/", scheme_end + 3 if scheme_end >= 0 else 0)
    origin, path = (text, "") if slash < 0 else (text[:slash], text[slash:])
    try:
        head = read_path_template(origin, scope.at(Position.ORIGIN))
        tail = read_path_template(path, scope)
    except TemplateSyntaxError as error:
        element.fail_template("baseUri", error)
        return Template((text,), text)
    parts = tuple(part for part in head.parts + tail.parts if part != "")
    return Template(parts or ("",), text)


def _read_operation(
    namespace: str,
    resource: Element,
    operation: Element,
    shared: tuple[ConsumedParameter, ...],
    scope: NameScope,
    unplaced: frozenset[DocumentPath],
) -> ConsumedOperation:
    method = method_of(operation.values.get("method"))
    url_path = read_url_path(resource, operation, scope)
    body, own = _read_body(operation, scope), _read_parameters(operation, scope)
    into_body = takes_fields(method, body, (*shared, *own), unplaced, url_path)

    def settled(parameters: tuple[ConsumedParameter, ...]) -> tuple[ConsumedParameter, ...]:
        reading = operation.reading
        return placed(parameters, unplaced, url_path, reading, into_body=into_body)

    return ConsumedOperation(
        place=operation.place,
        path=operation.path,
        namespace=namespace,
        name=operation.text("name"),
        method=method,
        url_path=url_path,
        parameters=_most_specific(settled(shared), settled(own)),
        body=body,
        raw_format=operation.optional_text("outputRawFormat"),
        output_schema=operation.optional_text("outputSchema"),
        outputs=read_outputs(operation, scope),
        description=operation.text("description") or operation.text("label"),
        declared_safe=_read_safe(operation),
    )


def _read_safe(operation: Element) -> bool | None:
    semantics = operation.child("semantics")
    return None if semantics is None else semantics.flag("safe")


def _read_parameters(element: Element, scope: NameScope) -> tuple[ConsumedParameter, ...]:
    return tuple(_read_parameter(child, scope) for child in element.children("inputParameters"))


def _read_parameter(element: Element, scope: NameScope) -> ConsumedParameter:
    value: Value | None = None
    for key in ("value", "template"):
        given = element.values.get(key)
        if given is not None and value is None:
            try:
                value = read_value(given, scope)
            except TemplateSyntaxError as error:
                element.fail_template(key, error)
    return ConsumedParameter(
        place=element.place,
        path=element.path,
        name=element.text("name"),
        location=ParameterPlace(element.text("in", "body")),
        type=parameter_type(element),
        description=element.text("description"),
        required=element.flag("required"),
        value=value,
        schema=_further_keywords(element),
    )


def parameter_type(element: Element) -> ParameterType | None:
    text = element.text("type")
    return ParameterType(text) if text in _PARAMETER_TYPES else None


def _further_keywords(element: Element) -> dict[str, JsonValue]:
    return {key: value for key, value in element.values.items() if key not in _PARAMETER_KEYS}


def _most_specific(
    outer: tuple[ConsumedParameter, ...], inner: tuple[ConsumedParameter, ...]
) -> tuple[ConsumedParameter, ...]:
    """Parameters of two levels; of one name and place the inner one stays."""
    return tuple({_identity(parameter): parameter for parameter in outer + inner}.values())


def _identity(parameter: ConsumedParameter) -> tuple[ParameterPlace, str]:
    """Only headers are the same in another case (RFC 9110, section 5.1)."""
    is_header = parameter.location is ParameterPlace.HEADER
    return parameter.location, parameter.name.lower() if is_header else parameter.name


def _read_body(operation: Element, scope: NameScope) -> RequestBody | None:
    given = operation.values.get("body")
    path = (*operation.path, "body")
    place = operation.reading.document.place(path)
    if isinstance(given, str):
        return RequestBody(place, path, BodyType.RAW, _body_data(operation, given, scope))
    body = operation.child("body")
    if body is None:
        return None
    kind = BodyType(read_body_type(body.text("type", "json")))
    data = body.values.get("data")
    return RequestBody(place, path, kind, None if data is None else _body_data(body, data, scope))


def _body_data(element: Element, data: JsonValue, scope: NameScope) -> Value:
    try:
        return read_value(data, scope)
    except TemplateSyntaxError as error:
        element.fail_template("data" if "data" in element.values else "body", error)
        return Literal(data)


def read_authentication(element: Element, scope: NameScope) -> Authentication | None:
    """The `authentication` of an upstream or an adapter."""
    found = element.child("authentication")
    if found is None or found.text("type") not in _AUTHENTICATION_TYPES:
        return None
    fields: dict[str, Template] = {}
    for key in found.values:
        if key in _AUTHENTICATION_KEYS:
            continue
        try:
            fields[key] = read_credential(found.text(key), scope)
        except TemplateSyntaxError as error:
            found.fail_template(key, error)
    return Authentication(
        place=found.place,
        path=found.path,
        type=AuthenticationType(found.text("type")),
        fields=fields,
        placement=found.text("placement", "header"),
        scopes=found.texts("scopes"),
    )


def _read_credentials(element: Element, scope: NameScope) -> Authentication | None:
    """What an upstream asks for. A few published files put an API key into the request body, which
    only the operation's own `body` can say: the calls go out without it."""
    credentials = read_authentication(element, scope)
    if credentials is None or credentials.placement in PLACEMENTS:
        return credentials
    element.reading.report(
        "credential-placement",
        (*credentials.path, "placement"),
        f'a key placed in the "{credentials.placement}" is not sent',
        "use header or query, or put the key into the `body` of the operations",
    )
    return None


def renamed(consumes: Consumes, namespace: str) -> Consumes:
    """The same upstream under another namespace (`as` of an import)."""
    operations = {
        name: replace(operation, namespace=namespace)
        for name, operation in consumes.operations.items()
    }
    return replace(consumes, namespace=namespace, operations=operations)
