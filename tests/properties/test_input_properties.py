"""Names: whatever their spelling they find what is meant, and never a secret."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.exposes.rest.inputs import RequestInputs
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.plan.operation import UpstreamRequest
from tests.loaded_calls import BASE, build, one_call, query
from tests.properties.texts import HOSTILE

some = settings(max_examples=120)

WORDS = st.lists(st.from_regex(r"[a-z][a-z0-9]{0,4}", fullmatch=True), min_size=1, max_size=3)
CASES = st.sampled_from([str.lower, str.upper, str.capitalize])


@st.composite
def spellings(draw: st.DrawFn, count: int = 2) -> list[str]:
    """Some names that differ in case, `-` and `_` only; they may be the same."""
    words = draw(WORDS)
    names = []
    for _ in range(count):
        cased = [draw(CASES)(word) for word in words]
        joined = cased[0]
        for word in cased[1:]:
            joined += draw(st.sampled_from(["", "-", "_"])) + word
        names.append(joined)
    return names


def rest_inputs(
    variables: dict[str, str] | None = None, pairs: list[tuple[str, str]] | None = None
) -> RequestInputs:
    return RequestInputs(variables or {}, urlencode(pairs or []).encode(), [], b"")


@some
@given(spellings(3), HOSTILE)
def test_a_path_variable_is_found_whatever_the_spelling(names: list[str], value: str) -> None:
    consumed, exposed, written = names
    assume("." not in value[:2] and value != "")
    call = one_call(
        path=f"/x/{{{consumed}}}",
        route=f"/r/{{{exposed}}}",
        rest_with={consumed: f"rest.{written}"},
        tool_with={consumed: f"tools.{written}"},
    )
    by_route = build(call.rest, rest_inputs({exposed: value}))
    assert by_route == call.tool_request({written: value})
    assert by_route.url.startswith(f"{BASE}/x/")


@some
@given(spellings(2), st.text("abc", min_size=1), st.text("abc", min_size=1))
def test_the_exact_name_wins_over_one_that_is_alike(
    names: list[str], exact: str, alike: str
) -> None:
    name, other = names
    assume(name != other)
    call = one_call(parameters=[query(name)])
    inputs = rest_inputs(pairs=[(other, alike), (name, exact)])
    assert build(call.rest, inputs).url == f"{BASE}/things?{name}={exact}"


@some
@given(spellings(3))
def test_two_names_that_are_only_alike_are_refused(names: list[str]) -> None:
    name, one, other = names
    assume(len({name, one, other}) == 3)
    call = one_call(parameters=[query(name)])
    with pytest.raises(CallFailed) as raised:
        build(call.rest, rest_inputs(pairs=[(one, "1"), (other, "2")]))
    assert raised.value.failure.kind is FailureKind.INVALID_INPUT


@some
@given(spellings(2), HOSTILE)
def test_parameters_whose_names_are_alike_are_never_mixed_up(names: list[str], value: str) -> None:
    one, other = names
    assume(one != other)
    call = one_call(parameters=[query(one), query(other)])
    assert sorted(plan.name for plan in call.tool.inputs) == sorted(names)
    request = build(call.rest, rest_inputs(pairs=[(one, value)]))
    assert request == call.tool_request({one: value})
    assert f"{other}=" not in request.url.partition("?")[2].split("&")[0].removeprefix(f"{one}=")


VARIABLES = st.from_regex(r"[A-Z][A-Z0-9]{0,5}(_[A-Z0-9]{1,4})?", fullmatch=True)
CANARY = "canary-4be8d1"


@some
@given(VARIABLES, spellings(1), HOSTILE, st.data())
def test_a_caller_never_fills_a_variable(
    variable: str, spelled: list[str], value: str, data: st.DataObject
) -> None:
    form = data.draw(st.sampled_from(["{{%s}}", "{{env.%s}}", "{{vault.%s}}", "{{ %s }}"]))
    text = form % variable
    authentication = data.draw(
        st.sampled_from(
            [
                {"type": "bearer", "token": text},
                {"type": "apikey", "key": "X-Key", "value": text},
                {"type": "basic", "username": text, "password": text},
            ]
        )
    )
    call = one_call(
        authentication=authentication,
        parameters=[query("shown", value=text), query("free", type="string")],
        binds=[{"namespace": "vault", "keys": {variable: "SOURCE"}}],
        variables={"SOURCE": CANARY},
    )
    assert [plan.name for plan in call.tool.inputs] == ["free"]
    names = [variable, variable.lower(), f"env.{variable}", f"vault.{variable}", *spelled]
    values = {name: value for name in names if fold_name(name) != "free"}
    given_values = rest_inputs(dict(values), list(values.items()))
    for request in (
        call.tool_request(dict(values)),
        build(call.rest, given_values),
    ):
        assert request.url == f"{BASE}/things?shown={CANARY}"
        assert request == call.tool_request({})


@some
@given(VARIABLES, st.data())
def test_a_declared_variable_in_credentials_is_no_input_in_any_spelling(
    variable: str, data: st.DataObject
) -> None:
    spelled = data.draw(st.sampled_from([str.lower, str.title, str.upper]))(variable)
    spelled = data.draw(st.sampled_from([spelled, spelled.replace("_", "-")]))
    call = one_call(
        authentication={"type": "bearer", "token": f"{{{{{spelled}}}}}"},
        binds=[{"namespace": "vault", "keys": {variable: variable}}],
        variables={variable: CANARY},
    )
    assert call.tool.inputs == ()
    assert call.tool_request({spelled: "stolen"}).headers == [("Authorization", f"Bearer {CANARY}")]


@some
@given(st.dictionaries(HOSTILE, HOSTILE, max_size=5))
def test_whatever_a_caller_sends_ends_in_a_request_or_in_a_failure_of_his(
    values: dict[str, str],
) -> None:
    call = ANYTHING
    outcome = call.tool_outcome(dict(values))
    if isinstance(outcome, Failure):
        assert outcome.kind is FailureKind.INVALID_INPUT
        return
    assert isinstance(outcome, UpstreamRequest)
    assert outcome.url.startswith(f"{BASE}/x/")


ANYTHING = one_call(
    path="/x/{id}",
    method="POST",
    parameters=[query("limit", type="integer"), query("on", type="boolean")],
    body={"type": "json", "data": {"a": "{{a}}", "b": "{{b.c}}"}},
)
