"""Compiles `steps`: what each step does and which earlier ones it has to wait for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.document.model import (
    CallStep,
    ConsumedOperation,
    LookupStep,
    OutputParameter,
    ScriptStep,
    Step,
    StepMapping,
    StepReference,
    Template,
    Value,
    references_of,
)
from naftiko_runtime.formats import RawFormat
from naftiko_runtime.json_values import JsonValue, MaybeJson, Missing
from naftiko_runtime.plan.getters import Compiler, Getter, as_text
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.jsonpath import compile_jsonpath
from naftiko_runtime.plan.operation import (
    CallPlan,
    CallStepPlan,
    LookupStepPlan,
    OutputPlan,
    Scope,
    StepPlan,
)
from naftiko_runtime.plan.outputs import compile_output

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class UnsupportedStep(ValueError):
    """A kind of step that this version does not run."""


@dataclass(frozen=True, slots=True)
class StepCompiler:
    """What compiling steps needs: the compiler of values, and how a call is compiled."""

    values: Compiler
    call: Callable[[CallStep], CallPlan]
    consumed: Callable[[CallStep], ConsumedOperation]
    raw_format: Callable[[ConsumedOperation], RawFormat]


def compile_steps(steps: Sequence[Step], compiler: StepCompiler) -> tuple[StepPlan, ...]:
    """The plans of a sequence of steps.

    Calls that nothing orders may run at the same time: a step waits for those whose outputs it
    reads. A call that can change something keeps its place in the sequence: it waits for all
    earlier steps, and all later ones wait for it.
    """
    plans: list[StepPlan] = []
    barrier = -1
    names = {step.name: index for index, step in enumerate(steps)}
    for index, step in enumerate(steps):
        plan = COMPILERS[type(step)](step, compiler)
        changes = not (isinstance(plan, LookupStepPlan) or _is_safe(plan))
        if changes:
            waits = frozenset(range(index))
            barrier = index
        else:
            waits = frozenset(
                names[name] for name in _reads(step) if names.get(name, index) < index
            )
            waits |= {barrier} if barrier >= 0 else frozenset()
        plans.append(plan.after(waits))
    return tuple(plans)


def _is_safe(plan: StepPlan) -> bool:
    return isinstance(plan, CallStepPlan) and plan.call.method in SAFE_METHODS


def _reads(step: Step) -> set[str]:
    """The names of the earlier steps whose outputs a step reads."""
    if isinstance(step, LookupStep):
        names = {step.index}
        if isinstance(step.lookup_value, str):
            names.add(_first_name(step.lookup_value))
        else:
            names |= _referenced([step.lookup_value])
        return names
    if isinstance(step, CallStep):
        return _referenced([value for _, value in step.call.arguments])
    return _referenced([value for _, value in step.arguments])


def _referenced(values: Sequence[Value]) -> set[str]:
    return {
        reference.step
        for value in values
        for reference in references_of(value)
        if isinstance(reference, StepReference)
    }


def _first_name(path: str) -> str:
    """The step that a path such as `$.get-ship.crew` starts at."""
    return path.removeprefix("$").lstrip(".").split(".", 1)[0].split("[", 1)[0]


# --- call ---------------------------------------------------------------------------------


def _compile_call_step(step: Step, compiler: StepCompiler) -> StepPlan:
    assert isinstance(step, CallStep)
    operation = compiler.consumed(step)
    return CallStepPlan(
        name=step.name,
        call=compiler.call(step),
        output=_compile_projection(operation, compiler.raw_format(operation), compiler.values),
    )


def _compile_projection(
    operation: ConsumedOperation, raw_format: RawFormat, values: Compiler
) -> OutputPlan:
    """What a call step stores: the document, or what the consumed operation's outputs make of it.

    For an array each element keeps its own fields and gets the projected ones added.
    """
    output = compile_output(operation.outputs, raw_format, values)
    if output.map is None or not all(parameter.name for parameter in operation.outputs):
        return output
    members = [
        (parameter.name or "", compile_output([parameter], raw_format, values).map)
        for parameter in operation.outputs
    ]

    def project(document: JsonValue, scope: Scope) -> JsonValue:
        return {
            name: node if make is None else make(node, scope)
            for name, make in members
            for node in (document,)
        }

    def each(document: JsonValue, scope: Scope) -> JsonValue:
        if not isinstance(document, list):
            return project(document, scope)
        projected: list[JsonValue] = []
        for item in document:
            fields = project(item, scope)
            assert isinstance(fields, dict)
            projected.append({**item, **fields} if isinstance(item, dict) else fields)
        return projected

    return OutputPlan(each, None, raw_format)


# --- lookup -------------------------------------------------------------------------------


def _compile_lookup_step(step: Step, compiler: StepCompiler) -> StepPlan:
    assert isinstance(step, LookupStep)
    if isinstance(step.lookup_value, Template):
        value = compiler.values.value(step.lookup_value, Need())
    else:
        value = step_path(step.lookup_value)
    index, match, fields = step.index, step.match, step.fields

    def look_up(scope: Scope) -> MaybeJson:
        wanted = value(scope)
        rows = scope.steps.get(index)
        if isinstance(wanted, Missing) or rows is None:
            return Missing.MISSING
        table = rows if isinstance(rows, list) else [rows]
        by_key = _indexed(table, match)
        if not isinstance(wanted, list):
            row = by_key.get(as_text(wanted))
            return Missing.MISSING if row is None else _picked(row, fields)
        found = [by_key.get(as_text(key)) for key in wanted]
        return [_picked(row, fields) for row in found if row is not None]

    return LookupStepPlan(name=step.name, look_up=look_up, match=step.match)


def _indexed(table: Sequence[JsonValue], match: str) -> Mapping[str, dict[str, JsonValue]]:
    """The rows by the text of their key; of equal keys the first row counts."""
    rows: dict[str, dict[str, JsonValue]] = {}
    for row in table:
        if isinstance(row, dict):
            key = _field(row, match)
            if not isinstance(key, Missing) and key is not None:
                rows.setdefault(as_text(key), row)
    return rows


def _field(row: Mapping[str, JsonValue], name: str) -> MaybeJson:
    """A field by its name, exactly or folded: `match` can only hold letters, digits and dashes."""
    if name in row:
        return row[name]
    folded = fold_name(name)
    return next((value for key, value in row.items() if fold_name(key) == folded), Missing.MISSING)


def _picked(row: Mapping[str, JsonValue], fields: Sequence[str]) -> JsonValue:
    return {name: None if (v := _field(row, name)) is Missing.MISSING else v for name in fields}


def step_path(text: str) -> Getter:
    """Reads a path over the outputs of the steps so far: `$.step.field`. Raises
    JsonPathSyntaxError."""
    read = compile_jsonpath(text).read

    def get(scope: Scope) -> MaybeJson:
        return read(scope.steps)

    return get


def _refuse_script(step: Step, compiler: StepCompiler) -> StepPlan:
    raise UnsupportedStep("a step of type `script`")


COMPILERS: Mapping[type[Step], Callable[[Step, StepCompiler], StepPlan]] = {
    CallStep: _compile_call_step,
    LookupStep: _compile_lookup_step,
    ScriptStep: _refuse_script,
}

# --- mappings and the result --------------------------------------------------------------


def compile_mappings(mappings: Sequence[StepMapping]) -> Getter | None:
    """The object that `mappings` make of the steps' outputs; what is not found is null. None when
    there are no mappings. Raises JsonPathSyntaxError."""
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
        inner = holder.get(name)
        if not isinstance(inner, dict):
            inner = holder[name] = {}
        holder = inner
    holder[target[-1]] = value


def is_by_name(outputs: Sequence[OutputParameter]) -> bool:
    """Whether outputs describe the result of steps by name and type alone
    (OrchestratedOutputParameter), without paths."""
    return bool(outputs) and all(
        output.mapping is None and output.value is None for output in outputs
    )
