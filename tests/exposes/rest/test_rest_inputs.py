"""How the REST adapter reads a caller's values."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.exposes.rest.inputs import RequestInputs
from naftiko_runtime.failures import CallFailed, FailureKind
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from tests.exposes.rest.listener import Listener, listening
from tests.exposes.rest.plans import BODY, COOKIE, HEADER, QUERY, given, served, texts


def found(listener: Listener, target: str, **headers: str) -> dict[str, Any]:
    answered = listener.get(target, {name.replace("_", "-"): v for name, v in headers.items()})
    assert answered.status == 200, answered.body
    return texts(answered.json()["found"])


def test_a_route_variable_is_found_first_and_comes_as_text() -> None:
    plan = given("account_id", QUERY, variable="account-id")
    with listening(served("GET", "/a/{account-id}/o", plan)) as listener:
        answered = listener.get("/a/U%2F1%20%C3%A4/o?account_id=other")
    assert answered.json()["found"] == {"account_id": {"value": "U/1 ä", "textual": True}}


@pytest.mark.parametrize("value", ["a/b", "..", ".", "a?b#c", "100%", "%2e%2e", "\0", "日本", " "])
def test_an_encoded_value_in_a_path_is_one_value(value: str) -> None:
    with listening(served("GET", "/a/{x}/c", given("x", variable="x"))) as listener:
        assert found(listener, f"/a/{quote(value, safe='')}/c") == {"x": value}


@pytest.mark.parametrize("path", ["/a/%", "/a/%zz", "/a/%2", "/a/%ff", "/a/%c0%af", "/a/%ed%a0%80"])
def test_a_path_that_is_not_encoded_utf8_is_400(path: str) -> None:
    with listening(served("GET", "/a/{x}", given("x", variable="x"))) as listener:
        problem = listener.get(path).problem(400, "invalid-input")
    assert problem["detail"].startswith("the path cannot be read: ")
    assert listener.engine.calls == []


def test_query_names_match_exactly_first_then_without_case_and_separators() -> None:
    with listening(served("GET", "/a", given("accountId", QUERY))) as listener:
        assert found(listener, "/a?accountId=1&account_id=2") == {"accountId": "1"}
        assert found(listener, "/a?ACCOUNT-ID=2") == {"accountId": "2"}
        assert found(listener, "/a?accountIds=2") == {}


def test_an_input_that_has_a_loosely_equal_sibling_matches_exactly_only() -> None:
    plans = (given("from_date", QUERY, exact=True), given("fromDate", QUERY, exact=True))
    with listening(served("GET", "/a", *plans)) as listener:
        assert found(listener, "/a?fromDate=1&from_date=2") == {"fromDate": "1", "from_date": "2"}
        assert found(listener, "/a?from-date=1&_=2&-=3") == {}


def test_an_input_given_under_two_loosely_equal_names_is_400() -> None:
    with listening(served("GET", "/a", given("accountId", QUERY))) as listener:
        problem = listener.get("/a?account_id=1&account-id=2").problem(400, "invalid-input")
    assert problem["field"] == "accountId"
    assert problem["detail"] == (
        'input "accountId" is given as "account_id" and as "account-id" - give it once'
    )


def test_a_repeated_query_key_is_a_list_in_order() -> None:
    with listening(served("GET", "/a", given("x", QUERY), given("y", QUERY))) as listener:
        assert found(listener, "/a?x=1&y=9&x=2&x=") == {"x": ["1", "2", ""], "y": "9"}


def test_query_values_are_decoded_as_clients_encode_them() -> None:
    names = ("page[limit]", "$select", "@id", "empty", "flag")
    with listening(served("GET", "/a", *(given(name, QUERY) for name in names))) as listener:
        query = "page%5Blimit%5D=a+b%2Bc&$select=x;y=z&@id=%C3%A4%26&empty=&flag"
        assert found(listener, f"/a?{query}") == {
            "page[limit]": "a b+c",
            "$select": "x;y=z",
            "@id": "ä&",
            "empty": "",
            "flag": "",
        }


@pytest.mark.parametrize("query", ["x=%", "x=%zz", "x=%ff", "%ff=1"])
def test_a_query_that_is_not_encoded_utf8_is_400(query: str) -> None:
    with listening(served("GET", "/a", given("x", QUERY))) as listener:
        problem = listener.get(f"/a?{query}").problem(400, "invalid-input")
    assert "is not encoded correctly" in problem["detail"]


def test_t7_a_query_of_a_hundred_thousand_parameters_is_400() -> None:
    with listening(served("GET", "/a", given("x", QUERY))) as listener:
        inputs = RequestInputs({}, b"&".join([b"y=1"] * 100_000), (), b"")
        with pytest.raises(CallFailed, match="more than 4096 parameters"):
            inputs.find(given("x", QUERY))
        assert listener.get("/a?" + "&".join(["y=1"] * 4096)).status == 200
        listener.get("/a?" + "&".join(["y=1"] * 4097)).problem(400, "invalid-input")


def test_headers_match_in_any_case_and_several_are_joined() -> None:
    plan = given("X_Request_Id", HEADER)
    with listening(served("GET", "/a", plan)) as listener:
        assert found(listener, "/a", x_request_id="7") == {"X_Request_Id": "7"}
        answer = listener.raw(
            b"GET /a HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: 1\r\nx-request-id: 2\r\n"
            b"Connection: close\r\n\r\n"
        )
    assert b'"value": "1, 2"' in answer


def test_a_header_that_is_not_utf8_is_400_only_where_it_is_wanted() -> None:
    request = (
        b"GET /%b HTTP/1.1\r\nHost: localhost\r\nX-A: \xff\r\nX-B: \xc3\xa4\r\n"
        b"Connection: close\r\n\r\n"
    )
    with listening(
        served("GET", "/a", given("X-A", HEADER)), served("GET", "/b", given("X-B", HEADER))
    ) as listener:
        assert listener.raw(request % b"a").startswith(b"HTTP/1.1 400 ")
        assert b'"value": "\\u00e4"' in listener.raw(request % b"b")


def test_cookies_are_read_as_they_are_and_the_first_of_a_name_counts() -> None:
    plan = given("session", COOKIE)
    with listening(served("GET", "/a", plan)) as listener:
        cookie = 'x=1; session=a%20"b"=; session=other; broken'
        assert found(listener, "/a", cookie=cookie) == {"session": 'a%20"b"='}


def test_the_places_of_an_input_are_searched_in_order() -> None:
    plans = (given("x", QUERY, HEADER), given("y", HEADER, QUERY))
    with listening(served("GET", "/a", *plans)) as listener:
        assert found(listener, "/a?x=q&y=q", x="h", y="h") == {"x": "q", "y": "h"}
        assert found(listener, "/a?y=q", x="h") == {"x": "h", "y": "q"}


def test_body_fields_keep_their_types_and_match_exactly_first() -> None:
    plans = (given("orderPrice", BODY), given("qty", QUERY, BODY), given("none", BODY))
    with listening(served("POST", "/a", *plans, body=True)) as listener:
        answered = listener.post_json("/a", '{"order_price": 1.5, "qty": [1], "none": null}')
        assert answered.json()["found"] == {
            "orderPrice": {"value": 1.5, "textual": False},
            "qty": {"value": [1], "textual": False},
            "none": {"value": None, "textual": False},
        }
        exact = listener.post_json("/a?qty=3", '{"order_price": 1, "orderPrice": 2, "qty": 4}')
        assert exact.json()["found"] == {
            "orderPrice": {"value": 2, "textual": False},
            "qty": {"value": "3", "textual": True},
        }
        listener.post_json("/a", '{"order_price": 1, "ORDERPRICE": 2}').problem(
            400, "invalid-input"
        )


@pytest.mark.parametrize("body", ["[1]", '"x"', "7", "null"])
def test_a_body_that_is_no_object_has_no_fields(body: str) -> None:
    plans = (given("x", BODY), given("body", BODY, whole_body=True))
    with listening(served("POST", "/a", *plans, body=True)) as listener:
        answered = listener.post_json("/a", body).json()
    assert list(answered["found"]) == ["body"]
    assert answered["body"] == body


def test_the_whole_body_and_a_path_into_it_are_inputs() -> None:
    def second_leg(document: JsonValue) -> MaybeJson:
        assert isinstance(document, dict)
        legs = document["legs"]
        assert isinstance(legs, list)
        return legs[1]

    plans = (
        given("order", BODY, whole_body=True),
        given("leg", body_path=second_leg),
        given("constant", whole_body=True),
    )
    with listening(served("POST", "/a", *plans, body=True)) as listener:
        answered = listener.post_json("/a", '{"legs": [1, {"a": 2}]}').json()
    assert texts(answered["found"]) == {"order": {"legs": [1, {"a": 2}]}, "leg": {"a": 2}}


def test_numbers_of_a_body_reach_the_engine_exactly() -> None:
    body = '{"id": 12345678901234567890123, "price": 0.1000000000000000055}'
    with listening(served("POST", "/a", given("id", BODY), body=True)) as listener:
        answered = listener.post_json("/a", body).json()
    assert texts(answered["found"]) == {"id": 12345678901234567890123}
    assert answered["body"] == body


def test_an_empty_body_is_none_at_all() -> None:
    plans = (given("x", BODY), given("body", BODY, whole_body=True))
    with listening(served("POST", "/a", *plans, body=True)) as listener:
        for headers in ({}, {"content-type": "text/plain"}):
            answered = listener.call("POST", "/a", b"", headers).json()
            assert (answered["found"], answered["body"]) == ({}, None)


NAMES = st.text("abAB-_", min_size=1, max_size=4)


@examples(st.dictionaries(NAMES, st.text(max_size=3), max_size=5), NAMES)
def test_a_query_value_is_found_exactly_or_by_its_only_loose_name(
    values: dict[str, str], wanted: str
) -> None:
    query = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in values.items())
    inputs = RequestInputs({}, query.encode(), (), b"")
    alike = [key for key in values if "" != fold_name(key) == fold_name(wanted)]
    plan = given(wanted, QUERY)
    if wanted in values:
        assert inputs.find(plan) == (values[wanted], True)
    elif len(alike) > 1:
        with pytest.raises(CallFailed) as raised:
            inputs.find(plan)
        assert raised.value.failure.kind is FailureKind.INVALID_INPUT
        assert raised.value.failure.field == wanted
    elif alike:
        assert inputs.find(plan) == (values[alike[0]], True)
    else:
        assert inputs.find(plan) == (MISSING, False)


@examples(st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), max_size=8))
def test_every_encoded_query_is_read_back_as_it_was_meant(pairs: list[tuple[str, str]]) -> None:
    from urllib.parse import urlencode

    query = urlencode(pairs).encode()
    inputs = RequestInputs({}, query, (), b"")
    for name, _ in pairs:
        expected = [value for key, value in pairs if key == name]
        value, textual = inputs.find(given(name, QUERY))
        assert value == (expected[0] if len(expected) == 1 else expected)
        assert textual
