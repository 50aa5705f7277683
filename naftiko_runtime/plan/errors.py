"""Compiles `errors`: what callers are told of failed calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from naftiko_runtime.document.errors_reader import ERROR_NAMES
from naftiko_runtime.document.model import ErrorShape
from naftiko_runtime.formats import JSON
from naftiko_runtime.plan.conditions import unreadable
from naftiko_runtime.plan.ends import compile_message
from naftiko_runtime.plan.getters import Compiler
from naftiko_runtime.plan.inputs import InputCollector
from naftiko_runtime.plan.jsonpath import JsonPathSyntaxError, compile_expression
from naftiko_runtime.plan.operation import ErrorPlan
from naftiko_runtime.plan.outputs import compile_output


def compile_errors(shapes: Sequence[ErrorShape], compiler: Compiler) -> tuple[ErrorPlan, ...]:
    """Templates see the failure's members by their names, and the inputs that were given; they make
    no inputs of what they name. Raises StepError and OutputError."""
    apart = replace(compiler, collector=InputCollector(()), steps=ERROR_NAMES)
    return tuple(_compile(shape, apart) for shape in shapes)


def _compile(shape: ErrorShape, compiler: Compiler) -> ErrorPlan:
    when = None
    if shape.when is not None:
        try:
            when = compile_expression(shape.when.text).holds
        except JsonPathSyntaxError as error:
            raise unreadable(shape.when, error) from None
    body, schema = None, None
    if shape.outputs is not None:
        output = compile_output(shape.outputs, JSON, compiler)
        body, schema = output.map or (lambda document, scope: document), output.schema
    return ErrorPlan(
        when=when,
        status=shape.status,
        message=None if shape.message is None else compile_message(shape.message, compiler),
        body=body,
        schema=schema,
    )
