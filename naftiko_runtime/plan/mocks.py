"""Compiles mocks: operations and tools with neither `call`, `steps` nor `ref`, which answer from
the values that the file declares (MockOutputParameter)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from naftiko_runtime.document.model import OutputParameter
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson, Missing
from naftiko_runtime.plan.getters import Compiler, Getter, as_text
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.operation import MockPlan, OutputPlan, Scope
from naftiko_runtime.plan.outputs import output_schema
from naftiko_runtime.plan.rewriting import fitting, is_rewritten, rewritten


def compile_mock(
    outputs: Sequence[OutputParameter], compiler: Compiler
) -> tuple[MockPlan, OutputPlan]:
    """An object of the parameters that have values, in their declared types.

    A parameter without a name goes by `value`, unless it is the only one: then it is the answer.
    """
    getters = [(output.name, _compile(output, compiler)) for output in outputs]
    if len(outputs) == 1 and outputs[0].name is None:
        return MockPlan(getters[0][1]), OutputPlan(schema=output_schema(outputs[0]))
    members = [(name or "value", get) for name, get in getters]
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {output.name or "value": output_schema(output) for output in outputs},
    }
    return MockPlan(_object(members)), OutputPlan(schema=schema)


def _compile(output: OutputParameter, compiler: Compiler) -> Getter:
    if output.value is not None:
        fit = as_text if output.type == "string" else fitting(output.type)
        get = _typed(compiler.value(output.value, Need()), fit)
        if is_rewritten(output):
            rewrite = rewritten(lambda document, scope: document, output)
            return lambda scope: rewrite(_or_null(get(scope)), scope)
        return get
    if not isinstance(output.const, Missing):
        constant = output.const
        return lambda scope: constant
    if output.properties is not None:
        return _object([(name, _compile(child, compiler)) for name, child in output.properties])
    if output.items is not None:
        return _array(_compile(output.items, compiler))
    return lambda scope: MISSING


def _typed(get: Getter, fit: Callable[[JsonValue], JsonValue]) -> Getter:
    def read(scope: Scope) -> MaybeJson:
        value = get(scope)
        return None if isinstance(value, Missing) or value is None else fit(value)

    return read


def _or_null(value: MaybeJson) -> JsonValue:
    return None if isinstance(value, Missing) else value


def _object(members: Sequence[tuple[str, Getter]]) -> Getter:
    """An object; a member whose template nothing fills is null, one for which the file gives no
    value is left out, and an object without any member is not there at all."""

    def build(scope: Scope) -> MaybeJson:
        found = {name: get(scope) for name, get in members}
        given = {name: v for name, v in found.items() if not isinstance(v, Missing)}
        return given or MISSING

    return build


def _array(get: Getter) -> Getter:
    def build(scope: Scope) -> MaybeJson:
        item = get(scope)
        return MISSING if isinstance(item, Missing) else [item]

    return build
