"""Resources that forward: what goes upstream, what comes back, and what never passes."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from naftiko_runtime.problems import Severity
from tests.exposes.rest.forwarding_files import forwarding, operation
from tests.recording_upstream import RecordedRequest, RecordingUpstream, Reply, reply_json
from tests.served_files import Answered, served


def one(
    upstream: RecordingUpstream,
    target: str = "/proxy/x",
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    base: str = "/base",
    **file: Any,
) -> RecordedRequest:
    """The request that reaches the upstream when a caller sends this one."""
    upstream.answers(reply_json({}))
    with served(forwarding(upstream.url + base, **file)) as files:
        assert files.errors == []
        answered = files.call(method, target, body, headers)
        assert answered.status == 200, answered.body
    (request,) = upstream.requests
    return request


def refused(upstream: RecordingUpstream, target: str, **file: Any) -> Answered:
    with served(forwarding(f"{upstream.url}/base", **file)) as files:
        answered = files.get(target)
    assert upstream.requests == []
    assert answered.header("content-type") == "application/problem+json"
    return answered


# --- where it goes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "target", "expected"),
    [
        ("/proxy/{path}", "/proxy/a/b", "/base/a/b"),
        ("/proxy/{{path}}", "/proxy/a/b/", "/base/a/b/"),
        ("/proxy", "/proxy/a/b", "/base/a/b"),
        ("/proxy/", "/proxy/a", "/base/a"),
        ("/proxy/{path}", "/proxy", "/base"),
        ("/proxy/{path}", "/proxy/", "/base/"),
        ("/proxy/{path}", "/proxy//a//b", "/base//a//b"),
        ("/proxy/{path}", "/proxy/a%2Fb/%C3%A9%E9;v=1/~x'(y)", "/base/a%2Fb/%C3%A9%E9;v=1/~x'(y)"),
        (
            "/proxy/{path}",
            "/proxy/a?q=a+b&%20=%2f&empty&x=1&x=2",
            "/base/a?q=a+b&%20=%2f&empty&x=1&x=2",
        ),
        ("/proxy/{path}", "/proxy?q=1", "/base?q=1"),
        ("/proxy/{path}", "/proxy/a?", "/base/a"),
        ("/a/{x}/b/{path}", "/a/1%2F2/b/c", "/base/c"),
        ("/{path}", "/anything/at/all", "/base/anything/at/all"),
        ("/", "/anything", "/base/anything"),
    ],
)
def test_the_rest_of_the_path_and_the_query_go_to_the_base_as_they_came(
    upstream: RecordingUpstream, path: str, target: str, expected: str
) -> None:
    assert one(upstream, target, path=path).target == expected


@pytest.mark.parametrize(
    ("base", "target", "expected"),
    [
        ("", "/proxy", "/"),
        ("", "/proxy/a", "/a"),
        ("/", "/proxy/a", "/a"),
        ("/v1/", "/proxy/a", "/v1/a"),
        ("/v%201", "/proxy/a", "/v%201/a"),
    ],
)
def test_base_and_path_join_with_one_slash(
    upstream: RecordingUpstream, base: str, target: str, expected: str
) -> None:
    assert one(upstream, target, base=base).target == expected


def test_variables_of_the_path_can_be_part_of_the_base(upstream: RecordingUpstream) -> None:
    request = one(upstream, "/t/a%2Fb/x", base="/tenants/{{tenant}}", path="/t/{tenant}/{path}")
    assert request.target == "/tenants/a%2Fb/x"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
def test_any_method_goes_on_with_its_body(upstream: RecordingUpstream, method: str) -> None:
    headers = {"content-type": "text/x-thing", "content-language": "no"}
    request = one(upstream, "/proxy/x", method, b"\x00any bytes\xff", headers)
    assert (request.method, request.body) == (method, b"\x00any bytes\xff")
    assert request.header("content-type") == "text/x-thing"
    assert request.header("content-language") == "no"
    assert request.all("content-length") == ["11"]


def test_a_compressed_body_stays_compressed(upstream: RecordingUpstream) -> None:
    body = gzip.compress(b"x" * 1000)
    request = one(upstream, "/proxy/x", "POST", body, {"content-encoding": "gzip"})
    assert (request.body, request.header("content-encoding")) == (body, "gzip")


def test_a_body_of_no_stated_length_is_sent_in_chunks(upstream: RecordingUpstream) -> None:
    with served(forwarding(upstream.url)) as files:
        files.call("POST", "/proxy/x", iter([b"one ", b"two"]))
    (request,) = upstream.requests
    assert request.body == b"one two"
    assert request.header("transfer-encoding") == "chunked"
    assert request.header("content-length") is None


def test_head_is_passed_on_as_head(upstream: RecordingUpstream) -> None:
    with served(forwarding(upstream.url)) as files:
        answered = files.call("HEAD", "/proxy/x")
    assert (answered.status, answered.body) == (200, b"")
    assert int(answered.header("content-length") or 0) > 0
    assert upstream.requests[0].method == "HEAD"


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
def test_methods_about_connections_are_not_passed_on(
    upstream: RecordingUpstream, method: str
) -> None:
    with served(forwarding(upstream.url)) as files:
        assert files.call(method, "/proxy/x").status in (400, 405)
    assert upstream.requests == []


@pytest.mark.parametrize(
    "rest",
    [
        "..",
        "../admin",
        "a/../../admin",
        "%2e%2e/admin",
        "%2E%2E%2Fadmin",
        "a/..%2fadmin",
        "a%2f..%2f..%2fadmin",
        "..%5cadmin",
        "..\\admin",
        "a/..;x=1/admin",
        "%252e%252e/admin",
        "%25252e%25252e%25252fadmin",
        ".",
        "./a",
        "a/%2e",
        "..%00/admin",
        "a%0d%0aHost:%20evil",
        ".%09./a",
    ],
)
def test_a_path_that_could_leave_the_base_is_refused(
    upstream: RecordingUpstream, rest: str
) -> None:
    assert refused(upstream, f"/proxy/{rest}").status == 400


def test_names_with_dots_in_them_are_no_way_out(upstream: RecordingUpstream) -> None:
    assert one(upstream, "/proxy/a..b/...c/..d;.").target == "/base/a..b/...c/..d;."


# --- headers ------------------------------------------------------------------------------

SENT = {
    "X-Correlation-Id": "c-1",
    "x-other": "o",
    "Authorization": "Bearer callers",
    "Cookie": "session=callers",
    "Accept": "text/csv",
    "Accept-Encoding": "gzip",
    "User-Agent": "callers/1",
    "X-Forwarded-For": "10.0.0.1",
    "If-None-Match": '"e"',
    "Connection": "close, X-Other",
    "TE": "trailers",
}


def passed(request: RecordedRequest) -> dict[str, str]:
    """What the upstream got, but for the headers that every request has."""
    ours = {"host", "user-agent", "accept", "accept-encoding", "content-length"}
    return {name.lower(): value for name, value in request.headers if name.lower() not in ours}


def test_no_header_is_passed_on_unless_it_is_trusted(upstream: RecordingUpstream) -> None:
    request = one(upstream, headers=SENT)
    assert passed(request) == {}
    assert request.header("accept") == "*/*"
    assert request.header("accept-encoding") == "identity"
    assert (request.header("user-agent") or "").startswith("naftiko-runtime/")
    assert request.header("host") == upstream.url.removeprefix("http://")


@pytest.mark.parametrize(
    ("trusted", "expected"),
    [
        (["X-Correlation-Id"], {"x-correlation-id": "c-1"}),
        (["x-correlation-ID", "X-Other"], {"x-correlation-id": "c-1", "x-other": "o"}),
        (["Authorization"], {"authorization": "Bearer callers"}),
        (["Cookie"], {"cookie": "session=callers"}),
        (["If-None-Match", "X-Absent"], {"if-none-match": '"e"'}),
    ],
)
def test_trusted_headers_are_passed_on(
    upstream: RecordingUpstream, trusted: Sequence[str], expected: dict[str, str]
) -> None:
    assert passed(one(upstream, headers=SENT, trusted=trusted)) == expected


def test_trusted_headers_replace_those_that_would_be_ours(upstream: RecordingUpstream) -> None:
    trusted = ["Accept", "Accept-Encoding", "User-Agent"]
    request = one(upstream, headers=SENT, trusted=trusted)
    assert request.all("accept") == ["text/csv"]
    assert request.all("accept-encoding") == ["gzip"]
    assert request.all("user-agent") == ["callers/1"]


def test_a_repeated_header_stays_repeated(upstream: RecordingUpstream) -> None:
    head = (
        b"GET /proxy/x HTTP/1.1\r\nHost: localhost\r\nX-A: 1\r\nx-a: 2\r\n"
        b"X-B: \xe9\r\nConnection: close\r\n\r\n"
    )
    with served(forwarding(upstream.url, trusted=["X-A", "X-B"])) as files:
        assert files.raw(head).startswith(b"HTTP/1.1 200 ")
    assert upstream.requests[0].all("x-a") == ["1", "2"]
    assert upstream.requests[0].all("x-b") == ["\xe9"]


@pytest.mark.parametrize(
    "name", ["Host", "Connection", "Transfer-Encoding", "Content-Length", "TE"]
)
def test_a_header_about_the_connection_is_never_passed_on(
    upstream: RecordingUpstream, name: str
) -> None:
    text = forwarding(upstream.url, trusted=[name, "X-Other"])
    with served(text) as files:
        (problem,) = files.problems
        files.get("/proxy/x", {**SENT, "TE": "gzip"})
    assert problem.severity is Severity.WARNING
    assert problem.message == f'"{name.lower()}" is about one connection, so it is never passed on'
    assert passed(upstream.requests[0]) == {"x-other": "o"}


# --- what the target adds -----------------------------------------------------------------


def test_parameters_of_the_target_are_added_and_win(upstream: RecordingUpstream) -> None:
    request = one(
        upstream,
        "/proxy/x?a=1&version=evil&VERSION=evil&b=%2f&versio%6E=evil",
        headers={"X-Version": "evil", "Cookie": "a=evil"},
        trusted=["X-Version", "Cookie"],
        parameters=[
            {"name": "X-Version", "in": "header", "value": "7"},
            {"name": "version", "in": "query", "value": "7 8"},
            {"name": "a", "in": "cookie", "value": "1"},
            {"name": "X-Caller", "in": "header"},
            {"name": "callers", "in": "query"},
        ],
    )
    assert request.target == "/base/x?a=1&b=%2f&version=7%208"
    assert request.all("x-version") == ["7"]
    assert request.all("cookie") == ["a=1"]
    assert request.header("x-caller") is None


@pytest.mark.parametrize(
    ("authentication", "header", "query"),
    [
        ({"type": "bearer", "token": "t-0"}, ("authorization", "Bearer t-0"), ""),
        ({"type": "basic", "username": "u", "password": "p"}, ("authorization", "Basic dTpw"), ""),
        (
            {"type": "apikey", "key": "X-Key", "value": "k-0", "placement": "header"},
            ("x-key", "k-0"),
            "",
        ),
        (
            {"type": "apikey", "key": "key", "value": "k-0", "placement": "query"},
            None,
            "?key=k-0",
        ),
    ],
)
def test_credentials_of_the_target_win_over_the_callers(
    upstream: RecordingUpstream,
    authentication: dict[str, str],
    header: tuple[str, str] | None,
    query: str,
) -> None:
    target = "/proxy/x?key=evil&Key=evil" if query else "/proxy/x"
    headers = {"Authorization": "Bearer evil", "X-Key": "evil"}
    trusted = [] if header is None else [header[0]]
    request = one(upstream, target, headers=headers, trusted=trusted, authentication=authentication)
    assert passed(request) == ({} if header is None else dict([header]))
    assert request.target == f"/base/x{query}"


def test_a_credential_that_is_set_to_nothing_leaves_room_for_a_trusted_one(
    upstream: RecordingUpstream,
) -> None:
    text = forwarding(
        upstream.url,
        trusted=["Authorization"],
        authentication={"type": "bearer", "token": "{{TOKEN}}"},
        binds=[{"namespace": "env", "keys": {"TOKEN": "TOKEN"}}],
    )
    with served(text, variables={"TOKEN": ""}) as files:
        files.get("/proxy/x", {"Authorization": "Bearer callers"})
    assert upstream.requests[0].all("authorization") == ["Bearer callers"]


def test_a_credential_without_a_value_is_a_failure_and_nothing_is_sent(
    upstream: RecordingUpstream,
) -> None:
    text = forwarding(
        upstream.url,
        authentication={"type": "bearer", "token": "{{TOKEN}}"},
        binds=[{"namespace": "env", "keys": {"TOKEN": "TOKEN"}}],
    )
    with served(text) as files:
        answered = files.get("/proxy/x")
    assert (answered.status, answered.json()["field"]) == (500, "TOKEN")
    assert upstream.requests == []


def test_a_digest_login_is_proved_ahead_of_the_body(upstream: RecordingUpstream) -> None:
    challenge = 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'

    def answer(request: RecordedRequest) -> Reply:
        if request.header("authorization") is None:
            return Reply(401, (("www-authenticate", challenge),))
        return reply_json({})

    upstream.answers(answer)
    login = {"type": "digest", "username": "u", "password": "p"}
    with served(forwarding(upstream.url, authentication=login)) as files:
        assert files.call("POST", "/proxy/x", b"body").status == 200
        assert files.call("POST", "/proxy/x", b"more").status == 200
    sent = [(request.method, request.body) for request in upstream.requests]
    assert sent == [("HEAD", b""), ("POST", b"body"), ("POST", b"more")]


# --- what comes back ----------------------------------------------------------------------


def answered(upstream: RecordingUpstream, reply: Reply, **file: Any) -> Answered:
    upstream.answers(reply)
    with served(forwarding(upstream.url, **file)) as files:
        return files.get("/proxy/x")


@pytest.mark.parametrize("status", [200, 201, 204, 301, 304, 400, 401, 404, 409, 429, 500, 503])
def test_status_body_and_headers_that_matter_come_back(
    upstream: RecordingUpstream, status: int
) -> None:
    body = b"" if status in (204, 304) else b'{"a": 1.10}\n'
    headers = (
        ("content-type", "application/json; charset=utf-8"),
        ("location", "/base/y"),
        ("retry-after", "3"),
        ("etag", '"e"'),
        ("cache-control", "max-age=5"),
        ("www-authenticate", 'Bearer realm="up"'),
        ("server", "up/1"),
        ("x-internal", "i"),
        ("set-cookie", "session=1"),
        ("connection", "x-internal"),
        ("access-control-allow-origin", "*"),
    )
    back = answered(upstream, Reply(status, headers, body))
    assert (back.status, back.body) == (status, body)
    assert back.header("content-type") == "application/json; charset=utf-8"
    assert back.header("location") == "/base/y"
    assert back.header("retry-after") == "3"
    assert back.header("etag") == '"e"'
    assert back.header("cache-control") == "max-age=5"
    assert back.header("www-authenticate") == 'Bearer realm="up"'
    names = {name for name, _ in back.headers}
    assert not names & {"server", "x-internal", "set-cookie", "access-control-allow-origin"}


def test_what_an_upstream_does_not_allow_to_be_kept_is_not_kept(
    upstream: RecordingUpstream,
) -> None:
    assert answered(upstream, reply_json({})).header("cache-control") == "no-store"


def test_a_page_of_the_upstream_cannot_act_on_this_origin(upstream: RecordingUpstream) -> None:
    back = answered(upstream, Reply(200, (("content-type", "text/html"),), b"<script></script>"))
    assert back.header("x-content-type-options") == "nosniff"
    assert back.header("content-security-policy") == "default-src 'none'; sandbox"


def test_cookies_are_set_where_cookies_are_passed_on(upstream: RecordingUpstream) -> None:
    headers = (("set-cookie", "a=1"), ("set-cookie", "b=2"))
    back = answered(upstream, Reply(200, headers), trusted=["Cookie"])
    assert [value for name, value in back.headers if name == "set-cookie"] == ["a=1", "b=2"]


def test_a_compressed_answer_comes_back_as_it_is(upstream: RecordingUpstream) -> None:
    body = gzip.compress(b"x" * 1000)
    headers = (("content-encoding", "gzip"), ("content-type", "text/plain"))
    back = answered(upstream, Reply(200, headers, body))
    assert (back.header("content-encoding"), back.body) == ("gzip", body)


def test_a_credential_echoed_in_a_header_is_hidden(upstream: RecordingUpstream) -> None:
    headers = (("location", "/x?key=token-0123456789"),)
    login = {"type": "bearer", "token": "token-0123456789"}
    back = answered(upstream, Reply(302, headers), authentication=login)
    assert back.header("location") == "/x?key=***"


def test_r7_a_credential_echoed_in_a_body_is_hidden(upstream: RecordingUpstream) -> None:
    login = {"type": "bearer", "token": "token-0123456789"}
    body = b'{"seen": "Bearer token-0123456789"}'
    back = answered(upstream, Reply(200, (), body), authentication=login)
    assert back.body == b'{"seen": "Bearer ' + b"*" * 16 + b'"}'
    assert back.header("content-length") == str(len(body))


def test_r7_a_credential_echoed_in_pieces_of_a_body_is_hidden(upstream: RecordingUpstream) -> None:
    login = {"type": "bearer", "token": "token-0123456789"}
    pieces = [b"Bearer token-", b"01234567", b"89."]
    back = answered(upstream, Reply(200, (), chunks=pieces), authentication=login)
    assert back.body == b"Bearer " + b"*" * 16 + b"."


def test_r7_an_access_token_echoed_in_a_body_is_hidden(upstream: RecordingUpstream) -> None:
    token = "issued-0123456789"

    def answer(request: RecordedRequest) -> Reply:
        if request.path == "/token":
            return reply_json({"access_token": token, "token_type": "Bearer", "expires_in": 60})
        return Reply(
            200, (("x-request-id", token),), (request.header("authorization") or "").encode()
        )

    upstream.answers(answer)
    login = {
        "type": "oauth2",
        "authorizationServerUri": upstream.url,
        "tokenEndpoint": f"{upstream.url}/token",
        "resource": "https://api.example.com",
        "clientId": "client",
        "clientSecret": "client-secret",
    }
    with served(forwarding(upstream.url, authentication=login)) as files:
        back = files.get("/proxy/x")
    assert files.errors == []
    assert back.body == b"Bearer " + b"*" * len(token)
    assert back.header("x-request-id") == "***"


def test_an_upstream_that_is_not_there_is_a_problem(upstream: RecordingUpstream) -> None:
    with served(forwarding("http://127.0.0.1:9/base")) as files:
        answered = files.call("POST", "/proxy/x", b"body")
    assert answered.status == 502
    assert answered.json()["type"] == "urn:naftiko:problem:upstream-unreachable"
    assert answered.json()["executed"] is False


# --- beside operations --------------------------------------------------------------------


def test_operations_come_first_and_the_rest_is_forwarded(upstream: RecordingUpstream) -> None:
    resources = [operation("/ping"), operation("/deep/{x}/ping")]
    with served(forwarding(upstream.url, path="/{path}", resources=resources)) as files:
        assert files.errors == []
        for method, target in (
            ("GET", "/ping"),
            ("HEAD", "/ping"),
            ("POST", "/ping"),
            ("GET", "/deep/1/ping"),
            ("GET", "/deep/1/pong"),
        ):
            assert files.call(method, target).status == 200
        assert b"openapi" in files.get("/openapi.json").body
        assert b"<html" in files.get("/docs").body
    assert [f"{request.method} {request.target}" for request in upstream.requests] == [
        "GET /ping",
        "GET /ping",
        "POST /ping",
        "GET /ping",
        "GET /deep/1/pong",
    ]


def test_of_two_forwards_the_longer_path_counts(upstream: RecordingUpstream) -> None:
    nested = {"path": "/a/b/{path}", "forward": {"targetNamespace": "up"}}
    text = forwarding(f"{upstream.url}/base", path="/a/{path}", resources=[nested])
    with served(text) as files:
        for target in ("/a/b/c", "/a/c", "/a/bc", "/a/b"):
            files.get(target)
        assert files.get("/ab").status == 404
        assert files.get("/").status == 404
    assert [r.target for r in upstream.requests] == ["/base/c", "/base/c", "/base/bc", "/base"]


def test_a_path_that_nothing_has_is_still_unknown(upstream: RecordingUpstream) -> None:
    assert refused(upstream, "/other").status == 404
    assert refused(upstream, "/proxyx").status == 404


def test_callers_have_to_pass_and_their_credentials_stay_here(upstream: RecordingUpstream) -> None:
    asked = {"type": "apikey", "key": "key", "value": "k-1", "placement": "query"}
    text = forwarding(upstream.url, asked=asked, trusted=["Authorization"])
    with served(text) as files:
        for target in ("/proxy/x", "/proxy/x?key=wrong"):
            assert files.get(target).status == 401
        assert upstream.requests == []
        headers = {"authorization": "Bearer callers"}
        assert files.get("/proxy/x?key=k-1&a=1", headers).status == 200
    assert upstream.requests[0].target == "/x?a=1"
    assert upstream.requests[0].all("authorization") == ["Bearer callers"]


def test_a_bearer_token_for_the_adapter_is_not_passed_on(upstream: RecordingUpstream) -> None:
    asked = {"type": "bearer", "token": "t-1"}
    with served(forwarding(upstream.url, asked=asked, trusted=["Authorization"])) as files:
        assert files.get("/proxy/x").status == 401
        assert files.get("/proxy/x", {"authorization": "Bearer t-1"}).status == 200
    assert upstream.requests[0].header("authorization") is None


# --- loading ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ({"target": "nobody"}, '"nobody" names no namespace'),
        ({"trusted": ["X Y"]}, 'nothing can be forwarded: "X Y" is no name of a header'),
        (
            {"parameters": [{"name": "X-A", "in": "header", "value": "{{who}}"}]},
            'nothing can be forwarded: its upstream needs "who", which no variable of its path '
            "gives",
        ),
        ({"path": "/a{b/{path}"}, 'route "/a{b" has a brace that belongs to no variable'),
    ],
)
def test_what_cannot_be_forwarded_is_refused_at_load(file: dict[str, Any], message: str) -> None:
    with served(forwarding("http://127.0.0.1:9", **file), "") as files:
        assert message in [problem.message for problem in files.problems]


def test_two_forwards_of_one_path_are_reported(upstream: RecordingUpstream) -> None:
    other = {"path": "/proxy", "forward": {"targetNamespace": "up"}}
    with served(forwarding(upstream.url, resources=[other])) as files:
        (problem,) = files.problems
    assert problem.rule == "route-taken"
    assert problem.message.startswith('"/proxy" is already forwarded at ')
