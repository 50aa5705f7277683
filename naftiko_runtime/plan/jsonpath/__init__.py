"""JSONPath (RFC 9535), compiled once at load: `compile_jsonpath` is the way in.

text -> scanner -> parser, conditions -> ast -> compile, predicates -> closures over a document.
`compatibility` says what is read beyond the RFC.
"""

from naftiko_runtime.json_values import MISSING, JsonValue, Missing
from naftiko_runtime.plan.jsonpath.compatibility import compile_jsonpath
from naftiko_runtime.plan.jsonpath.errors import JsonPathBudgetExceeded, JsonPathSyntaxError
from naftiko_runtime.plan.jsonpath.evaluation import NODE_BUDGET
from naftiko_runtime.plan.jsonpath.expression import (
    JsonExpression,
    compile_expression,
    names_of_path,
)
from naftiko_runtime.plan.jsonpath.parser import parse_strict
from naftiko_runtime.plan.jsonpath.path import JsonPath

__all__ = [
    "MISSING",
    "NODE_BUDGET",
    "JsonExpression",
    "JsonPath",
    "JsonPathBudgetExceeded",
    "JsonPathSyntaxError",
    "JsonValue",
    "Missing",
    "compile_expression",
    "compile_jsonpath",
    "names_of_path",
    "parse_strict",
]
