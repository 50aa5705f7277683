"""Compiles `steps`: what each step does and which earlier ones it has to wait for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from naftiko_runtime.document.model import (
    CallStep,
    ConsumedOperation,
    Consumes,
    LookupStep,
    OutputParameter,
    ScriptStep,
    Step,
    StepMapping,
)
from naftiko_runtime.document.step_checks import first_name
from naftiko_runtime.formats import RawFormat
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.getters import Arguments, Compiler, arguments_of
from naftiko_runtime.plan.lookups import compile_lookup, step_path
from naftiko_runtime.plan.operation import (
    SAFE_METHODS,
    CallPlan,
    CallStepPlan,
    LookupStepPlan,
    OutputPlan,
    Scope,
    StepPlan,
)
from naftiko_runtime.plan.outputs import compile_member
from naftiko_runtime.plan.scripts import Scripting, compile_script
from naftiko_runtime.plan.step_reads import (
    read_by_outputs,
    read_by_path,
    read_by_request,
    read_by_step,
)


@dataclass(frozen=True, slots=True)
class StepCompiler:
    """What compiling steps needs: the compiler of values, what a call refers to, how it is
    compiled, how its answers are read, and the settings of scripts."""

    values: Compiler
    consumed: Callable[[CallStep], tuple[Consumes, ConsumedOperation]]
    call: Callable[[CallStep, Compiler], CallPlan]
    raw_format: Callable[[ConsumedOperation], RawFormat]
    scripting: Scripting


def compile_steps(
    steps: Sequence[Step],
    mappings: Sequence[StepMapping],
    outputs: Sequence[OutputParameter],
    compiler: StepCompiler,
) -> tuple[StepPlan, ...]:
    """The plans of a sequence of steps, whose outputs `mappings` and `outputs` read once all have
    run.

    Calls that nothing orders may run at the same time: a step waits for those whose outputs it
    reads. A call that can change something keeps its place in the sequence: it waits for all
    earlier steps, and all later ones wait for it.
    """
    indexes = {step.name: index for index, step in enumerate(steps)}
    read = {name for mapping in mappings for name in read_by_path(mapping.value, indexes)}
    read |= read_by_outputs(outputs)
    inputs = _inputs_of_steps(mappings, outputs, compiler)
    plans: list[StepPlan] = []
    barrier = -1
    for index, step in enumerate(steps):
        earlier = [each.name for each in steps[:index]]
        feeding = [mapping for mapping in inputs if first_name(mapping.value) in earlier]
        plan = COMPILERS[type(step)](step, _with_earlier(compiler, earlier, feeding))
        reads = read_by_step(step, earlier)
        if isinstance(step, CallStep):
            reads |= read_by_request(step, *compiler.consumed(step), earlier, feeding)
        read |= reads
        if isinstance(plan, LookupStepPlan) or _is_safe(plan):
            waits = frozenset(indexes[name] for name in reads if indexes[name] < index)
            waits |= {barrier} if barrier >= 0 else frozenset()
        else:
            waits = frozenset(range(index))
            barrier = index
        plans.append(plan.after(waits))
    return tuple(
        replace(plan, is_read=plan.name in read) if isinstance(plan, CallStepPlan) else plan
        for plan in plans
    )


def _is_safe(plan: StepPlan) -> bool:
    return isinstance(plan, CallStepPlan) and plan.call.method in SAFE_METHODS


def _inputs_of_steps(
    mappings: Sequence[StepMapping], outputs: Sequence[OutputParameter], compiler: StepCompiler
) -> list[StepMapping]:
    """The mappings whose target is an input of later steps (StepOutputMapping, `targetName`): no
    declared output is called so, nor a declared input, which the caller gives."""
    collector = compiler.values.collector
    names = {output.name for output in outputs}
    return [
        mapping
        for mapping in mappings
        if names
        and mapping.target.partition(".")[0] not in names
        and not collector.declares(mapping.target)
    ]


def _with_earlier(
    compiler: StepCompiler, earlier: Sequence[str], feeding: Sequence[StepMapping]
) -> StepCompiler:
    """The compiler for a step that sees earlier ones."""
    fed = {mapping.target: step_path(mapping.value) for mapping in feeding}
    arguments: Arguments = arguments_of(fed).over(compiler.values.arguments)
    values = replace(compiler.values, arguments=arguments, steps=frozenset(earlier))
    return replace(compiler, values=values)


def _compile_call_step(step: Step, compiler: StepCompiler) -> StepPlan:
    assert isinstance(step, CallStep)
    _, operation = compiler.consumed(step)
    return CallStepPlan(
        name=step.name,
        call=compiler.call(step, compiler.values),
        output=_compile_projection(operation, compiler.raw_format(operation), compiler.values),
    )


def _compile_projection(
    operation: ConsumedOperation, raw_format: RawFormat, values: Compiler
) -> OutputPlan:
    """What a call step stores: the document, or an object of the consumed operation's named
    outputs (ConsumedOutputParameter).

    For an array each element keeps its own fields and gets the outputs added.
    """
    members = [
        (output.name, compile_member(output, values)) for output in operation.outputs if output.name
    ]
    if not members:
        return OutputPlan(raw_format=raw_format)

    def project(document: JsonValue, scope: Scope) -> dict[str, JsonValue]:
        return {name: make(document, scope) for name, make in members}

    def store(document: JsonValue, scope: Scope) -> JsonValue:
        if not isinstance(document, list):
            return project(document, scope)
        return [
            {**(item if isinstance(item, dict) else {}), **project(item, scope)}
            for item in document
        ]

    return OutputPlan(store, None, raw_format)


def _compile_lookup_step(step: Step, compiler: StepCompiler) -> StepPlan:
    assert isinstance(step, LookupStep)
    return compile_lookup(step, compiler.values)


def _compile_script_step(step: Step, compiler: StepCompiler) -> StepPlan:
    assert isinstance(step, ScriptStep)
    return compile_script(step, compiler.values, compiler.scripting)


COMPILERS: Mapping[type[Step], Callable[[Step, StepCompiler], StepPlan]] = {
    CallStep: _compile_call_step,
    LookupStep: _compile_lookup_step,
    ScriptStep: _compile_script_step,
}
"""How each kind of step is compiled."""
