"""The resources that one listener offers: what is listed, and which of them a URI means."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Final

from naftiko_runtime.exposes.folder import FolderFile, is_folder, list_folder
from naftiko_runtime.exposes.media_types import guess_media_type
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import McpAdapterPlan, ResourcePlan
from naftiko_runtime.plan.uri_template import LONGEST
from naftiko_runtime.problems import Consequence, Problem, Severity

DEFAULT_TYPE: Final = "application/json"
"""The media type of answers whose resource does not say."""
_MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class FoundResource:
    """A resource that a URI means: the values of the URI's variables, and for a file in a folder
    its path in there."""

    plan: ResourcePlan
    values: Mapping[str, str] = field(default_factory=dict)
    path: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceTable:
    """All resources of a listener, in the order of precedence.

    `seen` is what `resources/list` would have shown of files when the table was made.
    """

    resources: tuple[ResourcePlan, ...] = ()
    seen: tuple[str, ...] = ()

    @property
    def templates(self) -> tuple[ResourcePlan, ...]:
        return tuple(plan for plan in self.resources if plan.uri.variables)

    def find(self, uri: str) -> FoundResource | None:
        """What a URI means: a resource of just this URI, a file of a folder, or what a template
        stands for. Raises CallFailed for a variable that cannot be decoded."""
        if len(uri) > LONGEST:
            return None
        for plan in self.resources:
            if plan.uri.text == uri and not plan.uri.variables:
                return FoundResource(plan)
        nearest = max(self._folders_of(uri), key=lambda plan: len(plan.uri.text), default=None)
        if nearest is not None:
            return FoundResource(nearest, path=uri.removeprefix(folder_uri(nearest)))
        for plan in self.templates:
            values = plan.uri.match(uri)
            if values is not None:
                return FoundResource(plan, values)
        return None

    def template(self, text: str) -> ResourcePlan | None:
        """The template that is listed, or written in its file, like this."""
        return next((plan for plan in self.templates if plan.uri.text == text), None)

    def lists_as(self, other: ResourceTable) -> bool:
        """Whether clients would see no difference."""
        return self.seen == other.seen and _entries(self) == _entries(other)

    def _folders_of(self, uri: str) -> Iterator[ResourcePlan]:
        for plan in self.resources:
            if plan.source is not None and uri.startswith(folder_uri(plan)):
                yield plan


def build_resource_table(
    adapters: Sequence[tuple[str, McpAdapterPlan]],
) -> tuple[ResourceTable, list[Problem]]:
    """The table of one listener. Looks at the files, to say which of them cannot be served."""
    first: dict[str, ResourcePlan] = {}
    problems: list[Problem] = []
    for plan in (plan for _, adapter in adapters for plan in adapter.resources):
        owner = first.setdefault(plan.uri.shape, plan)
        if owner is not plan:
            problems.append(_taken(plan, owner))
    resources = tuple(first.values())
    seen: list[str] = []
    for plan in resources:
        if plan.source is not None and is_folder(plan.source):
            listing = list_folder(plan.source)
            seen += [folder_uri(plan) + file.path for file in listing.files]
            problems += _left_out(plan, listing.left_out)
    return ResourceTable(resources, tuple(seen)), problems


def resource_entries(table: ResourceTable) -> list[dict[str, JsonValue]]:
    """What `resources/list` shows. Reads folders, so it is to be called beside the event loop."""
    entries: dict[str, dict[str, JsonValue]] = {}
    for plan in table.resources:
        for entry in _entries_of(plan):
            entries.setdefault(str(entry["uri"]), entry)
    return list(entries.values())


def template_entries(table: ResourceTable) -> list[dict[str, JsonValue]]:
    """What `resources/templates/list` shows."""
    return [
        _entry(plan, "uriTemplate", plan.uri.text, plan.mime_type or DEFAULT_TYPE)
        for plan in table.templates
    ]


def folder_uri(plan: ResourcePlan) -> str:
    """What the URIs of a folder's files begin with."""
    text = plan.uri.text
    return text if text.endswith("/") else f"{text}/"


def _entries(table: ResourceTable) -> list[dict[str, JsonValue]]:
    """What is listed, but for the files of folders."""
    return [
        *(
            _entry(p, "uri", p.uri.text, p.mime_type)
            for p in table.resources
            if not p.uri.variables
        ),
        *template_entries(table),
    ]


def _entries_of(plan: ResourcePlan) -> Iterator[dict[str, JsonValue]]:
    if plan.uri.variables:
        return
    if plan.source is None:
        yield _entry(plan, "uri", plan.uri.text, plan.mime_type or DEFAULT_TYPE)
    elif is_folder(plan.source):
        for file in list_folder(plan.source).files:
            yield _file_entry(plan, file)
    elif os.path.isfile(plan.source):  # noqa: PTH113 - Path.is_file raises where access is denied
        mime_type = plan.mime_type or guess_media_type(plan.source.name)
        yield _entry(plan, "uri", plan.uri.text, mime_type)


def _file_entry(plan: ResourcePlan, file: FolderFile) -> dict[str, JsonValue]:
    """A file of a folder. Its path tells it from the others, for people as well."""
    mime_type = plan.mime_type or guess_media_type(file.path)
    entry = _entry(plan, "uri", folder_uri(plan) + file.path, mime_type)
    entry["name"] = f"{plan.name}/{file.path}"
    if plan.label:
        entry["title"] = f"{plan.label}: {file.path}"
    entry["size"] = file.size
    return entry


def _entry(plan: ResourcePlan, key: str, uri: str, mime_type: str | None) -> dict[str, JsonValue]:
    entry: dict[str, JsonValue] = {"name": plan.name, key: uri}
    if plan.label:
        entry["title"] = plan.label
    if plan.description:
        entry["description"] = plan.description
    if mime_type is not None:
        entry["mimeType"] = mime_type
    return entry


def _taken(plan: ResourcePlan, owner: ResourcePlan) -> Problem:
    return Problem(
        "resource-uri-taken",
        plan.place,
        (),
        f'the resource "{plan.name}" is not served, as {owner.place} has the uri '
        f'"{plan.uri.text}" already',
        "give one of the two another uri",
        Severity.WARNING,
        Consequence.PART,
    )


def _left_out(plan: ResourcePlan, files: Sequence[tuple[str, str]]) -> Iterator[Problem]:
    for path, reason in files[:_MOST_NAMED]:
        yield _not_listed(plan, f'"{path}" at {plan.source} is not served: {reason}')
    if len(files) > _MOST_NAMED:
        yield _not_listed(plan, f"{len(files) - _MOST_NAMED} more files are not served")


def _not_listed(plan: ResourcePlan, message: str) -> Problem:
    remedy = "rename or move it"
    return Problem(
        "file-not-served", plan.place, (), message, remedy, Severity.WARNING, Consequence.NOTHING
    )
