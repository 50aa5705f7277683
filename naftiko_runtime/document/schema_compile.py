"""Compiles the project's JSON Schema to plain functions.

A general validator takes tens of milliseconds for a file of 600 lines and reports a failed `oneOf`
as one opaque error. The schema file keeps to the keywords below and says by `if`/`then` which
branch a value means, so checking it is a walk through closures and each fault is that of the
branch meant. A keyword that is not listed here is an error, and tests hold the outcome against
jsonschema.
"""

from __future__ import annotations

from naftiko_runtime.document.schema_keywords import (
    Check,
    Fault,
    FaultKind,
    Schema,
    bounded,
    each_item,
    matching,
    negated,
    of_type,
    one_of_values,
    pass_all,
    refuse_all,
)
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.problems import DocumentPath

_ANNOTATIONS = frozenset({"$schema", "$id", "$comment", "$defs", "title", "description"}) | {
    "default",
    "examples",
    "format",
    "errorMessage",
    "patternErrorMessage",
    "writeOnly",
}
_OF_MAPPINGS = frozenset({"properties", "additionalProperties", "required", "propertyNames"})
_SIZES = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")


class Compiler:
    """Turns schemas into checks.

    With `strict` a schema beside `x-strict` holds only together with it; what that one finds is
    marked as beyond the official schema.
    """

    def __init__(self, root: Schema, *, strict: bool) -> None:
        self._root = root
        self._strict = strict
        self._definitions: dict[tuple[str, bool], Check | None] = {}

    def compile(self, schema: JsonValue, *, beyond: bool = False) -> Check:
        if schema is True or schema == {}:
            return pass_all
        if schema is False:
            return refuse_all({}, beyond)
        assert isinstance(schema, dict), f"not a schema: {schema!r}"
        checks = [
            self._keyword(keyword, schema, beyond)
            for keyword in schema
            if keyword not in _ANNOTATIONS | _OF_MAPPINGS | {"type", "then", "else"}
        ]
        if not _OF_MAPPINGS.isdisjoint(schema):
            checks.insert(0, self._mapping(schema, beyond))
        check = _all([check for check in checks if check is not pass_all])
        return of_type(schema, beyond, check) if "type" in schema else check

    def _keyword(self, keyword: str, schema: Schema, beyond: bool) -> Check:
        value = schema[keyword]
        match keyword:
            case "x-strict":
                return self.compile(value, beyond=True) if self._strict else pass_all
            case "$ref":
                return self._reference(str(value), beyond)
            case "allOf":
                return _all(self._branches(value, beyond))
            case "anyOf" | "oneOf":
                return _any(self._branches(value, beyond), keyword, schema, beyond)
            case "not":
                return negated(self.compile(value), schema, beyond)
            case "if":
                return self._condition(schema, beyond)
            case "items":
                return each_item(self.compile(value, beyond=beyond))
            case "enum" | "const":
                return one_of_values(schema, beyond)
            case "pattern":
                return matching(schema, beyond)
            case _ if keyword in _SIZES:
                return bounded(keyword, schema, beyond)
        raise ValueError(f'the schema keyword "{keyword}" is not supported')

    def _branches(self, schemas: JsonValue, beyond: bool) -> list[Check]:
        assert isinstance(schemas, list)
        return [self.compile(schema, beyond=beyond) for schema in schemas]

    def _reference(self, reference: str, beyond: bool) -> Check:
        """Each definition is compiled once; one that is being compiled refers to itself."""
        key = (reference, beyond)
        if key not in self._definitions:
            self._definitions[key] = None
            target: JsonValue = dict(self._root)
            for step in reference.removeprefix("#/").split("/"):
                assert isinstance(target, dict)
                target = target[step]
            self._definitions[key] = self.compile(target, beyond=beyond)
        known = self._definitions[key]
        if known is not None:
            return known

        def check(value: JsonValue, path: DocumentPath, faults: list[Fault]) -> None:
            compiled = self._definitions[key]
            assert compiled is not None
            compiled(value, path, faults)

        return check

    def _condition(self, schema: Schema, beyond: bool) -> Check:
        condition = self.compile(schema["if"])
        then = self.compile(schema.get("then", True), beyond=beyond)
        otherwise = self.compile(schema.get("else", True), beyond=beyond)

        def check(value: JsonValue, path: DocumentPath, faults: list[Fault]) -> None:
            found: list[Fault] = []
            condition(value, path, found)
            (otherwise if found else then)(value, path, faults)

        return check

    def _mapping(self, schema: Schema, beyond: bool) -> Check:
        """`properties`, `additionalProperties`, `propertyNames` and `required` in one walk."""
        properties = schema.get("properties", {})
        required = schema.get("required", [])
        assert isinstance(properties, dict)
        assert isinstance(required, list)
        known = {key: self.compile(child, beyond=beyond) for key, child in properties.items()}
        closed = schema.get("additionalProperties") is False
        others = self.compile(
            True if closed else schema.get("additionalProperties", True), beyond=beyond
        )
        names = self.compile(schema.get("propertyNames", True), beyond=beyond)

        def check(value: JsonValue, path: DocumentPath, faults: list[Fault]) -> None:
            if not isinstance(value, dict):
                return
            for key, child in value.items():
                if key in known:
                    known[key](child, (*path, key), faults)
                elif closed:
                    faults.append(Fault(FaultKind.UNKNOWN_KEY, path, value, key, schema, beyond))
                elif others is not pass_all:
                    others(child, (*path, key), faults)
                if names is not pass_all:
                    names(key, (*path, key), faults)
            for needed in required:
                if needed not in value:
                    faults.append(Fault(FaultKind.MISSING, path, value, needed, schema, beyond))

        return check


def _all(checks: list[Check]) -> Check:
    if len(checks) < 2:
        return checks[0] if checks else pass_all

    def check(value: JsonValue, path: DocumentPath, faults: list[Fault]) -> None:
        for one in checks:
            one(value, path, faults)

    return check


def _any(branches: list[Check], keyword: str, schema: Schema, beyond: bool) -> Check:
    """`anyOf` and `oneOf`. The branch with the fewest faults is taken to be the one meant.

    Where each branch only lacks keys, the faults are summed up as "one of these is missing".
    """
    exactly_one = keyword == "oneOf"

    def check(value: JsonValue, path: DocumentPath, faults: list[Fault]) -> None:
        tries: list[list[Fault]] = []
        for branch in branches:
            found: list[Fault] = []
            branch(value, path, found)
            tries.append(found)
            if not found and not exactly_one:
                return
        passed = sum(not found for found in tries)
        if passed > 1:
            faults.append(Fault(FaultKind.REFUSED, path, value, None, schema, beyond))
        elif not passed:
            missing = [fault.detail for found in tries for fault in found]
            if all(f.kind is FaultKind.MISSING and f.path == path for t in tries for f in t):
                faults.append(Fault(FaultKind.MISSING_ANY, path, value, missing, schema, beyond))
            else:
                meant = min(range(len(tries)), key=lambda index: len(tries[index]))
                faults.extend(tries[meant])

    return check
