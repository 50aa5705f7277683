"""Reads `exposes`: adapters with their operations, tools, resources, prompts and skills."""

from __future__ import annotations

from collections.abc import Callable

from naftiko_runtime.document.behaviour_reader import read_behaviour, read_inputs
from naftiko_runtime.document.consumes_reader import PLACEMENTS, read_authentication
from naftiko_runtime.document.dialects import NameScope, Position, method_of, read_template
from naftiko_runtime.document.element import Element
from naftiko_runtime.document.errors_reader import read_errors
from naftiko_runtime.document.model import (
    Adapter,
    Authentication,
    ControlAdapter,
    ExposedOperation,
    Forward,
    Hints,
    InputParameter,
    McpAdapter,
    McpResource,
    McpTransport,
    Prompt,
    PromptArgument,
    PromptMessage,
    RestAdapter,
    Skill,
    SkillAdapter,
    SkillTool,
    Template,
    Tool,
)
from naftiko_runtime.document.templates import TemplateSyntaxError

_SKILL_KEYS = frozenset({"name", "description", "location", "tools"})


def read_adapter(element: Element) -> Adapter | None:
    """One entry of `exposes`; None for a type that the schema check has refused."""
    reader = ADAPTERS.get(element.text("type"))
    return None if reader is None else reader(element)


def _read_guard(element: Element) -> Authentication | None:
    """What an adapter asks of its callers; one that cannot be read takes the adapter out."""
    guard = read_authentication(element, element.reading.scope)
    if guard is not None and guard.placement not in PLACEMENTS:
        message = f'callers cannot give a key in the "{guard.placement}"'
        path = (*guard.path, "placement")
        element.reading.refuse("credential-placement", path, message, "use header or query")
    return guard


def _read_rest(element: Element) -> RestAdapter:
    scope = element.reading.scope
    shared = read_inputs(element)
    operations: list[ExposedOperation] = []
    forwards: list[Forward] = []
    for resource in element.children("resources"):
        route = resource.text("path")
        route = route if route.startswith("/") else "/" + route
        inputs = shared + read_inputs(resource)
        operations.extend(
            _read_operation(child, route, inputs, scope)
            for child in resource.children("operations")
        )
        forward = resource.child("forward")
        if forward is not None:
            forwards.append(
                Forward(
                    forward.place,
                    forward.path,
                    route,
                    forward.text("targetNamespace"),
                    forward.texts("trustedHeaders"),
                    _most_specific(inputs),
                    resource.text("label"),
                    resource.text("description"),
                )
            )
    return RestAdapter(
        place=element.place,
        path=element.path,
        namespace=element.text("namespace"),
        port=element.number("port") or 0,
        address=element.optional_text("address"),
        description=element.text("description"),
        operations=tuple(operations),
        forwards=tuple(forwards),
        authentication=_read_guard(element),
        errors=read_errors(element, scope),
    )


def _read_operation(
    element: Element, route: str, inherited: tuple[InputParameter, ...], scope: NameScope
) -> ExposedOperation:
    return ExposedOperation(
        place=element.place,
        path=element.path,
        method=method_of(element.values.get("method")),
        route=route,
        name=element.text("name"),
        label=element.text("label"),
        description=element.text("description"),
        parameters=_most_specific(inherited + read_inputs(element)),
        behaviour=read_behaviour(element, scope),
    )


def _most_specific(parameters: tuple[InputParameter, ...]) -> tuple[InputParameter, ...]:
    return tuple({parameter.name: parameter for parameter in parameters}.values())


def _read_mcp(element: Element) -> McpAdapter:
    scope = element.reading.scope
    return McpAdapter(
        place=element.place,
        path=element.path,
        namespace=element.text("namespace"),
        transport=McpTransport(element.text("transport", "http")),
        port=element.number("port"),
        address=element.optional_text("address"),
        description=element.text("description"),
        tools=tuple(_read_tool(child, scope) for child in element.children("tools")),
        resources=tuple(_read_resource(child, scope) for child in element.children("resources")),
        prompts=tuple(_read_prompt(child) for child in element.children("prompts")),
        authentication=_read_guard(element),
        errors=read_errors(element, scope),
    )


def _read_tool(element: Element, scope: NameScope) -> Tool:
    hints = element.child("hints")
    return Tool(
        place=element.place,
        path=element.path,
        name=element.text("name"),
        label=element.text("label"),
        description=element.text("description"),
        parameters=read_inputs(element),
        hints=Hints()
        if hints is None
        else Hints(
            hints.flag("readOnly"),
            hints.flag("destructive"),
            hints.flag("idempotent"),
            hints.flag("openWorld"),
        ),
        behaviour=read_behaviour(element, scope),
    )


def _read_resource(element: Element, scope: NameScope) -> McpResource:
    return McpResource(
        place=element.place,
        path=element.path,
        name=element.text("name"),
        label=element.text("label"),
        uri=element.text("uri"),
        description=element.text("description"),
        mime_type=element.optional_text("mimeType"),
        location=element.optional_text("location"),
        behaviour=read_behaviour(element, scope),
    )


def _read_prompt(element: Element) -> Prompt:
    return Prompt(
        place=element.place,
        path=element.path,
        name=element.text("name"),
        label=element.text("label"),
        description=element.text("description"),
        arguments=tuple(
            PromptArgument(
                child.place,
                child.path,
                child.text("name"),
                child.text("label"),
                child.text("description"),
                child.flag("required") is not False,
                child.texts("enum"),
                child.optional_text("default"),
            )
            for child in element.children("arguments")
        ),
        messages=tuple(
            PromptMessage(child.text("role"), child.text("content"))
            for child in element.children("template")
        ),
        location=element.optional_text("location"),
    )


def _read_skill_adapter(element: Element) -> SkillAdapter:
    return SkillAdapter(
        place=element.place,
        path=element.path,
        namespace=element.text("namespace"),
        port=element.number("port") or 0,
        address=element.optional_text("address"),
        description=element.text("description"),
        skills=tuple(_read_skill(child) for child in element.children("skills")),
        authentication=_read_guard(element),
    )


def _read_skill(element: Element) -> Skill:
    return Skill(
        place=element.place,
        path=element.path,
        name=element.text("name"),
        description=element.text("description"),
        fields={k: v for k, v in element.values.items() if k not in _SKILL_KEYS},
        location=element.optional_text("location"),
        tools=tuple(_read_skill_tool(child) for child in element.children("tools")),
    )


def _read_skill_tool(element: Element) -> SkillTool:
    source = element.child("from")
    return SkillTool(
        place=element.place,
        path=element.path,
        name=element.text("name"),
        description=element.text("description"),
        source=None if source is None else (source.text("sourceNamespace"), source.text("action")),
        instruction=element.optional_text("instruction"),
    )


def _read_control(element: Element) -> ControlAdapter:
    observability = element.child("observability")
    return ControlAdapter(
        place=element.place,
        path=element.path,
        port=element.number("port") or 0,
        address=element.optional_text("address"),
        management=element.mapping("management"),
        observability=observability.values if observability is not None else None,
        otlp_endpoint=_read_endpoint(observability),
        authentication=_read_guard(element),
    )


def _read_endpoint(observability: Element | None) -> Template | None:
    """`exporters.otlp.endpoint`; variables only may fill it in."""
    exporters = None if observability is None else observability.child("exporters")
    otlp = None if exporters is None else exporters.child("otlp")
    if otlp is None or not otlp.text("endpoint"):
        return None
    try:
        return read_template(otlp.text("endpoint"), otlp.reading.scope.at(Position.ORIGIN))
    except TemplateSyntaxError as error:
        otlp.fail_template("endpoint", error)
        return None


ADAPTERS: dict[str, Callable[[Element], Adapter]] = {
    "rest": _read_rest,
    "mcp": _read_mcp,
    "skill": _read_skill_adapter,
    "control": _read_control,
}
