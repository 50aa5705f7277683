"""The prompts that one listener offers, and their messages filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.exposes.folder import FileRefused, read_one_file
from naftiko_runtime.exposes.mcp.naming import listed_names, nearest_name
from naftiko_runtime.exposes.media_types import as_text
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import McpAdapterPlan, PromptArgumentPlan, PromptPlan
from naftiko_runtime.plan.prompt_text import PromptText, read_prompt_text
from naftiko_runtime.problems import Consequence, Problem, Severity


class PromptRefused(Exception):
    """Arguments that a prompt cannot be filled with; the message names them."""


class PromptUnreadable(Exception):
    """A prompt whose file cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class ListedPrompt:
    """A prompt under the name that it is listed as; `entry` is what `prompts/list` shows."""

    name: str
    plan: PromptPlan
    entry: Mapping[str, JsonValue]

    def argument(self, name: str) -> PromptArgumentPlan | None:
        """The argument of a name, or else of one that differs in case, `-` and `_` only."""
        for argument in self.plan.arguments:
            if argument.name == name:
                return argument
        folded = fold_name(name)
        return next((a for a in self.plan.arguments if fold_name(a.name) == folded), None)


@dataclass(frozen=True, slots=True)
class PromptTable:
    """All prompts of a listener in the order of listing. `by_name` also holds the names of the
    file."""

    prompts: tuple[ListedPrompt, ...] = ()
    by_name: Mapping[str, ListedPrompt] = field(default_factory=dict)

    def find(self, name: str) -> ListedPrompt | None:
        return self.by_name.get(name)

    def nearest(self, name: str) -> str | None:
        """The listed name that a caller may have meant."""
        return nearest_name(name, (prompt.name for prompt in self.prompts))

    def lists_as(self, other: PromptTable) -> bool:
        """Whether clients would see no difference."""
        return [each.entry for each in self.prompts] == [each.entry for each in other.prompts]


def build_prompt_table(
    adapters: Sequence[tuple[str, McpAdapterPlan]],
) -> tuple[PromptTable, list[Problem]]:
    """The table of one listener; the first of several prompts of one name keeps it."""
    planned = [(adapter.namespace, plan) for _, adapter in adapters for plan in adapter.prompts]
    names = listed_names([(namespace, plan.name) for namespace, plan in planned])
    prompts = tuple(
        ListedPrompt(name, plan, _entry(name, plan))
        for (name, _), (_, plan) in zip(names, planned, strict=True)
    )
    problems = [
        _renamed(plan, planned[owner][1], name)
        for (name, owner), (_, plan) in zip(names, planned, strict=True)
        if owner is not None
    ]
    by_name = {prompt.name: prompt for prompt in prompts}
    for prompt in prompts:
        by_name.setdefault(prompt.plan.name, prompt)
    return PromptTable(prompts, by_name), problems


def fill_prompt(prompt: ListedPrompt, given: Mapping[str, str]) -> list[tuple[str, str]]:
    """The messages, each with its role. Reads the prompt's file, if it is in one, so it is to be
    called beside the event loop. Raises PromptRefused, PromptUnreadable."""
    messages = prompt.plan.messages
    if prompt.plan.source is not None:
        messages = (("user", _read(prompt.plan)),)
    placeholders = {name for _, text in messages for name in text.names}
    values = _values(prompt, given, placeholders)
    return [(role, text.fill(values)) for role, text in messages]


def _values(
    prompt: ListedPrompt, given: Mapping[str, str], placeholders: Iterable[str]
) -> dict[str, str]:
    """Each argument's value. A name that the prompt does not declare is as good if its text has
    such a placeholder."""
    values: dict[str, str] = {}
    known = {fold_name(name) for name in placeholders}
    for name, value in given.items():
        argument = prompt.argument(name)
        if argument is None and fold_name(name) not in known:
            raise PromptRefused(_unknown(prompt, name))
        own = name if argument is None else argument.name
        if own in values:
            raise PromptRefused(f'"{own}" is given twice')
        values[own] = value
    missing = []
    for argument in prompt.plan.arguments:
        if argument.name not in values and argument.default is None:
            missing.append(argument)
        elif argument.default is not None:
            values.setdefault(argument.name, argument.default)
    if missing:
        named = ", ".join(f'"{argument.name}"' for argument in missing)
        hint = f": {missing[0].description}" if missing[0].description else ""
        raise PromptRefused(f"{named} {'is' if len(missing) == 1 else 'are'} required{hint}")
    return values


def _unknown(prompt: ListedPrompt, name: str) -> str:
    names = ", ".join(argument.name for argument in prompt.plan.arguments)
    takes = f"the prompt takes {names}" if names else "the prompt takes no arguments"
    return f'unknown argument "{name[:100]}" - {takes}'


def _read(plan: PromptPlan) -> PromptText:
    assert plan.source is not None
    try:
        text = as_text(read_one_file(plan.source))
    except FileRefused as refused:
        raise PromptUnreadable(str(refused)) from None
    if text is None:
        raise PromptUnreadable("it is not UTF-8 text")
    return read_prompt_text(text)


def _entry(name: str, plan: PromptPlan) -> dict[str, JsonValue]:
    entry: dict[str, JsonValue] = {"name": name}
    if plan.label:
        entry["title"] = plan.label
    if plan.description:
        entry["description"] = plan.description
    arguments: list[JsonValue] = [_argument_entry(argument) for argument in plan.arguments]
    if arguments:
        entry["arguments"] = arguments
    return entry


def _argument_entry(plan: PromptArgumentPlan) -> dict[str, JsonValue]:
    entry: dict[str, JsonValue] = {"name": plan.name}
    if plan.label:
        entry["title"] = plan.label
    if plan.description:
        entry["description"] = plan.description
    entry["required"] = plan.default is None
    return entry


def _renamed(plan: PromptPlan, first: PromptPlan, name: str) -> Problem:
    return Problem(
        "prompt-renamed",
        plan.place,
        (),
        f'prompt "{plan.name}" is listed as "{name}", as {first.place} has the name already',
        "give one of the two another name",
        Severity.WARNING,
        Consequence.NOTHING,
    )
