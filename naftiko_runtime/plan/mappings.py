"""Compiles `mappings`: the object that they make of the outputs of steps."""

from __future__ import annotations

from collections.abc import Sequence

from naftiko_runtime.document.model import StepMapping
from naftiko_runtime.json_values import JsonValue, MaybeJson, Missing
from naftiko_runtime.plan.getters import Getter
from naftiko_runtime.plan.lookups import step_path
from naftiko_runtime.plan.operation import Scope


def compile_mappings(mappings: Sequence[StepMapping]) -> Getter | None:
    """The object that `mappings` make of the steps' outputs; what is not found is null. None when
    there are no mappings. Raises JsonPathSyntaxError.

    Loading has made sure that no target lies inside another one.
    """
    if not mappings:
        return None
    members = [(mapping.target.split("."), step_path(mapping.value)) for mapping in mappings]

    def make(scope: Scope) -> MaybeJson:
        result: dict[str, JsonValue] = {}
        for target, get in members:
            value = get(scope)
            _put(result, target, None if isinstance(value, Missing) else value)
        return result

    return make


def _put(result: dict[str, JsonValue], target: Sequence[str], value: JsonValue) -> None:
    holder = result
    for name in target[:-1]:
        inner = holder.setdefault(name, {})
        assert isinstance(inner, dict)
        holder = inner
    holder[target[-1]] = value
