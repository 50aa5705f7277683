"""What names mean: the specification's spellings and those of published files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.document.dialects import (
    CALLER_NAMESPACES,
    NameScope,
    Position,
    fold_name,
    is_mapping,
    method_of,
    read_body_type,
    read_injected,
    read_mapping,
    read_reference,
    read_value,
)
from naftiko_runtime.document.model import (
    BindReference,
    InputReference,
    Literal,
    Reference,
    StepReference,
    Template,
    TemplatedArray,
    TemplatedObject,
)
from naftiko_runtime.json_values import JsonValue

SCOPE = NameScope(
    variables=frozenset({"API_TOKEN", "both"}),
    variable_namespaces={"vault": frozenset({"API_TOKEN", "both"})},
    callers=CALLER_NAMESPACES | {"web-orders-rest"},
    steps=frozenset({"first-step"}),
)


def meaning(name: str, position: Position = Position.CALL) -> Reference:
    return read_reference(name, SCOPE.at(position))


def caller(name: str, *rest: str, text: str) -> InputReference:
    return InputReference(name, rest, text)


@pytest.mark.parametrize(
    "text",
    [
        "accountId",
        "rest.accountId",
        "tools.accountId",
        "web-orders-rest.accountId",
        "$this.web-orders-rest.accountId",
    ],
)
def test_every_spelling_of_the_callers_input_means_the_same(text: str) -> None:
    assert meaning(text) == caller("accountId", text=text)


def test_the_namespace_of_another_adapter_is_no_prefix() -> None:
    assert meaning("other-rest.accountId") == caller(
        "other-rest", "accountId", text="other-rest.accountId"
    )


def test_dots_lead_into_the_callers_value() -> None:
    assert meaning("order.legs.0.price") == caller(
        "order", "legs", "0", "price", text="order.legs.0.price"
    )


def test_an_input_behind_a_prefix_may_have_dots_in_its_name() -> None:
    assert meaning("tools.filter.name") == caller("filter.name", text="tools.filter.name")


@pytest.mark.parametrize("text", ["API_TOKEN", "vault.API_TOKEN", "env.API_TOKEN", "env.OTHER"])
@pytest.mark.parametrize("position", list(Position))
def test_every_spelling_of_a_variable_means_a_variable_everywhere(
    text: str, position: Position
) -> None:
    variable = {"vault.API_TOKEN": "vault.API_TOKEN", "env.OTHER": "OTHER"}.get(text, "API_TOKEN")
    assert meaning(text, position) == BindReference(variable, text)


def test_a_declared_variable_wins_over_the_callers_input_of_its_name() -> None:
    assert meaning("both") == BindReference("both", "both")


def test_an_undeclared_name_in_capitals_is_a_variable_in_credentials_only() -> None:
    assert meaning("GITHUB_TOKEN", Position.CREDENTIAL) == BindReference(
        "GITHUB_TOKEN", "GITHUB_TOKEN"
    )
    assert meaning("GITHUB_TOKEN") == caller("GITHUB_TOKEN", text="GITHUB_TOKEN")


@pytest.mark.parametrize("position", [Position.CREDENTIAL, Position.ORIGIN])
@pytest.mark.parametrize("text", ["api-token", "apiToken", "vault.api_token", "Vault.API-TOKEN"])
def test_a_declared_variable_in_another_spelling_is_never_asked_of_a_caller_as_a_secret(
    text: str, position: Position
) -> None:
    found = meaning(text, position)
    assert isinstance(found, BindReference)
    assert found.variable in ("API_TOKEN", "vault.API_TOKEN")


@pytest.mark.parametrize(
    "text", ["host", "rest.host", "tools.host", "web-orders-rest.host", "HOST"]
)
def test_a7_nothing_in_an_origin_is_the_callers(text: str) -> None:
    assert isinstance(meaning(text, Position.ORIGIN), BindReference)


def test_an_earlier_steps_output_is_reached_by_its_name_and_a_later_ones_is_not() -> None:
    assert meaning("first-step.id") == StepReference("first-step", ("id",), "first-step.id")
    assert meaning("second-step.id") == caller("second-step", "id", text="second-step.id")


@pytest.mark.parametrize(
    "text", ["rest.accountId", "tools.accountId", "web-orders-rest.accountId", " rest.accountId "]
)
def test_with_takes_a_bare_prefixed_name_as_a_reference(text: str) -> None:
    value = read_injected(text, SCOPE)
    assert isinstance(value, Template)
    assert value.whole == caller("accountId", text=text.strip())


@pytest.mark.parametrize("text", ["accountId", "other.accountId", "rest.", "rest", "a rest.b", ""])
def test_with_takes_any_other_text_as_text(text: str) -> None:
    assert read_injected(text, SCOPE) == Literal(text)


@pytest.mark.parametrize("value", [1, 1.5, True, None])
def test_with_takes_other_json_as_it_is(value: int | float | bool | None) -> None:
    assert read_injected(value, SCOPE) == Literal(value)


def test_placeholders_are_found_at_any_depth_of_a_value() -> None:
    value = read_value({"a": [1, "{{x}}"], "b": "c"}, SCOPE)
    assert isinstance(value, TemplatedObject)
    (_, inner), (_, constant) = value.members
    assert isinstance(inner, TemplatedArray)
    assert inner.items == (Literal(1), Template((caller("x", text="x"),), "{{x}}"))
    assert constant == Literal("c")


def test_a_value_without_placeholders_is_one_literal() -> None:
    given_value: JsonValue = {"a": [1, {"b": "c"}], "d": []}
    assert read_value(given_value, SCOPE) == Literal(given_value)


@pytest.mark.parametrize(("text", "path"), [("$.", "$"), ("$", "$"), (" $. ", "$"), ("$.a", "$.a")])
def test_the_whole_document_has_two_spellings(text: str, path: str) -> None:
    assert read_mapping(text) == path


@pytest.mark.parametrize("text", ["$", "$.", "$.a", "$[0]", "$..a", "$['a b']", " $.a", "$orders"])
def test_a_value_that_is_a_path_is_a_mapping(text: str) -> None:
    assert is_mapping(text)


@pytest.mark.parametrize("value", ["$9.99", "$ 5", "US$", "", 5, None, True, ["$.a"]])
def test_a_value_that_only_starts_with_a_dollar_is_text(value: JsonValue) -> None:
    assert not is_mapping(value)


@pytest.mark.parametrize(
    ("written", "read"),
    [("form", "formUrlEncoded"), ("multipart", "multipartForm"), ("json", "json")],
)
def test_published_names_of_body_types_are_known(written: str, read: str) -> None:
    assert read_body_type(written) == read


@pytest.mark.parametrize(("given_method", "method"), [("post", "POST"), (None, "GET"), ("", "GET")])
def test_a_method_is_in_capitals_and_get_where_none_is_given(
    given_method: str | None, method: str
) -> None:
    assert method_of(given_method) == method


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("accountId", "accountid"),
        ("account-id", "account_id"),
        ("ACCOUNT_ID", "accountId"),
        ("a--b__c", "ABC"),
    ],
)
def test_names_that_differ_in_case_dash_and_underscore_fold_alike(one: str, other: str) -> None:
    assert fold_name(one) == fold_name(other)


@pytest.mark.parametrize(
    ("one", "other"), [("accountId", "accountIds"), ("a.b", "ab"), ("page[limit]", "pagelimit")]
)
def test_other_names_do_not_fold_alike(one: str, other: str) -> None:
    assert fold_name(one) != fold_name(other)


@given(st.text())
def test_folding_twice_changes_nothing_more(name: str) -> None:
    assert fold_name(fold_name(name)) == fold_name(name)
