"""Compiles `steps`: what each step does and which earlier ones it has to wait for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from naftiko_runtime.document.model import (
    CallStep,
    ConsumedOperation,
    Consumes,
    FailStep,
    LookupStep,
    OutputParameter,
    QuestionStep,
    ScriptStep,
    Step,
    StepMapping,
    UniqueStep,
    ValueStep,
)
from naftiko_runtime.document.step_checks import first_name
from naftiko_runtime.formats import RawFormat
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.calls import Shelf
from naftiko_runtime.plan.conditions import compile_condition
from naftiko_runtime.plan.ends import Answers, compile_fail, compile_question
from naftiko_runtime.plan.getters import Arguments, Compiler, arguments_of
from naftiko_runtime.plan.lookups import compile_lookup, step_path
from naftiko_runtime.plan.operation import (
    CallPlan,
    CallStepPlan,
    OutputPlan,
    Scope,
    StepFlow,
    StepPlan,
)
from naftiko_runtime.plan.outputs import compile_member
from naftiko_runtime.plan.repeating import check_optional, compile_keeping, compile_repeat
from naftiko_runtime.plan.scripts import Scripting, compile_script
from naftiko_runtime.plan.step_reads import (
    read_by_outputs,
    read_by_path,
    read_by_request,
    read_by_step,
)
from naftiko_runtime.plan.values import compile_unique, compile_value


@dataclass(frozen=True, slots=True)
class StepCompiler:
    """What compiling steps needs: the compiler of values, what a call refers to, how it is
    compiled, how its answers are read, the settings of scripts, where answers are kept, and which
    operations can take the answers to questions."""

    values: Compiler
    consumed: Callable[[CallStep], tuple[Consumes, ConsumedOperation]]
    call: Callable[[CallStep, Compiler], CallPlan]
    raw_format: Callable[[ConsumedOperation], RawFormat]
    scripting: Scripting
    shelf: Shelf
    answers: Answers


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
    earlier steps, and all later ones wait for it. So does a step that may end the call.
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
        when = None
        if step.when is not None:
            when = compile_condition(step.when, _seeing(compiler, earlier))
        reads = read_by_step(step, earlier)
        if isinstance(step, CallStep):
            reads |= read_by_request(step, *compiler.consumed(step), earlier, feeding)
        read |= reads
        if plan.is_barrier:
            waits = frozenset(range(index))
            barrier = index
        else:
            waits = frozenset(indexes[name] for name in reads if name in earlier)
            waits |= {barrier} if barrier >= 0 else frozenset()
        plans.append(replace(plan, flow=StepFlow(waits, when)))
    return tuple(
        replace(plan, is_read=plan.name in read or plan.repeat is not None)
        if isinstance(plan, CallStepPlan)
        else plan
        for plan in plans
    )


def _seeing(compiler: StepCompiler, steps: Sequence[str]) -> Compiler:
    return replace(compiler.values, steps=frozenset(steps))


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
    outside, inside = compiler.values, compiler.values
    if step.repeat is not None:
        own = {step.name, step.repeat.counter or step.name}
        inside = replace(inside, steps=inside.steps | own)
    call = compiler.call(step, inside)
    check_optional(step, call)
    return CallStepPlan(
        name=step.name,
        call=call,
        output=_compile_projection(operation, compiler.raw_format(operation), outside),
        repeat=compile_repeat(step.repeat, outside, inside),
        keeping=compile_keeping(step, call, compiler.shelf),
        optional=step.optional,
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


def _compile_value_step(step: Step, compiler: StepCompiler) -> StepPlan:
    assert isinstance(step, ValueStep)
    return compile_value(step, compiler.values)


def _compile_unique_step(step: Step, compiler: StepCompiler) -> StepPlan:
    return compile_unique(step.name)


def _compile_fail_step(step: Step, compiler: StepCompiler) -> StepPlan:
    assert isinstance(step, FailStep)
    return compile_fail(step, compiler.values)


def _compile_question_step(step: Step, compiler: StepCompiler) -> StepPlan:
    assert isinstance(step, QuestionStep)
    return compile_question(step, compiler.values, compiler.answers)


COMPILERS: Mapping[type[Step], Callable[[Step, StepCompiler], StepPlan]] = {
    CallStep: _compile_call_step,
    LookupStep: _compile_lookup_step,
    ScriptStep: _compile_script_step,
    ValueStep: _compile_value_step,
    UniqueStep: _compile_unique_step,
    FailStep: _compile_fail_step,
    QuestionStep: _compile_question_step,
}
"""How each kind of step is compiled."""
