"""Documents made of the official schema alone: what may be in a file, in any combination."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

_DEEPEST = 14
_WORDS = st.sampled_from(
    [
        "books",
        "get-book",
        "Book of {{id}}",
        "{{TOKEN}}",
        "$.a[0].b",
        "a.b",
        "1",
        "",
        "x y",
        "$",
        "é",
    ]
)
_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from([0.5, -1.25]) | _WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_WORDS, inner, max_size=2),
    max_leaves=3,
)
_MERGED = ("oneOf", "anyOf", "allOf", "$ref")


class Grammar:
    """Draws values of schemas. What it does not look at (`not`, that one branch alone holds, how
    many characters) is for a validator to judge afterwards: most of what it draws is valid."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def __repr__(self) -> str:
        return "Grammar()"

    def document(self, draw: st.DrawFn) -> Any:
        return self.value(draw, dict(self._root), 0)

    def value(self, draw: st.DrawFn, schema: Any, depth: int) -> Any:
        if not isinstance(schema, dict):
            return draw(_ANY)
        schema = self._merged(draw, schema, depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return draw(st.sampled_from(schema["enum"]))
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = draw(st.sampled_from(kind))
        if kind == "object" or (kind is None and "properties" in schema):
            return self._object(draw, schema, depth)
        if kind == "array":
            least = schema.get("minItems", 0)
            most = least if depth > _DEEPEST else least + draw(st.integers(0, 2))
            items = schema.get("items", True)
            return [self.value(draw, items, depth + 1) for _ in range(most)]
        return draw(_scalar(kind, schema))

    def _object(self, draw: st.DrawFn, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        required = list(dict.fromkeys(schema.get("required", ())))
        optional = [name for name in properties if name not in required]
        chosen: list[str] = []
        if optional and depth <= _DEEPEST:
            most = max(1, 5 - depth // 3)
            chosen = draw(st.lists(st.sampled_from(optional), unique=True, max_size=most))
        found = {
            name: self.value(draw, properties.get(name, True), depth + 1)
            for name in (*required, *chosen)
        }
        further = schema.get("additionalProperties")
        if isinstance(further, dict) and depth <= _DEEPEST:
            names = schema.get("propertyNames", {"type": "string", "minLength": 1})
            for _ in range(draw(st.integers(0 if found else 1, 2))):
                found[self.value(draw, names, depth + 1)] = self.value(draw, further, depth + 1)
        return found

    def _merged(self, draw: st.DrawFn, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        """One schema without branches: all of `allOf`, and one of `oneOf` and `anyOf` each, that
        with the fewest branches of its own where it is deep already."""
        while any(keyword in schema for keyword in _MERGED):
            parts: list[dict[str, Any]] = []
            rest = {key: value for key, value in schema.items() if key not in _MERGED}
            if "$ref" in schema:
                parts.append(self._root["$defs"][schema["$ref"].rpartition("/")[2]])
            parts += schema.get("allOf", ())
            for keyword in ("oneOf", "anyOf"):
                if keyword in schema:
                    branches = schema[keyword]
                    shallow = depth > _DEEPEST
                    parts.append(branches[0] if shallow else draw(st.sampled_from(branches)))
            for part in parts:
                rest = _joined(rest, part)
            schema = rest
        return schema


def _joined(first: dict[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    joined = {**second, **first}
    if "required" in first and "required" in second:
        joined["required"] = [*first["required"], *second["required"]]
    if "properties" in first and "properties" in second:
        names = {**first["properties"], **second["properties"]}
        joined["properties"] = {
            name: _property(first["properties"].get(name), second["properties"].get(name))
            for name in names
        }
    for keyword in ("oneOf", "anyOf"):
        if keyword in first and keyword in second:
            joined["allOf"] = [*joined.get("allOf", ()), {keyword: first[keyword]}]
            joined[keyword] = second[keyword]
    return joined


def _property(first: Any, second: Any) -> Any:
    if not isinstance(first, dict) or not isinstance(second, dict):
        return second if isinstance(second, dict) else first
    return {"allOf": [first, second]}


def _scalar(kind: str | None, schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    match kind:
        case "integer":
            return st.integers(schema.get("minimum", 0), schema.get("maximum", 2**31))
        case "number":
            return st.integers(schema.get("minimum", 0), schema.get("maximum", 9)) | st.just(0.5)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "string" if "pattern" in schema:
            pattern = re.sub(r"\$$", r"\\Z", schema["pattern"])
            return st.from_regex(pattern, alphabet=_CHARACTERS)
        case "string" if schema.get("format") == "uri":
            return st.sampled_from(["https://a.example/x", "http://localhost:8080", "urn:a:b"])
        case "string":
            return _WORDS
    return _ANY


_CHARACTERS = st.characters(min_codepoint=0x20, max_codepoint=0x17F, exclude_characters="\x7f")
