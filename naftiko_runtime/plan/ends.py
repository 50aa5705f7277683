"""Compiles steps that end a call: `fail` and `question`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from naftiko_runtime.document.model import (
    ExposedOperation,
    FailStep,
    McpAdapter,
    QuestionStep,
    RestAdapter,
    Tool,
    Value,
)
from naftiko_runtime.failures import Failure, FailureKind, Question
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.plan.calls import Scope
from naftiko_runtime.plan.conditions import StepError
from naftiko_runtime.plan.getters import Compiler, Getter, as_text
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.step_plans import EndStepPlan

Answers: TypeAlias = Mapping[str, Mapping[str, JsonValue]]
"""The operations or tools of an adapter by name, and how each is called."""


def answers_of(adapter: RestAdapter | McpAdapter) -> Answers:
    """What an adapter's callers could be told to call."""
    if isinstance(adapter, McpAdapter):
        return {name: {"tool": name} for name in map(_name_of, adapter.tools)}
    return {
        _name_of(each): {"method": each.method, "path": each.route} for each in adapter.operations
    }


def _name_of(part: ExposedOperation | Tool) -> str:
    return part.name or (part.behaviour.reference or "").rpartition(".")[2]


def compile_fail(step: FailStep, compiler: Compiler) -> EndStepPlan:
    message = compile_message(step.message, compiler)

    def fail(scope: Scope, changed: bool) -> Failure:
        executed = changed if step.executed is None else step.executed
        text = message(scope) or FailureKind.REFUSED_BY_FILE.title
        return Failure(FailureKind.REFUSED_BY_FILE, text, executed=executed, status=step.status)

    return EndStepPlan(step.name, fail)


def compile_question(step: QuestionStep, compiler: Compiler, answers: Answers) -> EndStepPlan:
    """The failure names the question, and how to answer it. Raises StepError."""
    how = answers.get(step.operation)
    if how is None:
        known = ", ".join(f'"{name}"' for name in sorted(answers)) or "none"
        message = f'"{step.operation}" names no operation or tool of this adapter'
        path = (*step.path, "answer", "operation")
        raise StepError("unknown-reference", step, message, f"there are {known}", path)
    message_of, id_of = compile_message(step.message, compiler), compile_message(step.id, compiler)
    accept, decline = (_members(given, compiler) for given in (step.accept, step.decline))

    def ask(scope: Scope, changed: bool) -> Failure:
        text, known_by = message_of(scope), id_of(scope)
        yes, no = _filled(accept, scope), _filled(decline, scope)
        shown: dict[str, JsonValue] = {
            "id": known_by,
            "message": text,
            "answer": {**how, "accept": dict(yes), "decline": dict(no)},
        }
        return Failure(
            FailureKind.QUESTION_OPEN,
            text,
            details={"question": shown},
            question=Question(known_by, text, None, step.operation, yes, no),
        )

    return EndStepPlan(step.name, ask)


def compile_message(value: Value, compiler: Compiler) -> Callable[[Scope], str]:
    """A text; the texts of a list become its lines."""
    get = compiler.value(value, Need())

    def read(scope: Scope) -> str:
        found = get(scope)
        if isinstance(found, Missing):
            return ""
        if isinstance(found, list):
            return "\n".join(as_text(each) for each in found)
        return as_text(found)

    return read


def _members(
    arguments: tuple[tuple[str, Value], ...], compiler: Compiler
) -> list[tuple[str, Getter]]:
    return [(name, compiler.value(value, Need())) for name, value in arguments]


def _filled(members: list[tuple[str, Getter]], scope: Scope) -> Mapping[str, JsonValue]:
    found = {name: get(scope) for name, get in members}
    return {name: value for name, value in found.items() if not isinstance(value, Missing)}
