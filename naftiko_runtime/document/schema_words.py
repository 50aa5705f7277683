"""What a fault against the schema is called, and how it is mended, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from naftiko_runtime.document.schema_keywords import Fault, FaultKind, Schema
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.problems import DocumentPath

RULES = {
    FaultKind.TYPE: "wrong-type",
    FaultKind.CHOICE: "unknown-value",
    FaultKind.PATTERN: "malformed-value",
    FaultKind.TOO_SMALL: "out-of-range",
    FaultKind.TOO_LARGE: "out-of-range",
    FaultKind.MISSING: "missing-key",
    FaultKind.MISSING_ANY: "missing-key",
    FaultKind.UNKNOWN_KEY: "unknown-key",
    FaultKind.REFUSED: "misplaced-key",
}
"""The rule id of each kind of fault."""

_NOUNS = {
    "aggregates": "aggregate",
    "arguments": "argument",
    "binds": "bind",
    "consumes": "consumed API",
    "exposes": "adapter",
    "functions": "function",
    "guards": "guard",
    "inputParameters": "parameter",
    "limits": "limit",
    "mappings": "mapping",
    "operations": "operation",
    "outputParameters": "output parameter",
    "prompts": "prompt",
    "resources": "resource",
    "skills": "skill",
    "stakeholders": "stakeholder",
    "steps": "step",
    "template": "message",
    "tools": "tool",
}
_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}
_BOOLEAN_WORDS = frozenset({"yes", "no", "on", "off", "true", "false", "y", "n"})
_SHOWN_LENGTH = 60


def describe(fault: Fault, root: Schema) -> tuple[str, str]:
    """Message and remedy of a fault; `root` is the whole schema, for its definitions."""
    if not fault.beyond:
        return _describe(fault, root)
    if fault.kind is FaultKind.UNKNOWN_KEY:
        key = str(fault.detail)
    elif fault.kind is FaultKind.REFUSED and "errorMessage" not in fault.schema:
        key = str(fault.path[-1])
    else:
        message, remedy = _describe(fault, root)
        return f"against the official schema: {message}", remedy
    remedy = "remove it if other runtimes are to read the file"
    return f'"{_shorten(key)}" is not in the official schema', remedy


def _describe(fault: Fault, root: Schema) -> tuple[str, str]:
    match fault.kind:
        case FaultKind.MISSING:
            key = str(fault.detail)
            return f'{_element(fault)} has no "{key}"', _add(key, fault.schema, root)
        case FaultKind.MISSING_ANY:
            keys = _quoted(_texts(fault.detail))
            lacks = "neither " + " nor ".join(keys) if len(keys) == 2 else "none of " + _list(keys)
            return f"{_element(fault)} has {lacks}", f"add {_list(keys, 'or')}"
        case FaultKind.UNKNOWN_KEY:
            message, remedy = describe_unknown_key(fault)
            return f"{message}, which is passed over", remedy
        case FaultKind.TYPE:
            return _describe_type(fault)
        case FaultKind.CHOICE:
            choices = _choices(fault)
            message = f"{_name(fault.path)} is {_show(fault)}"
            if len(choices) == 1:
                return f"{message}, which is not allowed", f'write "{choices[0]}"'
            remedy = suggest(str(fault.value), choices, "allowed are")
            return f"{message}, which is not allowed", remedy
        case FaultKind.PATTERN:
            message = f"{_name(fault.path)} is malformed: {_show(fault)}"
            return message, str(fault.schema.get("patternErrorMessage", "correct it"))
        case FaultKind.REFUSED:
            said = fault.schema.get("errorMessage")
            message = str(said) if said else f"{_name(fault.path)} is not allowed here"
            return message, "remove it" if not said else "keep one of the two"
    return _describe_size(fault)


def describe_unknown_key(fault: Fault) -> tuple[str, str]:
    """Message and remedy of an unknown key, without what becomes of it."""
    key = str(fault.detail)
    known = _texts(list(_properties(fault.schema)))
    message = f'{_element(fault)} has the unknown key "{key}"'
    return message, suggest(key, known, "correct or remove it; known here are")


def _choices(fault: Fault) -> list[str]:
    """The choices to name: the official ones where published files have other spellings too."""
    strict = fault.schema.get("x-strict")
    official = strict.get("enum") if isinstance(strict, dict) else None
    return _texts(official or fault.detail)


def _describe_type(fault: Fault) -> tuple[str, str]:
    expected = [str(name) for name in _texts(fault.detail) if name != "null"]
    words = _list([_TYPES[name] for name in expected], "or")
    message = f"{_name(fault.path)} is {_show(fault)} where {words} is expected"
    value = fault.value
    if value is None:
        return message, "write a value, or remove the key"
    if "boolean" in expected and str(value).lower() in _BOOLEAN_WORDS:
        return message, "write true or false, without quotes"
    if isinstance(value, str) and {"integer", "number"} & set(expected):
        return message, "write a number, without quotes"
    if "string" in expected and isinstance(value, bool | int | float):
        return message, "write it in quotes"
    if "array" in expected:
        return message, 'start each element with "- " on a line of its own'
    if "object" in expected:
        return message, 'write it as lines of "key: value", indented'
    return message, f"write {words}"


def _describe_size(fault: Fault) -> tuple[str, str]:
    name, bound, value = _name(fault.path), fault.detail, fault.value
    at_least = fault.kind is FaultKind.TOO_SMALL
    if isinstance(value, str | list):
        unit = "characters" if isinstance(value, str) else "elements"
        if not value and at_least:
            return f"{name} is empty", "write a value, or remove the key"
        size = f"{'fewer' if at_least else 'more'} than {bound} {unit}"
        return f"{name} has {size}", f"{'lengthen' if at_least else 'shorten'} it"
    compared = f"{'less' if at_least else 'more'} than {bound}"
    limit = f"{'at least' if at_least else 'at most'} {bound}"
    return f"{name} is {value}, {compared}", f"write {limit}"


def _element(fault: Fault) -> str:
    """What the mapping at fault is: `operation "get-order"`, `"capability"`, `the file`."""
    path, value = fault.path, fault.value
    if not path:
        return "the file"
    if isinstance(path[-1], str):
        return f'"{path[-1]}"'
    noun = _NOUNS.get(str(path[-2]), f'element of "{path[-2]}"') if path[1:] else "element"
    for key in ("name", "namespace", "import", "path", "match"):
        name = value.get(key) if isinstance(value, dict) else None
        if isinstance(name, str) and name:
            return f'{noun} "{_shorten(name)}"'
    return f"{noun} {path[-1] + 1}"


def _name(path: DocumentPath) -> str:
    if not path:
        return "the file"
    if isinstance(path[-1], str):
        return f'"{_shorten(path[-1])}"'
    of = f' of "{path[-2]}"' if path[1:] else ""
    return f"element {path[-1] + 1}{of}"


def _show(fault: Fault) -> str:
    """The value as a message may show it: shortened, and never a credential."""
    value = fault.value
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    hidden = fault.schema.get("writeOnly") is True
    if hidden or ("authentication" in fault.path and fault.path[-1] != "type"):
        return "text" if isinstance(value, str) else "a number or boolean"
    if isinstance(value, str):
        return f'"{_shorten(value)}"'
    return str(value).lower() if isinstance(value, bool) else f"the number {value}"


def _add(key: str, schema: Schema, root: Schema) -> str:
    """How to add a missing key, with what its own schema gives as allowed or as an example."""
    own = _resolve(_properties(schema).get(key), root)
    choices = _texts(own.get("enum", [own["const"]] if "const" in own else []))
    if len(choices) == 1:
        return f'add "{key}: {choices[0]}"'
    if choices:
        return f'add "{key}:" with {_list(choices, "or")}'
    examples = own.get("examples")
    if isinstance(examples, list) and examples and isinstance(examples[0], str | int):
        return f'add it, as in "{key}: {examples[0]}"'
    return f'add "{key}:"'


def _resolve(schema: JsonValue, root: Schema) -> Schema:
    """A schema together with the definition it refers to."""
    if not isinstance(schema, dict):
        return {}
    reference = schema.get("$ref")
    definitions = root.get("$defs")
    if not isinstance(reference, str) or not isinstance(definitions, dict):
        return schema
    return {**_resolve(definitions[reference.rpartition("/")[2]], root), **schema}


def suggest(word: str, known: Sequence[str], otherwise: str) -> str:
    """A remedy for a word that is none of the known ones: which was meant, and which there are."""
    plain = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), plain, n=1, cutoff=0.6)
    meant = f'did you mean "{plain[close[0]]}"? ' if close else ""
    return f"{meant}{otherwise} {_list(_quoted(known))}"


def _properties(schema: Schema) -> Schema:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _texts(values: JsonValue) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else []


def _quoted(words: Sequence[str]) -> list[str]:
    return [f'"{word}"' for word in words]


def _list(words: Sequence[str], conjunction: str = "and") -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 3] + "..."
