"""Values that somebody types as `name=value`, as the engine asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.json_codec import JsonError, decode_json, encode_json
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import InputPlan, OperationPlan
from naftiko_runtime.plan.origin import Origin

BODY = "body"


@dataclass(frozen=True, slots=True)
class TextInputs:
    """Implements `Inputs`: text by the name of the input that it is for. A body is JSON where it
    reads as such, else text."""

    origin: Origin
    values: Mapping[str, str]
    body: MaybeJson = MISSING
    dry_run: bool = False

    def find(self, plan: InputPlan) -> tuple[MaybeJson, bool]:
        if plan.whole_body:
            return self.body, False
        if plan.name in self.values:
            return self.values[plan.name], True
        if plan.body_path is not None and self.body is not MISSING:
            return plan.body_path(self.body), False
        return MISSING, False

    def raw_body(self) -> bytes | None:
        return None if self.body is MISSING else encode_json(self.body)

    def has_encoded_body(self) -> bool:
        return False


def read_given(
    plan: OperationPlan, given: Mapping[str, str], origin: Origin, *, dry_run: bool = False
) -> TextInputs:
    """Sorts values by the inputs that they are for: by its name, or one that differs in case, `-`
    and `_` only. Raises CallFailed (INVALID_INPUT) for a name of none of them."""
    values: dict[str, str] = {}
    body: MaybeJson = MISSING
    for name, text in given.items():
        found = _find(plan, name)
        if found is not None and not found.whole_body:
            values[found.name] = text
        elif found is not None or (plan.accepts_body and fold_name(name) == BODY):
            body = _read(text)
        else:
            raise _unknown(plan, name)
    return TextInputs(origin, values, body, dry_run)


def names_of(plan: OperationPlan) -> list[str]:
    """What an operation can be given."""
    names = [each.name for each in plan.inputs]
    takes_body = plan.accepts_body and not any(each.whole_body for each in plan.inputs)
    return [*names, BODY] if takes_body else names


def _find(plan: OperationPlan, name: str) -> InputPlan | None:
    exact = [each for each in plan.inputs if each.name == name]
    folded = fold_name(name)
    return next(iter(exact or [each for each in plan.inputs if each.loose == folded]), None)


def _read(text: str) -> JsonValue:
    try:
        return decode_json(text.encode())
    except JsonError:
        return text


def _unknown(plan: OperationPlan, name: str) -> CallFailed:
    names = names_of(plan)
    close = get_close_matches(name, names, n=1)
    if close:
        remedy = f'did you mean "{close[0]}"?'
    elif names:
        remedy = f"it takes {', '.join(names)}"
    else:
        remedy = "it takes nothing"
    return fail(FailureKind.INVALID_INPUT, f'"{plan.name}" has no input "{name}" - {remedy}')
