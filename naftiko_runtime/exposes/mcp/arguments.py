"""A tool call's arguments, as the engine asks for them."""

from __future__ import annotations

from collections.abc import Mapping

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.exposes.mcp.json_numbers import is_finite
from naftiko_runtime.exposes.mcp.naming import nearest_name
from naftiko_runtime.exposes.mcp.schema import ToolArgument
from naftiko_runtime.exposes.mcp.tools import ListedTool
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.json_codec import JsonError, encode_json
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.plan.operation import InputPlan
from naftiko_runtime.plan.origin import UNKNOWN_MCP, Origin

_MOST_NAMES = 30


class ArgumentInputs:
    """Implements `Inputs` over the arguments of one call; made by `read_arguments`."""

    __slots__ = ("_body", "_values", "dry_run", "origin")

    def __init__(
        self,
        values: Mapping[str, JsonValue],
        body: MaybeJson,
        origin: Origin = UNKNOWN_MCP,
        *,
        dry_run: bool = False,
    ) -> None:
        self.origin = origin
        self.dry_run = dry_run
        self._values = values
        self._body = body

    def find(self, plan: InputPlan) -> tuple[MaybeJson, bool]:
        return self._values.get(plan.name, MISSING), False

    def raw_body(self) -> bytes | None:
        if self._body is MISSING:
            return None
        try:
            return encode_json(self._body)
        except JsonError as error:
            raise fail(
                FailureKind.INVALID_INPUT, f"cannot be sent: {error}", field="body"
            ) from None

    def has_encoded_body(self) -> bool:
        return False


def read_arguments(
    tool: ListedTool,
    given: Mapping[str, JsonValue],
    origin: Origin = UNKNOWN_MCP,
    *,
    dry_run: bool = False,
) -> ArgumentInputs:
    """Sorts arguments by the inputs that they are for: the listed name, the file's name, or one
    that differs in case, `-` and `_` only.

    Raises CallFailed (INVALID_INPUT) for arguments that the tool does not take or that are given
    twice, and for a body that is missing or not what the tool says. Types of the other arguments
    are the engine's to check.
    """
    values: dict[str, JsonValue] = {}
    body: MaybeJson = MISSING
    spelt: dict[str, str] = {}
    for name, value in given.items():
        argument = tool.by_name.get(name) or tool.by_loose_name.get(fold_name(name))
        if argument is None:
            raise _unknown(tool, name)
        if argument.name in spelt:
            raise _invalid(argument, f'given also as "{spelt[argument.name][:100]}" - give it once')
        spelt[argument.name] = name
        if not is_finite(value):
            raise _invalid(argument, "holds a number that is not finite")
        complaint = argument.check(value) if argument.check is not None else None
        if complaint is not None:
            raise _invalid(argument, complaint)
        if argument.plan is not None:
            values[argument.plan.name] = value
        if argument.plan is None or argument.plan.whole_body:
            body = value
    for argument in tool.arguments:
        if argument.plan is None and argument.required and body is MISSING:
            raise _invalid(argument, "is missing")
    return ArgumentInputs(values, body, origin, dry_run=dry_run)


def _invalid(argument: ToolArgument, complaint: str) -> CallFailed:
    return fail(FailureKind.INVALID_INPUT, f'"{argument.name}": {complaint}', field=argument.name)


def _unknown(tool: ListedTool, name: str) -> CallFailed:
    names = [argument.name for argument in tool.arguments]
    near = nearest_name(name, names)
    if near is not None:
        remedy = f'did you mean "{near}"?'
    elif names:
        listed = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
        remedy = f"the tool takes {listed}"
    else:
        remedy = "the tool takes no arguments"
    return fail(FailureKind.INVALID_INPUT, f'unknown argument "{name[:100]}" - {remedy}')
