"""Documents made from valid ones by small changes, to compare validators over."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

EVERY_CONSTRUCT: Any = yaml.safe_load(Path(__file__).with_name("every_construct.yaml").read_text())
"""A document that is official and holds every construct."""

STRAY_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    8080,
    1.5,
    8080.0,
    -1,
    "",
    "text",
    "a b",
    "a_b",
    "a.b",
    "a.b.c",
    "GET",
    "get",
    "http",
    "rest",
    "mcp",
    "stdio",
    "json",
    "object",
    "string",
    "integer",
    "https://example.com/v1",
    "https://{{HOST}}/v1/{x}",
    "file:///etc/x",
    "2026-05-06",
    "$.",
    [],
    {},
    ["x"],
    {"x": 1},
    [{"name": "x", "type": "string", "value": "y"}],
    [{"type": "object", "mapping": "$."}],
    {"type": "string", "mapping": "$.x"},
)
STRAY_KEYS = (
    "x", "name", "label", "description", "type", "in", "value", "required", "mapping", "const",
    "properties", "items", "values", "maxLength", "default", "enum", "ref", "call", "steps", "with",
    "mappings", "outputParameters", "inputParameters", "location", "import", "as", "port",
    "transport", "template", "forward", "operations", "resources", "tools", "consumes", "binds",
    "capability", "naftiko", "body", "data", "placement", "from", "instruction",
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, originals: list[Any]) -> Any:
    """One of the originals after up to three changes: a key or element dropped, a key added, a
    value replaced by a stray one or by a value from elsewhere in the document."""
    root = [deepcopy(draw(st.sampled_from(originals)))]
    for _ in range(draw(st.integers(0, 3))):
        spots = list(_spots(root[0], root, 0))
        container, key, _ = spots[draw(st.integers(0, len(spots) - 1))]
        match draw(st.sampled_from(["drop", "add", "stray", "move"])):
            case "drop" if container is not root:
                del container[key]
            case "add" if isinstance(container[key], dict):
                value = deepcopy(draw(st.sampled_from(STRAY_VALUES)))
                container[key][draw(st.sampled_from(STRAY_KEYS))] = value
            case "add" if isinstance(container[key], list):
                container[key].append(deepcopy(draw(st.sampled_from(STRAY_VALUES))))
            case "move":
                elsewhere = [value for _, other, value in spots if other == key]
                other = elsewhere[draw(st.integers(0, len(elsewhere) - 1))]
                container[key] = deepcopy(other)
            case _:
                container[key] = deepcopy(draw(st.sampled_from(STRAY_VALUES)))
    return root[0]


def _spots(value: Any, container: Any, key: Any) -> Any:
    yield container, key, value
    if isinstance(value, dict):
        for inner_key, inner in value.items():
            yield from _spots(inner, value, inner_key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _spots(inner, value, index)
