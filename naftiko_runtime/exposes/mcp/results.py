"""What a tool call ends in, as a model reads it."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.exposes.mcp.json_numbers import mark_numbers
from naftiko_runtime.exposes.mcp.schema import ResultShape
from naftiko_runtime.exposes.mcp.tools import ListedTool
from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.json_codec import JsonError, decode_json
from naftiko_runtime.json_values import MISSING, MaybeJson, Missing

_LONGEST_ERROR: Final = 4000
"""Characters of an upstream's error that a model is shown; error pages can be long."""
_LONGEST_SCHEMA: Final = 400
_UNSURE: Final = " The call may have been executed all the same: check before you repeat it."


@dataclass(frozen=True, slots=True)
class Media:
    """An answer that is no text, in base64."""

    content_type: str
    data: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The parts of a CallToolResult. `structured` is MISSING where the answer is not JSON; its
    numbers are marked (see `json_numbers`), so whoever writes it has to restore them."""

    content: tuple[str | Media, ...] = ()
    structured: MaybeJson = MISSING
    is_error: bool = False


def tool_result(tool: ListedTool, outcome: Outcome, *, objects_only: bool) -> ToolResult:
    """The result of a call. `objects_only`: the client speaks a version with a handshake, which
    knows no structured content but objects."""
    if isinstance(outcome, Failure):
        return ToolResult((_failure_text(tool, outcome),), is_error=True)
    if not 200 <= outcome.status < 300:
        return ToolResult((_status_text(tool, outcome),), is_error=True)
    value = _decode(outcome)
    written: MaybeJson = MISSING
    if not isinstance(value, Missing):
        with suppress(ValueError):
            written = mark_numbers(value)
    if tool.result is not None:
        complaint = _complaint(tool.result, outcome, value, written, objects_only=objects_only)
        if complaint is not None:
            return _broken_promise(outcome, complaint)
        if isinstance(written, Missing):
            written = {}
    wrapper = _wrapper(tool.result, written) if objects_only else None
    if wrapper is not None and not isinstance(written, Missing):
        written = {wrapper: written}
    return ToolResult(_content(outcome), written)


def _complaint(
    shape: ResultShape, answer: Answer, value: MaybeJson, written: MaybeJson, *, objects_only: bool
) -> str | None:
    """What keeps an answer from being what the tool's outputSchema promises. An empty answer
    counts as an empty object."""
    if not answer.body and isinstance(value, Missing) and shape.wrapper is None:
        return shape.check({}) and "it is empty"
    if isinstance(value, Missing) or isinstance(written, Missing):
        return "it is no JSON that a client could read" if answer.body else "it is empty"
    if value is None and not objects_only:
        return "it is null"  # which the SDK cannot tell from no structured content
    return shape.check(value)


def _broken_promise(answer: Answer, complaint: str) -> ToolResult:
    """Clients refuse structured content that is not as promised, and a model that sees nothing
    but a refusal would order again."""
    note = (
        f"The call was executed (HTTP {answer.status}), do not repeat it; but its answer is not "
        f"what the tool's outputSchema says: {complaint}. The answer follows as it is."
    )
    return ToolResult((note, *_content(answer)), is_error=True)


def _wrapper(shape: ResultShape | None, value: MaybeJson) -> str | None:
    if shape is not None:
        return shape.wrapper
    if isinstance(value, Missing | dict):
        return None
    return "items" if isinstance(value, list) else "value"


def _content(answer: Answer) -> tuple[str | Media, ...]:
    """The body, letter by letter; nothing for an empty one."""
    if answer.status == 204 or not answer.body:
        return ()
    text = _text(answer)
    if text is not None:
        return (text,)
    content_type, _ = _media_type(answer)
    data = base64.b64encode(answer.body).decode("ascii")
    return (Media(content_type or "application/octet-stream", data),)


def _decode(answer: Answer) -> MaybeJson:
    """The answer's JSON value; MISSING where it is none.

    Made of the body even where a value is at hand: the body alone is what callers may see, with
    the credentials taken out that an upstream has echoed.
    """
    if answer.status == 204 or not answer.body:
        return MISSING
    content_type, _ = _media_type(answer)
    declared = content_type.endswith(("/json", "+json"))
    undeclared = content_type in ("", "text/plain") and answer.body.lstrip()[:1] in (b"{", b"[")
    if not declared and not undeclared:
        return MISSING
    try:
        return decode_json(answer.body)
    except JsonError:
        return MISSING


def _text(answer: Answer) -> str | None:
    """The body as text; None where it is none. JSON is UTF-8 whatever it says (RFC 8259)."""
    content_type, charset = _media_type(answer)
    if content_type.startswith(("image/", "audio/", "video/")):
        return None
    try:
        text = answer.body.decode(charset)
        if charset != "utf-8":
            text.encode()  # some codecs make half surrogate pairs, which cannot be written
        return text
    except (ValueError, LookupError):
        return None


def _media_type(answer: Answer) -> tuple[str, str]:
    """Media type in lower case, and charset; text is UTF-8 unless it says otherwise."""
    essence, _, parameters = (answer.content_type or "").partition(";")
    essence = essence.strip().lower()
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and not essence.endswith("json"):
            return essence, value.strip().strip('"')
    return essence, "utf-8"


def _status_text(tool: ListedTool, answer: Answer) -> str:
    text = f"HTTP {answer.status} from {tool.plan.operation.action.operation}"
    retry_after = next((value for name, value in answer.headers if name == "retry-after"), None)
    if retry_after is not None:
        text += f" (Retry-After: {retry_after[:60]})"
    body = _text(answer)
    if body is None:
        return f"{text}: {len(answer.body)} bytes of {answer.content_type or 'no stated type'}"
    if len(body) > _LONGEST_ERROR:
        body = f"{body[:_LONGEST_ERROR]}… ({len(body) - _LONGEST_ERROR} characters more)"
    return f"{text}: {body}" if body.strip() else text


def _failure_text(tool: ListedTool, failure: Failure) -> str:
    """A failure in words that a model can act on: which argument, what it takes, and whether the
    call may be repeated."""
    text = f"{failure.kind.title}: {failure.detail}"
    argument = tool.by_name.get(failure.field) if failure.field is not None else None
    if failure.kind is FailureKind.INVALID_INPUT and argument is not None:
        takes = tool.entry["inputSchema"]
        assert isinstance(takes, dict)
        properties = takes["properties"]
        assert isinstance(properties, dict)
        schema = json.dumps(properties[argument.name], ensure_ascii=False)
        if len(schema) <= _LONGEST_SCHEMA:
            text += f' - the argument "{argument.name}" takes {schema}'
    return text + _UNSURE if failure.executed else text
