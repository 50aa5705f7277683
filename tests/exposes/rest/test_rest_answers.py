"""What callers of the REST adapter get back."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.failures import Failure, FailureKind, fail
from tests.exposes.rest.listener import Listener, listening
from tests.exposes.rest.plans import Engine, given, served


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    """Serves `GET /a`; a test says how its call ends."""
    with listening(served("GET", "/a")) as running:
        yield running


@pytest.mark.parametrize("status", [200, 201, 202, 301, 400, 401, 404, 409, 429, 500, 503, 599])
def test_an_upstream_status_passes_through_with_its_body_untouched(
    listener: Listener, status: int
) -> None:
    body = b'{"a": 1.10,\n  "b":123456789012345678901234567890}\n\n'
    listener.engine.answers(Answer(status, "application/json; charset=utf-8", body))
    answered = listener.get("/a")
    assert (answered.status, answered.body) == (status, body)
    assert answered.header("content-type") == "application/json; charset=utf-8"
    assert answered.header("content-length") == str(len(body))


def test_an_answer_without_a_media_type_is_json() -> None:
    engine = Engine()
    engine.answers(Answer(200, None, b"[]"))
    with listening(served("GET", "/a"), engine=engine) as listener:
        assert listener.get("/a").header("content-type") == "application/json"


def test_only_the_headers_of_the_answer_are_sent_and_none_about_the_upstreams_connection() -> None:
    headers = (
        ("location", "/orders/7"),
        ("retry-after", "3"),
        ("content-encoding", "gzip"),
        ("transfer-encoding", "chunked"),
        ("content-length", "999"),
        ("connection", "close"),
    )
    engine = Engine()
    engine.answers(Answer(200, "application/json", b"{}", headers))
    with listening(served("GET", "/a"), engine=engine) as listener:
        answered = listener.get("/a")
    names = {name.lower() for name, _ in answered.headers}
    assert names == {
        "date",
        "content-type",
        "content-length",
        "location",
        "retry-after",
        "cache-control",
    }
    assert answered.body == b"{}"


def test_answers_are_not_to_be_kept_unless_the_upstream_allows_it() -> None:
    engine = Engine()
    with listening(served("GET", "/a"), engine=engine) as listener:
        engine.answers(Answer(200, "application/json", b"{}"))
        assert listener.get("/a").header("cache-control") == "no-store"
        engine.answers(Answer(200, "application/json", b"{}", (("cache-control", "max-age=60"),)))
        assert listener.get("/a").header("cache-control") == "max-age=60"


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_is_sent_without_one(listener: Listener, status: int) -> None:
    listener.engine.answers(Answer(status, "application/json", b"ignored", (("etag", '"x"'),)))
    answer = listener.raw(b"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert rest == b""
    assert b'etag: "x"' in head
    for name in (b"content-length", b"transfer-encoding", b"content-type"):
        assert name not in head.lower()


def test_a_page_of_an_upstream_cannot_act_on_this_origin() -> None:
    engine = Engine()
    engine.answers(Answer(200, "text/html", b"<script>fetch('/orders')</script>"))
    with listening(served("GET", "/a"), engine=engine) as listener:
        answered = listener.get("/a")
    assert answered.header("content-security-policy") == "default-src 'none'; sandbox"
    assert answered.header("x-content-type-options") == "nosniff"


def test_head_is_answered_like_get_without_the_body_on_a_connection_that_stays_usable() -> None:
    request = b"HEAD /a/1 HTTP/1.1\r\nHost: localhost\r\n"
    with listening(served("GET", "/a/{x}", given("x", variable="x"))) as listener:
        length = listener.get("/a/1").header("content-length")
        answer = listener.raw(request + b"\r\n" + request + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.count(f"content-length: {length}\r\n".encode()) == 2
    assert answer.endswith(b"\r\n\r\n")
    assert b"operation" not in answer
    assert listener.engine.calls == ["GET /a/{x}"] * 3


def test_a_declared_head_wins_over_the_one_that_get_implies() -> None:
    with listening(served("GET", "/a"), served("HEAD", "/a")) as listener:
        assert listener.call("HEAD", "/a").status == 200
    assert listener.engine.calls == ["HEAD /a"]


def test_options_lists_what_a_path_answers() -> None:
    with listening(served("GET", "/a/b"), served("POST", "/a/{x}")) as listener:
        answered = listener.call("OPTIONS", "/a/b")
    assert (answered.status, answered.body) == (204, b"")
    assert answered.header("allow") == "GET, HEAD, OPTIONS, POST"
    assert listener.engine.calls == []


def test_a_wrong_method_is_405_with_allow() -> None:
    with listening(served("GET", "/a"), served("DELETE", "/a")) as listener:
        answered = listener.call("PUT", "/a", b"{}")
    problem = answered.problem(405, "method-not-allowed")
    assert answered.header("allow") == "DELETE, GET, HEAD, OPTIONS"
    assert problem["detail"] == '"/a" does not answer PUT - it answers DELETE, GET'


def test_an_unknown_path_is_404_that_names_the_route_meant_and_the_documentation() -> None:
    routes = ("/v1/iserver/account/{accountid}/orders", "/v1/iserver/accounts", "/v1/tickle")
    with listening(*(served("GET", route) for route in routes)) as listener:
        close = listener.get("/iserver/account/U1/Orders").problem(404, "unknown-path")
        far = listener.get("/v1/another/thing").problem(404, "unknown-path")
    assert close["detail"] == (
        'nothing is served at "/iserver/account/U1/Orders"'
        ' - did you mean "/v1/iserver/account/{accountid}/orders"? - "/docs" lists what is'
    )
    assert far["detail"] == ('nothing is served at "/v1/another/thing" - "/docs" lists what is')


def test_an_unknown_path_is_shown_cut_and_inert() -> None:
    with listening(served("GET", "/a")) as listener:
        answered = listener.get("/%3Cscript%3E%0D%0A" + "x" * 5000)
    assert len(answered.problem(404, "unknown-path")["detail"]) < 400
    assert b"\r" not in answered.body


@pytest.mark.parametrize("kind", list(FailureKind))
def test_each_failure_is_a_problem_document_of_its_own_type(
    listener: Listener, kind: FailureKind
) -> None:
    detail = "what was wrong - what to do"
    listener.engine.answers(Failure(kind, detail, field="conids", executed=True))
    answered = listener.get("/a")
    problem = answered.problem(kind.status, kind.slug)
    expected: dict[str, object] = {
        "type": f"urn:naftiko:problem:{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "field": "conids",
    }
    if kind.slug.startswith("upstream-"):
        expected["executed"] = True
    assert problem == expected
    assert answered.header("cache-control") == "no-store"


def test_a_failure_says_when_the_upstream_never_got_the_request() -> None:
    engine = Engine()
    engine.answers(Failure(FailureKind.UPSTREAM_UNREACHABLE, "refused"))
    with listening(served("GET", "/a"), engine=engine) as listener:
        problem = listener.get("/a").problem(502, "upstream-unreachable")
    assert problem["executed"] is False
    assert "field" not in problem


def test_a_failed_step_is_named_with_the_status_of_its_upstream() -> None:
    engine = Engine()
    kind, detail = FailureKind.STEP_FAILED, 'step "get-ship": it answered with status 404'
    engine.answers(Failure(kind, detail, executed=True, step="get-ship", status=404))
    with listening(served("GET", "/a"), engine=engine) as listener:
        problem = listener.get("/a").problem(404, "step-failed")
    assert problem["step"] == "get-ship"
    assert problem["executed"] is True


@pytest.mark.parametrize("executed", [True, False])
def test_any_failure_of_a_step_says_whether_something_was_executed(executed: bool) -> None:
    engine = Engine()
    engine.answers(Failure(FailureKind.UNSET_VARIABLE, "unset", executed=executed, step="pay"))
    with listening(served("GET", "/a"), engine=engine) as listener:
        problem = listener.get("/a").problem(500, "unset-variable")
    assert problem["executed"] is executed


def test_a_failure_that_is_raised_is_answered_like_one_that_is_returned() -> None:
    engine = Engine()
    engine.answers(fail(FailureKind.INVALID_INPUT, '"conids" is required', field="conids"))
    with listening(served("GET", "/a"), engine=engine) as listener:
        assert listener.get("/a").problem(400, "invalid-input")["field"] == "conids"


def test_an_escaped_exception_is_logged_under_an_id_and_shows_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = Engine()
    engine.answers(RuntimeError("token=hunter2 in /etc/secret"))
    with listening(served("GET", "/a"), engine=engine) as listener, caplog.at_level(logging.ERROR):
        answered = listener.get("/a")
        engine.script = None
        assert listener.get("/a").status == 200
    problem = answered.problem(500, "internal-error")
    assert b"hunter2" not in answered.body
    assert b"RuntimeError" not in answered.body
    incident = problem["incident"]
    assert len(incident) == 16
    assert [record.getMessage() for record in caplog.records] == [f"internal error {incident}"]
    assert caplog.records[0].exc_info is not None


def test_a_table_that_is_replaced_serves_the_next_call() -> None:
    with listening(served("GET", "/old")) as listener, listening(served("GET", "/new")) as other:
        listener.application.table = other.application.table
        assert listener.get("/new").status == 200
        assert "/new" in listener.get("/openapi.json").json()["paths"]
        assert listener.get("/old").status == 404
