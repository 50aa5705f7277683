"""What a tool call ends in, as a model reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.exposes.mcp.answer_content import Media, content_of, media_type_of
from naftiko_runtime.exposes.mcp.json_numbers import mark_numbers
from naftiko_runtime.exposes.mcp.schema import ResultShape
from naftiko_runtime.exposes.mcp.tools import ListedTool, ToolTable
from naftiko_runtime.exposes.mcp.wording import (
    failure_text,
    is_success,
    question_text,
    sentence,
    status_text,
)
from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.json_codec import LARGE, JsonError, decode_json
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson, Missing
from naftiko_runtime.lazy_dataclasses import dataclass

_LONGEST_SCHEMA: Final = 400


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The parts of a CallToolResult. `value` is the answer, MISSING where it is not JSON; `wrapper`
    the key under which a client is given it that knows no structured content but objects."""

    content: tuple[str | Media, ...] = ()
    value: MaybeJson = MISSING
    is_error: bool = False
    wrapper: str | None = None

    @property
    def structured(self) -> MaybeJson:
        """The structured content, MISSING where there is none."""
        if self.wrapper is None or isinstance(self.value, Missing):
            return self.value
        return {self.wrapper: self.value}


def takes_long(outcome: Outcome) -> bool:
    """Whether other calls should not wait for the result to be made."""
    return isinstance(outcome, Answer) and len(outcome.body) > LARGE


def tool_result(
    tool: ListedTool,
    outcome: Outcome,
    *,
    objects_only: bool,
    prepare: Callable[[JsonValue], JsonValue] | None = mark_numbers,
    answers: ListedTool | None = None,
) -> ToolResult:
    """The result of a call. `objects_only`: the client speaks a version with a handshake, which
    knows no structured content but objects. `answers` is the tool that answers the question of a
    failure.

    `prepare` makes of the answer what its writer can write, and raises ValueError where it cannot;
    numbers are marked unless told otherwise (see `json_numbers`), and have to be restored. None is
    for a writer that takes the answer's own bytes, so that nobody sees the value.
    """
    if isinstance(outcome, Failure):
        return ToolResult((_failure_text(tool, outcome, answers),), is_error=True)
    if not is_success(outcome):
        text = status_text(tool.plan.operation.action.operation, outcome)
        return ToolResult((text,), is_error=True)
    value = _value_at_hand(outcome) if prepare is None else _decode(outcome)
    written: MaybeJson = value if prepare is None else MISSING
    if prepare is not None and not isinstance(value, Missing):
        with suppress(ValueError):
            written = prepare(value)
    if tool.result is not None:
        complaint = _complaint(tool.result, outcome, value, written, objects_only=objects_only)
        if complaint is not None:
            return _broken_promise(outcome, complaint)
        if isinstance(written, Missing):
            written = {}
    wrapper = _wrapper(tool.result, written) if objects_only else None
    return ToolResult(_content(outcome), written, wrapper=wrapper)


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
    content = content_of(answer)
    return () if content is None else (content,)


def _value_at_hand(answer: Answer) -> MaybeJson:
    """As `_decode`, for what is only looked at, and shown to nobody."""
    at_hand = answer.status != 204 and answer.body and not isinstance(answer.value, Missing)
    return answer.value if at_hand else _decode(answer)


def _decode(answer: Answer) -> MaybeJson:
    """The answer's JSON value; MISSING where it is none.

    Made of the body even where a value is at hand: the body alone is what callers may see, with
    the credentials taken out that an upstream has echoed.
    """
    if answer.status == 204 or not answer.body:
        return MISSING
    content_type, _ = media_type_of(answer)
    declared = content_type.endswith(("/json", "+json"))
    undeclared = content_type in ("", "text/plain") and answer.body.lstrip()[:1] in (b"{", b"[")
    if not declared and not undeclared:
        return MISSING
    try:
        return decode_json(answer.body)
    except JsonError:
        return MISSING


def answering_tool(table: ToolTable, tool: ListedTool, outcome: Outcome) -> ListedTool | None:
    """The tool that carries out the answer to the question in which a call has ended."""
    if not isinstance(outcome, Failure) or outcome.question is None:
        return None
    return table.beside(tool, outcome.question.operation)


def _failure_text(tool: ListedTool, failure: Failure, answers: ListedTool | None) -> str:
    """A failure, what the argument at fault takes, and how its question is answered."""
    hint = ""
    question = failure.question
    if question is not None and question.url is None and answers is not None:
        end = sentence(failure.detail)[len(failure.detail) :]
        hint = f"{end} {question_text(failure, question, answers.name)}"
    argument = tool.by_name.get(failure.field) if failure.field is not None else None
    if failure.kind is FailureKind.INVALID_INPUT and argument is not None:
        takes = tool.entry["inputSchema"]
        assert isinstance(takes, dict)
        properties = takes["properties"]
        assert isinstance(properties, dict)
        schema = json.dumps(properties[argument.name], ensure_ascii=False)
        if len(schema) <= _LONGEST_SCHEMA:
            hint = f' - the argument "{argument.name}" takes {schema}'
    return failure_text(failure, hint)
