"""An answer that is read beside the event loop is the one that is read on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.failures import Failure
from naftiko_runtime.formats import JSON, compile_format
from tests.sequences import Keys, LoadedSequence, Scripted, call, mapping, operation, sequence
from tests.sequences import text_response as answer

PADDING = {"json": " ", "xml": "<!---->", "csv": "\n", "yaml": "\n"}
"""What can follow a document without being a part of it."""
ROW: Keys = {
    "type": "object",
    "properties": {
        "a": {"type": "string", "mapping": "$.a"},
        "n": {"type": "number", "mapping": "$.b"},
        "all": {"type": "array", "mapping": "$..a", "items": {"type": "string", "mapping": "$."}},
    },
}

numbers = st.sampled_from(["0", "-7", "1.10", "12345678901234567890123", "1e400", "3.0e0"])
words = st.text(st.characters(codec="utf-8", categories=["L", "N", "Zs"]), max_size=5)
json_texts = st.recursive(
    numbers | words.map(json.dumps) | st.sampled_from(["null", "true"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]"),
        st.lists(st.tuples(st.sampled_from("abc"), inner), max_size=4).map(
            lambda pairs: "{" + ",".join(f'"{key}":{value}' for key, value in pairs) + "}"
        ),
    ),
    max_leaves=12,
)
xml_texts = st.recursive(
    st.text("xyz ", max_size=3),
    lambda inner: st.lists(st.tuples(st.sampled_from("abc"), inner), max_size=4).map(
        lambda children: "".join(f"<{name}>{text}</{name}>" for name, text in children)
    ),
    max_leaves=12,
).map(lambda inner: f"<r>{inner}</r>")
csv_texts = st.lists(
    st.lists(st.sampled_from(["1", "x", "", '"y,z"']), min_size=2, max_size=3), max_size=5
).map(lambda rows: "\n".join(["a,b", *(",".join(row) for row in rows)]))
broken = st.sampled_from(["", "{", "]", "<r>", "<r></s>", '"', "a: [", "\t", "{]", "é"])


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, str]:
    """A format, and a text that is mostly of that format."""
    name = draw(st.sampled_from(sorted(PADDING)))
    whole = {"json": json_texts, "xml": xml_texts, "csv": csv_texts, "yaml": json_texts}
    return name, draw(st.one_of(whole[name], whole[name], broken))


@cache
def one_call(name: str) -> LoadedSequence:
    consumed = operation("list", outputRawFormat=name)
    return sequence([consumed], behaviour={"call": "up.list"}, outputs=[ROW])


@cache
def two_steps(name: str) -> LoadedSequence:
    consumed = operation("list", outputRawFormat=name)
    steps = [
        call("first", "list"),
        {"name": "found", "type": "value", "value": "$..a"},
        call("second", "list") | {"when": "@.first.a || @.found"},
    ]
    targets = [mapping(each, f"$.{each}") for each in ("first", "found", "second")]
    return sequence([consumed], steps, mappings=targets)


def outcomes(file: LoadedSequence, name: str, bodies: Sequence[str]) -> list[Outcome]:
    async def run() -> list[Outcome]:
        media_type = f"application/{name}"
        return [await file.run({}, Scripted({"list": answer(body, media_type)})) for body in bodies]

    return asyncio.run(run())


def padded(name: str, text: str, size: int) -> str:
    missing = size - len(text.encode())
    return text + PADDING[name] * (missing // len(PADDING[name]))


def threshold(name: str) -> int:
    return JSON.large if name == "json" else compile_format(name, None, Path()).large


@given(documents(), st.integers(-8, 8), st.sampled_from([one_call, two_steps]))
def test_an_answer_is_the_same_however_much_follows_it(
    document: tuple[str, str], beyond: int, make: Any
) -> None:
    name, text = document
    limit = threshold(name)
    bodies = [padded(name, text, size) for size in (limit - 1000, limit + beyond)]
    small, large = outcomes(make(name), name, bodies)
    if isinstance(small, Failure) and isinstance(large, Failure):  # at places that may differ
        assert (small.kind, small.step) == (large.kind, large.step)
    else:
        assert repr(small) == repr(large)
