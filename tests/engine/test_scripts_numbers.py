"""Numbers on their way through scripts: none is changed in silence."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.json_codec import decode_json
from tests.engine.scripting import Runner, anyio_backend, processes
from tests.script_files import any_input, script, scripts

__all__ = ["anyio_backend", "processes"]

pytestmark = pytest.mark.anyio

PASS = {".js": "result = context.v", ".py": "result = context['v']"}
KEPT = [
    "9007199254740991",
    "9007199254740992",
    "-9007199254740993",
    "12345678901234567890123",
    "0.1000000000000000055",
    "1E+400",
    "1.5",
    "5e-324",
]


@pytest.mark.parametrize("suffix", PASS)
async def test_numbers_pass_digit_for_digit_from_input_to_answer(
    tmp_path: Path, suffix: str
) -> None:
    name = f"a{suffix}"
    inputs = [any_input("v", "array")]
    file = scripts(tmp_path, {name: PASS[suffix]}, [script(name)], inputs=inputs)
    outcome = await file.run({"v": [decode_json(number) for number in KEPT]})
    assert isinstance(outcome, Answer)
    assert outcome.body.decode() == '{"value":[' + ",".join(KEPT) + "]}"


@pytest.mark.parametrize(
    ("number", "in_javascript", "in_python"),
    [
        ("1", "number", "int"),
        ("1.10", "number", "float"),
        ("1.5", "number", "float"),
        ("-0", "number", "int"),
        ("1e3", "number", "float"),
        ("9007199254740991", "number", "int"),
        ("9007199254740992", "bigint", "int"),
        ("-9007199254740992", "bigint", "int"),
        ("12345678901234567890123", "bigint", "int"),
        ("0.1000000000000000055", "object", "Decimal"),
    ],
)
async def test_what_a_number_is_depends_on_its_value_alone(
    tmp_path: Path, number: str, in_javascript: str, in_python: str
) -> None:
    inputs = {"v": {"n": decode_json(number)}}
    javascript, python = Runner(tmp_path, ".js"), Runner(tmp_path, ".py")
    assert await javascript.value("result = typeof context.v.n", inputs) == in_javascript
    text = "result = type(context['v']['n']).__name__"
    assert await python.value(text, inputs) == in_python


async def test_javascript_calculates_with_what_it_can_and_fails_with_what_it_cannot(
    tmp_path: Path,
) -> None:
    js = Runner(tmp_path, ".js")
    inputs = {"v": {"n": Decimal("0.1000000000000000055"), "big": 2**60}}
    said = await js.failure("result = context.v.n * 2", inputs)
    assert said.startswith("failed at line 1: TypeError: ")
    said = await js.failure("result = context.v.big * 2", inputs)
    assert said.startswith("failed at line 1: TypeError: Cannot mix BigInt")
    assert await js.value("result = context.v.big * 2n", inputs) == 2**61
    text = "result = context.v.n.rawJSON"
    assert await js.value(text, inputs) == "0.1000000000000000055"


async def test_python_calculates_with_what_it_can_and_fails_with_what_it_cannot(
    tmp_path: Path,
) -> None:
    py = Runner(tmp_path, ".py")
    inputs = {"v": {"n": Decimal("0.1000000000000000055")}}
    said = await py.failure("result = context['v']['n'] * 1.5", inputs)
    assert said.startswith("failed at line 1: TypeError: unsupported operand")
    assert await py.value("result = str(context['v']['n'] * 2)", inputs) == "0.2000000000000000110"


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def by_value(value: Any) -> Any:
    """Numbers by value, so that 1.10 and 1.1 are one, and -0 is 0."""
    if isinstance(value, dict):
        return {key: by_value(member) for key, member in value.items()}
    if isinstance(value, list):
        return [by_value(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


@pytest.mark.parametrize("suffix", PASS)
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(value=JSON_VALUES)
async def test_every_json_value_passes_through_a_script_unharmed(
    tmp_path: Path, suffix: str, value: Any
) -> None:
    file = Runner(tmp_path, suffix).load(PASS[suffix], {"v": {}})
    outcome = await file.run({"v": {"x": value}})
    assert isinstance(outcome, Answer), outcome
    answer: Any = decode_json(outcome.body)
    assert by_value(answer["value"]["x"]) == by_value(value)
