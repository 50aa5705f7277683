"""One capability written in the specification's words and as authors publish it: the same calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.json_values import JsonValue
from tests.loaded_calls import LoadedCall, one_call
from tests.properties.texts import HOSTILE

WORDS = ["account", "order", "limit", "side", "since", "page", "symbol", "trace"]
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": HOSTILE,
    "integer": st.integers(-(10**20), 10**20),
    "boolean": st.booleans(),
    "array": st.lists(HOSTILE, max_size=3),
}
PLAIN = st.text("abcXYZ019-_~", min_size=1, max_size=8)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A consumed parameter: its place, its name upstream, the caller's name, its type, a value."""

    place: str
    name: str
    asked: str
    type: str
    value: Any


@st.composite
def parameters(draw: st.DrawFn) -> list[Wanted]:
    words = draw(st.lists(st.sampled_from(WORDS), unique=True, min_size=1, max_size=5))
    wanted = []
    for word in words:
        place = draw(st.sampled_from(["path", "query", "query", "header"]))
        name = draw(st.sampled_from([word, f"{word}Id", f"{word}-id", f"x_{word}"]))
        asked = draw(st.sampled_from([name, f"my-{word}"]))
        type_ = draw(st.sampled_from([*VALUES])) if place == "query" else "string"
        value = draw(VALUES[type_] if place == "query" else PLAIN)
        wanted.append(Wanted(place, name, asked, type_, value))
    return wanted


def specified(wanted: list[Wanted], method: str, secret: str) -> LoadedCall:
    """Inputs declared, `with` by the adapters' namespaces, paths with two braces."""
    described = [
        {"name": w.asked, "type": w.type, "description": f"The {w.asked}."} for w in wanted
    ]
    return one_call(
        path="/x" + "".join(f"/{{{{{w.name}}}}}" for w in wanted if w.place == "path"),
        method=method,
        parameters=[{"name": w.name, "in": w.place} for w in wanted if w.place != "path"],
        rest_inputs=[d | {"in": w.place} for d, w in zip(described, wanted, strict=True)],
        tool_inputs=described,
        rest_with={w.name: f"up-rest.{w.asked}" for w in wanted},
        tool_with={w.name: f"up-mcp.{w.asked}" for w in wanted},
        route="/r" + "".join(f"/{{{w.asked}}}" for w in wanted if w.place == "path"),
        authentication={"type": "apikey", "key": "X-Key", "value": "{{KEY}}"},
        binds=[{"namespace": "vault", "keys": {"KEY": "KEY"}}],
        variables={"KEY": secret},
    )


def published(wanted: list[Wanted], method: str, secret: str) -> LoadedCall:
    """Nothing declared where names are the same, `rest.` and `tools.`, paths with one brace."""
    renamed = [w for w in wanted if w.asked != w.name]
    return one_call(
        path="/x" + "".join(f"/{{{w.name}}}" for w in wanted if w.place == "path"),
        method=method,
        parameters=[
            {"name": w.name, "in": w.place, "type": w.type, "description": f"The {w.name}."}
            for w in wanted
        ],
        rest_with={w.name: f"rest.{w.asked}" for w in renamed},
        tool_with={w.name: f"tools.{w.asked}" for w in renamed},
        route="/r" + "".join(f"/{{{w.asked.lower()}}}" for w in wanted if w.place == "path"),
        authentication={"type": "apikey", "key": "X-Key", "value": "{{env.KEY}}"},
        binds=[{"namespace": "env", "keys": {"KEY": "KEY"}}],
        variables={"KEY": secret},
    )


def as_text(value: Any) -> JsonValue:
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


@given(parameters(), st.sampled_from(["GET", "POST", "DELETE"]), PLAIN)
def test_both_dialects_send_the_same_requests_over_rest_and_mcp(
    wanted: list[Wanted], method: str, secret: str
) -> None:
    values: dict[str, JsonValue] = {w.asked: w.value for w in wanted}
    texts = {name: as_text(value) for name, value in values.items()}
    requests = []
    for write in (specified, published):
        call = write(wanted, method, secret)
        assert call.problems == (), call.messages
        requests += [call.tool_request(values), call.rest_request(texts)]
    assert all(request == requests[0] for request in requests)
    assert ("X-Key", secret) in requests[0].headers
