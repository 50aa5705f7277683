"""Reads one resource: a file, or the answer of the operation behind it."""

from __future__ import annotations

from collections.abc import Mapping

from anyio.to_thread import run_sync

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.exposes.folder import FileRefused, is_folder, read_folder_file, read_one_file
from naftiko_runtime.exposes.mcp.answer_content import Media, content_of, media, media_type_of
from naftiko_runtime.exposes.mcp.naming import nearest_name
from naftiko_runtime.exposes.mcp.resources import DEFAULT_TYPE, FoundResource, ResourceTable
from naftiko_runtime.exposes.mcp.tools import Execute
from naftiko_runtime.exposes.mcp.wording import failure_text, is_success, status_text
from naftiko_runtime.exposes.media_types import as_text, guess_media_type
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import InputPlan, OperationPlan, ResourcePlan
from naftiko_runtime.plan.origin import UNKNOWN_MCP, Origin


@dataclass(frozen=True, slots=True)
class ResourceContent:
    """What a resource holds: text, or bytes in base64."""

    mime_type: str
    content: str | Media


class NotRead(Exception):
    """Why there is no content. `is_wrong_uri` says that another URI would do better; `data` is
    for programs."""

    def __init__(
        self, reason: str, is_wrong_uri: bool = False, data: Mapping[str, JsonValue] | None = None
    ) -> None:
        super().__init__(reason)
        self.is_wrong_uri = is_wrong_uri
        self.data = data or {}


class UriInputs:
    """Implements `Inputs` over the variables of a URI."""

    __slots__ = ("_loose", "_values", "dry_run", "origin")

    def __init__(self, values: Mapping[str, str], origin: Origin = UNKNOWN_MCP) -> None:
        self.origin = origin
        self.dry_run = False
        self._values = values
        self._loose = {fold_name(name): value for name, value in values.items()}

    def find(self, plan: InputPlan) -> tuple[MaybeJson, bool]:
        value = self._values.get(plan.name)
        if value is None and plan.loose:
            value = self._loose.get(plan.loose)
        return (MISSING, False) if value is None else (value, True)

    def raw_body(self) -> bytes | None:
        return None

    def has_encoded_body(self) -> bool:
        return False


async def read_resource(
    table: ResourceTable, uri: str, execute: Execute, origin: Origin = UNKNOWN_MCP
) -> ResourceContent:
    """The content of the resource that a URI means. Raises NotRead."""
    try:
        found = table.find(uri)
    except CallFailed as failed:
        raise _failed(failed.failure) from None
    if found is None:
        raise _unknown(table, uri)
    if found.plan.operation is not None:
        return await _answer(found.plan, found.plan.operation, found.values, origin, execute)
    return await run_sync(_read_file, found)


async def _answer(
    plan: ResourcePlan,
    operation: OperationPlan,
    values: Mapping[str, str],
    origin: Origin,
    execute: Execute,
) -> ResourceContent:
    try:
        outcome = await execute(operation, UriInputs(values, origin))
    except CallFailed as failed:
        outcome = failed.failure
    if isinstance(outcome, Failure):
        raise _failed(outcome)
    if not is_success(outcome):
        text = status_text(operation.action.operation, outcome)
        raise NotRead(text, data={"status": outcome.status})
    content = content_of(outcome)
    return ResourceContent(_type_of(plan, outcome), "" if content is None else content)


def _type_of(plan: ResourcePlan, answer: Answer) -> str:
    return plan.mime_type or media_type_of(answer)[0] or DEFAULT_TYPE


def _read_file(found: FoundResource) -> ResourceContent:
    source = found.plan.source
    assert source is not None, "a resource without an operation has a source"
    try:
        if found.path is None:
            content, name = read_one_file(source), source.name
        else:
            content, name = read_folder_file(source, found.path), found.path
    except FileRefused as refused:
        remedy = " - read one of the files that resources/list shows" if is_folder(source) else ""
        raise NotRead(f"it cannot be read: {refused}{remedy}", is_wrong_uri=True) from None
    text = as_text(content)
    declared = found.plan.mime_type or guess_media_type(name)
    if text is not None:
        return ResourceContent(declared or "text/plain", text)
    mime_type = declared or "application/octet-stream"
    return ResourceContent(mime_type, media(mime_type, content))


def _failed(failure: Failure) -> NotRead:
    data: dict[str, JsonValue] = {"type": failure.kind.slug}
    if failure.step is not None:
        data["step"] = failure.step
    if failure.status is not None:
        data["status"] = failure.status
    return NotRead(failure_text(failure), failure.kind is FailureKind.INVALID_INPUT, data)


def _unknown(table: ResourceTable, uri: str) -> NotRead:
    near = nearest_name(uri, (plan.uri.text for plan in table.resources))
    remedy = f' - did you mean "{near}"?' if near is not None else ""
    return NotRead(f"there is no such resource{remedy}", is_wrong_uri=True)
