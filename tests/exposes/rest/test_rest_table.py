"""How the adapters of several files are merged into the table of one port."""

from __future__ import annotations

from naftiko_runtime.exposes.rest.table import build_rest_table
from naftiko_runtime.problems import Consequence, Place, Severity
from tests.exposes.rest.listener import listening
from tests.exposes.rest.plans import adapter, labelled, served


def test_the_first_file_keeps_a_method_and_path_and_the_warning_names_both_places() -> None:
    first = served("GET", "/v1/{account-id}/orders", name="first", place=Place("a.yaml", 12, 9))
    second = served("GET", "/v1/{accountId}/orders", name="second", place=Place("b.yaml", 5, 3))
    other = served("POST", "/v1/{accountId}/orders", name="other")
    table, problems = build_rest_table(labelled(adapter(first), adapter(second, other)))
    assert [operation.plan.name for operation in table.operations] == ["first", "other"]
    found = table.routes.find("GET", b"/v1/7/orders")
    assert found is not None
    assert (found[0], found[1]) == (table.operations[0], {"account-id": "7"})
    (problem,) = problems
    assert problem.rule == "route-taken"
    assert problem.place == Place("b.yaml", 5, 3)
    assert problem.severity is Severity.WARNING
    assert problem.consequence is Consequence.PART
    assert str(problem) == (
        'b.yaml:5:3: "GET /v1/{accountId}/orders" of operation "second" is already served'
        ' by operation "first" at a.yaml:12:9'
        " - change the path or the method of one of them"
    )


def test_an_operation_listed_twice_is_served_once() -> None:
    plan = served("GET", "/a")
    table, problems = build_rest_table(labelled(adapter(plan), adapter(plan)))
    assert len(table.operations) == 1
    assert [problem.rule for problem in problems] == ["route-taken"]


def test_a_route_that_cannot_be_read_leaves_out_its_operation_only() -> None:
    broken = served("GET", "/a/{x", place=Place("a.yaml", 3, 1))
    table, problems = build_rest_table(labelled(adapter(broken, served("GET", "/b"))))
    assert [operation.plan.route for operation in table.operations] == ["/b"]
    (problem,) = problems
    assert (problem.rule, problem.consequence) == ("route-invalid", Consequence.PART)
    assert str(problem) == (
        'a.yaml:3:1: route "/a/{x" has a brace that belongs to no variable - write {name}'
    )


def test_a_capabilitys_own_docs_and_openapi_win_over_the_runtimes() -> None:
    own = (served("GET", "/docs", name="mine"), served("GET", "/openapi.json", name="also mine"))
    table, problems = build_rest_table(labelled(adapter(*own)))
    assert problems == []
    assert len(table.operations) == 2
    with listening(*own) as listener:
        assert listener.get("/docs").json()["operation"] == "mine"
        assert listener.get("/openapi.json").json()["operation"] == "also mine"


def test_other_methods_and_variables_leave_the_runtimes_pages_in_place() -> None:
    with listening(served("POST", "/docs"), served("GET", "/{page}")) as listener:
        assert listener.get("/docs").header("content-type") == "text/html; charset=utf-8"
        assert listener.get("/openapi.json").json()["openapi"] == "3.1.0"
        assert listener.post_json("/docs", "{}").json()["operation"] == "POST /docs"
        assert listener.get("/other").json()["operation"] == "GET /{page}"


def test_ten_thousand_routes_are_all_found() -> None:
    plans = [served("GET", f"/v{n % 10}/r{n}/{{id}}/s{n % 7}") for n in range(10_000)]
    table, problems = build_rest_table(labelled(adapter(*plans)))
    assert problems == []
    for n in (0, 4_999, 9_999):
        found = table.routes.find("GET", f"/v{n % 10}/r{n}/x/s{n % 7}".encode())
        assert found is not None
        assert found[0] is table.operations[n]
