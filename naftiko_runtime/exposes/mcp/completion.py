"""Completes the values of arguments whose possible values the file lists (`enum`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.exposes.mcp.prompts import PromptTable
from naftiko_runtime.exposes.mcp.resources import ResourceTable
from naftiko_runtime.plan.getters import as_text
from naftiko_runtime.plan.operation import ResourcePlan

MOST_VALUES: Final = 100
"""The protocol's limit of one answer."""


def prompt_choices(table: PromptTable, prompt: str, argument: str) -> tuple[str, ...] | None:
    """The values that an argument of a prompt offers; None if there is no such argument."""
    found = table.find(prompt)
    known = None if found is None else found.argument(argument)
    return None if known is None else known.choices


def variable_choices(table: ResourceTable, uri: str, variable: str) -> tuple[str, ...] | None:
    """The values that a variable of a resource template can have; None if there is no such
    variable."""
    plan = table.template(uri)
    if plan is None:
        return None
    for name, listed in zip(plan.uri.variables, plan.uri.listed, strict=True):
        if variable in (name, listed):
            return _choices(plan, name)
    return None


def offers_choices(prompts: PromptTable, resources: ResourceTable) -> bool:
    """Whether there is anything to complete."""
    of_prompts = any(a.choices for prompt in prompts.prompts for a in prompt.plan.arguments)
    return of_prompts or any(
        _choices(plan, name) for plan in resources.templates for name in plan.uri.variables
    )


def matching(choices: Iterable[str], begun: str) -> Sequence[str]:
    """The choices that a text may become: first those that begin with it, then those that contain
    it, whatever the case."""
    folded = begun.casefold()
    holding = [choice for choice in choices if folded in choice.casefold()]
    return sorted(holding, key=lambda choice: not choice.casefold().startswith(folded))


def _choices(plan: ResourcePlan, variable: str) -> tuple[str, ...]:
    assert plan.operation is not None, "only answers of operations have variables"
    folded = fold_name(variable)
    for each in plan.operation.inputs:
        choices = each.schema.get("enum")
        if isinstance(choices, list) and (each.name == variable or each.loose == folded):
            return tuple(as_text(choice) for choice in choices)
    return ()
