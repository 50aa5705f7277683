"""Compiles a call of a consumed operation into the function that builds its HTTP request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.document.model import Call, ConsumedOperation, Consumes, ParameterPlace
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.json_codec import JsonError
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.bodies import BodyWriter
from naftiko_runtime.plan.calls import METHOD_HEADERS
from naftiko_runtime.plan.getters import Arguments, Compiler, arguments_of
from naftiko_runtime.plan.headers import header_text
from naftiko_runtime.plan.inputs import InputCollector, Need, need_of
from naftiko_runtime.plan.operation import CallPlan, Scope, UpstreamRequest
from naftiko_runtime.plan.request_body import (
    BODY_METHODS,
    BodySource,
    body_field,
    body_need,
    body_schema,
    body_source,
    compile_body,
    is_callers_body,
)
from naftiko_runtime.plan.request_parts import Parts, names_apart, path_needs
from naftiko_runtime.plan.url import Base

__all__ = ["CompiledCall", "compile_build", "compile_call"]


@dataclass(frozen=True, slots=True)
class CompiledCall:
    """A call's plan, and what it makes of the caller's request body. `passes_body` says that a
    REST caller's body goes upstream byte for byte."""

    plan: CallPlan
    accepts_body: bool
    passes_body: bool
    body_required: bool
    body_schema: dict[str, JsonValue] | None


def compile_call(
    call: Call, consumes: Consumes, base: Base, outer: Compiler, *, in_steps: bool = False
) -> CompiledCall:
    """Compiles one call, whose arguments refer to what `outer` knows.

    A call in a sequence of steps never forwards the caller's body by itself: it would reach every
    upstream of the sequence. Raises ValueError for what cannot be compiled.
    """
    collector, from_rest = outer.collector, outer.collector.is_rest
    operation = consumes.operations[call.operation.partition(".")[2]]
    source = body_source(operation, call, in_steps=in_steps)
    if source.forwards or source.sole is not None:
        collector.forward_body()
    apart = names_apart(operation)
    collector.keep_apart(apart)
    arguments = _compile_arguments(call, operation, source, apart, outer)
    parts = Parts(replace(outer, arguments=arguments), consumes, operation)
    write_url, write_headers = parts.url(base), parts.headers()
    raw = from_rest and source.sole is not None and is_callers_body(source.sole, call, outer)
    body = compile_body(operation, source, parts.compiler, parts.fill, raw=raw)
    inputs = collector.plans()
    whole = from_rest and any(plan.whole_body for plan in inputs)
    fields = from_rest and any(
        ParameterPlace.BODY in plan.places or plan.body_path is not None for plan in inputs
    )
    return CompiledCall(
        CallPlan(
            upstream=consumes.namespace,
            operation=operation.reference,
            method=operation.method,
            build=compile_build(operation, parts, write_url, write_headers, body),
            names_method=any(
                parameter.location is ParameterPlace.HEADER
                and fold_name(parameter.name) in METHOD_HEADERS
                for parameter in operation.parameters
            ),
            declared_safe=operation.declared_safe is True,
        ),
        accepts_body=source.forwards or whole or fields,
        passes_body=raw or (from_rest and source.forwards),
        body_required=any(plan.whole_body and plan.required for plan in inputs),
        body_schema=None if source.sole is None else body_schema(source.sole),
    )


def _compile_arguments(
    call: Call,
    operation: ConsumedOperation,
    source: BodySource,
    apart: set[str],
    outer: Compiler,
) -> Arguments:
    needs = _needs(operation, source, outer.collector)
    folded = {fold_name(name): need for name, need in needs.items()}
    compiled = {
        name: outer.value(value, needs.get(name) or folded.get(fold_name(name), Need()))
        for name, value in call.arguments
    }
    return arguments_of(compiled, apart).over(outer.arguments)


def _needs(
    operation: ConsumedOperation, source: BodySource, collector: InputCollector
) -> dict[str, Need]:
    """What the consumed parameters and path variables want, by their names."""
    needs = path_needs(operation)
    for parameter in (*source.parameters, *operation.parameters):
        if parameter is source.sole:
            needs[parameter.name] = body_need(parameter, operation, collector)
        else:
            needs.setdefault(parameter.name, need_of(parameter))
    if body_field(operation) is not None:
        needs.setdefault("body", Need(member=True))
    return needs


def _written(body: BodyWriter, scope: Scope) -> bytes | None:
    try:
        return body.write(scope)
    except (UnicodeEncodeError, JsonError):
        message = "the request body cannot be written: a value in it is not valid Unicode or JSON"
        raise fail(FailureKind.INVALID_INPUT, message) from None


def _credential_writer(parts: Parts) -> Callable[[str], str]:
    """Writes a credential as a header's text; one that does not fit is the file's fault or its
    variables', unless a caller gives it."""
    name = "" if parts.carried is None else parts.carried.name

    def write(credential: str) -> str:
        try:
            return header_text(name, credential)
        except CallFailed:
            if parts.caller_gives_credential:
                raise
            raise fail(
                FailureKind.UNSET_VARIABLE,
                f'the credential for "{name}" has no usable value: a header takes ASCII text '
                "without line breaks or blanks at its ends; mend the variable that it comes from",
                field=name,
            ) from None

    return write


def compile_build(
    operation: ConsumedOperation,
    parts: Parts,
    write_url: Callable[[Scope], str],
    write_headers: Callable[[Scope], list[tuple[str, str]]],
    body: BodyWriter | None,
) -> Callable[[Scope], UpstreamRequest]:
    """Makes one request of the parts that are compiled: with credentials, and with what must not
    be shown of them."""
    upstream, name, method = operation.namespace, operation.reference, operation.method
    carried, fixed_secrets, safe = parts.carried, parts.secrets, operation.declared_safe is True
    write_credential = _credential_writer(parts)
    expects_body = method in BODY_METHODS
    typed = any(
        p.location is ParameterPlace.HEADER and p.name.lower() == "content-type"
        for p in operation.parameters
    )

    def build(scope: Scope) -> UpstreamRequest:
        headers = write_headers(scope)
        secrets, login = fixed_secrets, None
        if carried is not None:
            if carried.login is not None:
                login = carried.login(scope)
            credential = carried.read(scope)
            secrets = (*carried.secrets(scope), *fixed_secrets)
            if credential is not None and not carried.in_query:
                headers.append((carried.name, write_credential(credential)))
        content = None if body is None else _written(body, scope)
        if content is not None and body is not None:
            given = typed and any(key.lower() == "content-type" for key, _ in headers)
            if not given:
                headers.append(("Content-Type", body.content_type))
        elif expects_body:
            content = b""
        url = write_url(scope)
        return UpstreamRequest(
            upstream, name, method, url, headers, content, secrets, login, declared_safe=safe
        )

    return build
