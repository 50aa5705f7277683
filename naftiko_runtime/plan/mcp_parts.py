"""Compiles what an MCP adapter offers beside tools: resources and prompts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from naftiko_runtime.binds.files import path_beside
from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.document.model import McpResource, Node, Prompt
from naftiko_runtime.plan.operation import (
    InputPlan,
    OperationPlan,
    PromptArgumentPlan,
    PromptPlan,
    ResourcePlan,
)
from naftiko_runtime.plan.prompt_text import read_prompt_text
from naftiko_runtime.plan.uri_template import UriError, UriTemplate, read_uri
from naftiko_runtime.problems import Consequence, Problem, Severity


def compile_resources(
    resources: Iterable[McpResource],
    compile_operation: Callable[[McpResource], OperationPlan | None],
) -> tuple[tuple[ResourcePlan, ...], list[Problem]]:
    """The resources that can be served, and what is wrong with them. `compile_operation` gives
    None for one that it has reported itself."""
    plans: list[ResourcePlan] = []
    problems: list[Problem] = []
    for resource in resources:
        try:
            uri = read_uri(resource.uri)
        except UriError as error:
            message = f'the uri "{resource.uri}" cannot be read: {error}'
            problems.append(_refused("resource-uri", resource, "uri", message))
            continue
        if resource.location is not None:
            plan = _files(resource, uri, resource.location, problems)
        else:
            plan = _answer(resource, uri, compile_operation(resource), problems)
        if plan is not None:
            plans.append(plan)
    return tuple(plans), problems


def _files(
    resource: McpResource, uri: UriTemplate, location: str, problems: list[Problem]
) -> ResourcePlan | None:
    if uri.variables:
        message = f'the uri "{resource.uri}" holds variables, but files are found by their names'
        remedy = "leave the variables out: each file is listed under the uri"
        problems.append(_refused("resource-uri", resource, "uri", message, remedy))
        return None
    source = _located(resource, location, problems)
    return _planned(resource, uri, source=source)


def _answer(
    resource: McpResource,
    uri: UriTemplate,
    operation: OperationPlan | None,
    problems: list[Problem],
) -> ResourcePlan | None:
    """A resource whose content is the answer of an operation. Its readers give nothing but the
    URI, so whatever the operation needs has to be in there."""
    if operation is None:
        return None
    needed = [f'"{plan.name}"' for plan in operation.inputs if _is_lacking(plan, uri)]
    if operation.body_required:
        needed.append("a body")
    if needed:
        message = f"it can never be read: its call needs {', '.join(needed)}, which no uri gives"
        remedy = "put {name} into the uri, or a value under `with`"
        problems.append(_refused("resource-input", resource, "uri", message, remedy))
        return None
    for name in uri.variables:
        if not any(_reads(plan, name) for plan in operation.inputs):
            message = f'nothing reads the variable "{name}" of the uri'
            problems.append(_warning("unused-variable", resource, "uri", message, "use or drop it"))
    method = operation.action.method
    if method not in ("GET", "HEAD"):
        message = f'reading it calls "{operation.action.operation}" with {method}'
        remedy = "make it a tool if that changes anything: clients read resources unasked"
        problems.append(_warning("resource-method", resource, None, message, remedy))
    return _planned(resource, uri, operation=operation)


def _planned(
    resource: McpResource,
    uri: UriTemplate,
    source: Path | None = None,
    operation: OperationPlan | None = None,
) -> ResourcePlan:
    return ResourcePlan(
        resource.name,
        resource.label,
        uri,
        resource.description,
        resource.mime_type,
        resource.place,
        source,
        operation,
    )


def _is_lacking(plan: InputPlan, uri: UriTemplate) -> bool:
    return plan.required and not any(_reads(plan, name) for name in uri.variables)


def _reads(plan: InputPlan, variable: str) -> bool:
    return variable == plan.name or fold_name(variable) == plan.loose


def compile_prompts(prompts: Iterable[Prompt]) -> tuple[tuple[PromptPlan, ...], list[Problem]]:
    """The prompts, and what is wrong with them. Every prompt can be served."""
    problems: list[Problem] = []
    return tuple(_compile_prompt(prompt, problems) for prompt in prompts), problems


def _compile_prompt(prompt: Prompt, problems: list[Problem]) -> PromptPlan:
    arguments: dict[str, PromptArgumentPlan] = {}
    for argument in prompt.arguments:
        if argument.name in arguments:
            message = f'the prompt "{prompt.name}" has the argument "{argument.name}" already'
            problems.append(_warning("duplicate-argument", argument, "name", message, "drop it"))
            continue
        default = "" if argument.default is None and not argument.required else argument.default
        arguments[argument.name] = PromptArgumentPlan(
            argument.name, argument.label, argument.description, default, argument.choices
        )
    messages = tuple((each.role, read_prompt_text(each.content)) for each in prompt.messages)
    known = {fold_name(name) for name in arguments}
    for name in dict.fromkeys(name for _, text in messages for name in text.names):
        if fold_name(name) not in known:
            message = f'"{{{{{name}}}}}" is no argument of the prompt, so it stays as it is'
            remedy = "declare it under `arguments`"
            problems.append(_warning("undeclared-argument", prompt, "template", message, remedy))
    source = None if prompt.location is None else _located(prompt, prompt.location, problems)
    return PromptPlan(
        prompt.name,
        prompt.label,
        prompt.description,
        tuple(arguments.values()),
        messages,
        prompt.place,
        source,
    )


def _located(node: Node, location: str, problems: list[Problem]) -> Path:
    """The file or folder that a location means; it may be missing, and come later."""
    source = path_beside(location, Path(node.place.file).parent)
    if not os.path.exists(source):  # noqa: PTH110 - Path.exists raises where access is denied
        message = f'there is no file or folder at "{location}" (looked for {source})'
        remedy = "put it there; locations are relative to the file that names them"
        problems.append(_warning("location-missing", node, "location", message, remedy))
    return source


def _refused(rule: str, node: Node, key: str, message: str, remedy: str = "") -> Problem:
    path = (*node.path, key)
    return Problem(rule, node.place, path, message, remedy, Severity.ERROR, Consequence.PART)


def _warning(rule: str, node: Node, key: str | None, message: str, remedy: str) -> Problem:
    path = node.path if key is None else (*node.path, key)
    return Problem(rule, node.place, path, message, remedy, Severity.WARNING, Consequence.NOTHING)
