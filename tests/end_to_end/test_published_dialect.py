"""Files as their authors publish them, served by the real command to REST and to MCP clients."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from mcp import Client

from tests.recording_upstream import RecordedRequest, RecordingUpstream
from tests.serving_process import Serving, serve

ERAS = pytest.mark.parametrize("era", ["legacy", "2026-07-28"])

ORDERS = """
naftiko: 1.0.0-alpha2
info: {label: Orders, description: Orders of an account.}
capability:
  consumes:
    - type: http
      namespace: web-orders
      baseUri: UPSTREAM/v1/api
      resources:
        - name: account-orders
          path: /iserver/account/{accountId}/orders
          operations:
            - name: placeorder
              method: POST
              inputParameters:
                - {name: accountId, in: path, type: string, required: true}
                - {name: body, in: body, type: object, required: true}
            - {name: listorders, method: GET}
        - name: snapshot
          path: /iserver/marketdata/snapshot
          operations:
            - name: snapshot
              method: GET
              inputParameters:
                - {name: conids, in: query, type: string, required: true}
                - {name: fields, in: query, type: string}
        - name: search
          path: /iserver/secdef/search
          operations:
            - {name: search, method: POST}
            - {name: change, method: PATCH}
        - name: logout
          path: /logout
          operations: [{name: logout, method: POST}]
        - name: query
          path: /query
          operations:
            - name: query
              method: GET
              inputParameters:
                - {name: ids, in: query, type: array}
                - {name: active, in: query, type: boolean}
                - {name: $select, in: query, type: string}
                - {name: "page[limit]", in: query, type: integer}
                - {name: "@id", in: query, type: string}
                - {name: X-Trace, in: header, type: string}
  exposes:
    - type: rest
      namespace: web-orders-rest
      port: 8080
      resources:
        - path: /v1/iserver/account/{accountid}/orders
          operations:
            - method: POST
              name: placeorder
              call: web-orders.placeorder
              with: {accountId: rest.accountId, body: rest.body}
              outputParameters: [{type: object, mapping: $.}]
        - path: /v1/account-orders
          operations: [{method: GET, name: listorders, call: web-orders.listorders}]
        - path: /v1/by-namespace/{account-id}
          operations:
            - method: GET
              name: by-namespace
              call: web-orders.listorders
              with: {accountId: "{{web-orders-rest.account_id}}"}
        - path: /v1/by-bare-name/{ACCOUNT_ID}
          operations:
            - method: GET
              name: by-bare-name
              call: web-orders.listorders
              with: {accountId: "{{accountId}}"}
        - path: /v1/iserver/marketdata/snapshot
          operations: [{method: GET, name: snapshot, call: web-orders.snapshot}]
        - path: /v1/search
          operations:
            - {method: POST, name: search, call: web-orders.search}
            - {method: PATCH, name: change, call: web-orders.change}
        - path: /v1/logout
          operations: [{method: POST, name: logout, call: web-orders.logout}]
        - path: /v1/query
          operations: [{method: GET, name: query, call: web-orders.query}]
    - type: mcp
      namespace: web-orders-mcp
      port: 9090
      transport: http
      tools:
        - name: place-order
          description: Place an order
          call: web-orders.placeorder
          with: {accountId: tools.accountId, body: tools.body}
          outputParameters: [{type: object, mapping: $.}]
        - {name: list-orders, description: List orders, call: web-orders.listorders}
        - {name: snapshot, description: Market data, call: web-orders.snapshot}
        - {name: search, description: Search contracts, call: web-orders.search}
        - {name: logout, description: Log out, call: web-orders.logout}
        - {name: query, description: Query, call: web-orders.query}
"""

CREDENTIALS = """
naftiko: 1.0.0-alpha2
info: {label: Credentials, description: Credentials in each spelling.}
binds:
  - namespace: vault
    keys: {API_KEY: GATEWAY_KEY, UNSET_KEY: UNSET_KEY, EMPTY_KEY: EMPTY_KEY}
capability:
  consumes:
CONSUMES
  exposes:
    - type: rest
      namespace: credentials-rest
      port: 8080
      resources:
ROUTES
    - type: mcp
      namespace: credentials-mcp
      port: 9090
      tools:
TOOLS
"""

SPELLINGS = {
    "bare": "{{API_KEY}}",
    "env": "{{env.API_KEY}}",
    "vault": "{{vault.API_KEY}}",
    "unset": "{{env.UNSET_KEY}}",
    "empty": "{{env.EMPTY_KEY}}",
}
SECRET = "canary-0b77f1c2"


def credentials_file() -> str:
    consumes = "\n".join(
        f"""\
    - type: http
      namespace: {name}
      baseUri: UPSTREAM
      authentication: {{type: bearer, token: "{token}"}}
      resources: [{{name: x, path: /{name}, operations: [{{name: x, method: GET}}]}}]"""
        for name, token in SPELLINGS.items()
    )
    routes = "\n".join(
        f"        - {{path: /{n}, operations: [{{method: GET, name: {n}, call: {n}.x}}]}}"
        for n in SPELLINGS
    )
    tools = "\n".join(
        f"        - {{name: {n}-key, description: Key {n}., call: {n}.x}}" for n in SPELLINGS
    )
    text = CREDENTIALS.replace("CONSUMES", consumes).replace("ROUTES", routes)
    return text.replace("TOOLS", tools)


ORIGIN = """
naftiko: 1.0.0-alpha2
info: {label: Origin, description: An origin that a caller would like to give.}
capability:
  consumes:
    - type: http
      namespace: origin
      baseUri: "http://{{rest.host}}"
      resources: [{name: x, path: /x, operations: [{name: x, method: GET}]}]
    - type: http
      namespace: tenant
      baseUri: "UPSTREAM/t/{{tenant}}"
      resources: [{name: x, path: /x, operations: [{name: x, method: GET}]}]
  exposes:
    - type: rest
      namespace: origin-rest
      port: 8080
      resources:
        - {path: /origin, operations: [{method: GET, name: origin, call: origin.x}]}
        - {path: /tenant, operations: [{method: GET, name: tenant, call: tenant.x}]}
"""


@dataclass
class Served:
    """The running command, and the upstream that its files consume."""

    serving: Serving
    upstream: RecordingUpstream

    def rest(
        self, method: str, target: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and JSON document of a request whose target goes out exactly as given."""
        origin = urlsplit(self.serving.rest())
        connection = http.client.HTTPConnection(str(origin.hostname), origin.port, timeout=60)
        sent = dict(headers or {})
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            sent["content-type"] = "application/json"
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in sent.items():
            connection.putheader(name, value)
        if data is not None or method != "GET":
            connection.putheader("content-length", str(len(data or b"")))
        connection.endheaders(data)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, json.loads(content) if content else None

    async def tool(self, era: str, name: str, **arguments: object) -> tuple[bool, str]:
        """Whether a tool's result is an error, and its text."""
        async with Client(self.serving.mcp(), mode=era) as client:
            result = await client.call_tool(name, arguments)
        return result.is_error, "".join(getattr(part, "text", "") for part in result.content)

    @property
    def seen(self) -> RecordedRequest:
        """The one request that the upstream got in this test."""
        (request,) = self.upstream.requests
        return request


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("published")
    environment = {"GATEWAY_KEY": SECRET, "EMPTY_KEY": ""}
    with RecordingUpstream() as upstream:
        for name, text in (
            ("orders.yaml", ORDERS),
            ("credentials.yaml", credentials_file()),
            ("origin.yaml", ORIGIN),
        ):
            (folder / name).write_text(text.replace("UPSTREAM", upstream.url))
        with serve(folder, env=environment) as serving:
            yield Served(serving, upstream)
            assert SECRET not in serving.log


@pytest.fixture
def served(running: Served) -> Served:
    running.upstream.requests.clear()
    return running


ORDER = {"orders": [{"conid": 265598, "price": 1.1, "side": "BUY"}]}


# --- names --------------------------------------------------------------------------------


def test_a_route_variable_in_another_spelling_and_the_whole_body_reach_the_upstream(
    served: Served,
) -> None:
    status, answer = served.rest("POST", "/v1/iserver/account/U1/orders", ORDER)
    assert status == 200
    assert answer["target"] == "/v1/api/iserver/account/U1/orders"
    assert (served.seen.method, served.seen.target) == ("POST", answer["target"])
    assert served.seen.json() == ORDER


@pytest.mark.parametrize(
    "target",
    [
        "/v1/by-namespace/U1",
        "/v1/by-bare-name/U1",
        "/v1/account-orders?accountId=U1",
        "/v1/account-orders?account_id=U1",
        "/v1/account-orders?ACCOUNT-ID=U1",
    ],
)
def test_every_spelling_of_a_name_finds_the_path_variable(served: Served, target: str) -> None:
    assert served.rest("GET", target)[0] == 200
    assert served.seen.target == "/v1/api/iserver/account/U1/orders"


def test_a_variable_that_is_not_given_at_all_is_named(served: Served) -> None:
    status, problem = served.rest("GET", "/v1/account-orders")
    assert status == 400
    assert "accountId" in problem["detail"]
    assert served.upstream.requests == []


@pytest.mark.anyio
@ERAS
async def test_a_tool_takes_what_with_names_and_the_whole_body(served: Served, era: str) -> None:
    failed, text = await served.tool(era, "place-order", accountId="U1", body=ORDER)
    assert not failed, text
    assert served.seen.target == "/v1/api/iserver/account/U1/orders"
    assert served.seen.json() == ORDER
    assert json.loads(text)["target"] == served.seen.target


@pytest.mark.anyio
async def test_tools_list_what_the_call_needs(served: Served) -> None:
    async with Client(served.serving.mcp()) as client:
        tools = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}
    assert sorted(tools["place-order"]["required"]) == ["accountId", "body"]
    assert tools["snapshot"]["required"] == ["conids"]
    assert set(tools["snapshot"]["properties"]) == {"conids", "fields"}
    assert tools["list-orders"]["required"] == ["accountId"]
    assert set(tools["query"]["properties"]) == {
        "ids", "active", "_select", "page_limit_", "_id", "X-Trace",
    }  # fmt: skip
    assert tools["logout"].get("required") is None


def test_inputs_that_nobody_declared_are_implied(served: Served) -> None:
    assert served.rest("GET", "/v1/iserver/marketdata/snapshot?conids=265598%2C8314")[0] == 200
    assert served.seen.target == "/v1/api/iserver/marketdata/snapshot?conids=265598%2C8314"


def test_an_implied_input_that_is_required_is_asked_for(served: Served) -> None:
    status, problem = served.rest("GET", "/v1/iserver/marketdata/snapshot?fields=31")
    assert (status, served.upstream.requests) == (400, [])
    assert "conids" in problem["detail"]


@pytest.mark.anyio
@ERAS
async def test_a_tool_that_lacks_a_required_argument_says_which(served: Served, era: str) -> None:
    failed, text = await served.tool(era, "snapshot", fields="31")
    assert failed
    assert "conids" in text
    assert served.upstream.requests == []


# --- body ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("body", [{"symbol": "AAPL", "name": False}, [1, 2], {}])
def test_a_body_that_no_file_declares_is_forwarded(
    served: Served, method: str, body: object
) -> None:
    assert served.rest(method, "/v1/search", body)[0] == 200
    assert (served.seen.method, served.seen.json()) == (method, body)
    assert served.seen.header("content-type") == "application/json"


@pytest.mark.anyio
@ERAS
async def test_a_tool_forwards_its_body_too(served: Served, era: str) -> None:
    failed, text = await served.tool(era, "search", body={"symbol": 'A"B', "deep": [{"x": None}]})
    assert not failed, text
    assert served.seen.json() == {"symbol": 'A"B', "deep": [{"x": None}]}


def test_a_post_without_a_body_goes_out_with_an_empty_one(served: Served) -> None:
    assert served.rest("POST", "/v1/logout")[0] == 200
    assert (served.seen.method, served.seen.body) == ("POST", b"")
    assert served.seen.header("content-length") == "0"
    assert served.seen.header("content-type") is None


@pytest.mark.anyio
@ERAS
async def test_a_tool_that_posts_without_a_body_sends_an_empty_one(
    served: Served, era: str
) -> None:
    failed, text = await served.tool(era, "logout")
    assert not failed, text
    assert (served.seen.method, served.seen.body) == ("POST", b"")


# --- query and headers --------------------------------------------------------------------

QUERY = "ids=a&ids=b%20c&active=true&$select=x%2Cy&page[limit]=5&@id=7"


@pytest.mark.parametrize(
    "target",
    [
        "/v1/query?ids=a&ids=b%20c&active=TRUE&$select=x,y&page[limit]=5&@id=7",
        "/v1/query?ids=a&ids=b+c&active=true&%24select=x%2Cy&page%5Blimit%5D=5&%40id=7",
    ],
)
def test_lists_booleans_and_odd_names_travel_in_the_query(served: Served, target: str) -> None:
    assert served.rest("GET", target)[0] == 200
    assert served.seen.target == f"/v1/api/query?{QUERY}"


@pytest.mark.anyio
@ERAS
@pytest.mark.parametrize(
    "names", [("$select", "page[limit]", "@id"), ("_select", "page_limit_", "_id")]
)
async def test_a_tools_arguments_are_known_by_their_names_and_by_their_aliases(
    served: Served, era: str, names: tuple[str, str, str]
) -> None:
    odd = dict(zip(names, ("x,y", 5, "7"), strict=True))
    failed, text = await served.tool(era, "query", ids=["a", "b c"], active=True, **odd)
    assert not failed, text
    assert served.seen.target == f"/v1/api/query?{QUERY}"


def test_a_value_of_the_wrong_type_is_refused_and_named(served: Served) -> None:
    for target, name in (("active=maybe", "active"), ("page[limit]=many", "page[limit]")):
        status, problem = served.rest("GET", f"/v1/query?{target}")
        assert (status, served.upstream.requests) == (400, [])
        assert name in problem["detail"]


def test_headers_are_passed_on_where_the_file_names_them(served: Served) -> None:
    headers = {"x-trace": "abc", "X-Other": "no", "Authorization": "Bearer mine", "Cookie": "a=b"}
    assert served.rest("GET", "/v1/query", headers=headers)[0] == 200
    assert served.seen.header("x-trace") == "abc"
    for name in ("x-other", "authorization", "cookie"):
        assert served.seen.header(name) is None


@pytest.mark.anyio
@ERAS
@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x00b"])
async def test_a3_line_breaks_in_a_header_are_refused(served: Served, era: str, value: str) -> None:
    failed, text = await served.tool(era, "query", **{"X-Trace": value})
    assert failed
    assert "X-Trace" in text
    assert served.upstream.requests == []


# --- paths --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "segment"),
    [
        ("a%2Fb", "a%2Fb"),
        ("%2e%2e%2Fadmin", "..%2Fadmin"),
        ("a%3Fb=c", "a%3Fb%3Dc"),
        ("a%23b", "a%23b"),
        ("%252e%252e", "%252e%252e"),
        ("100%25", "100%25"),
        ("gr%C3%BC%C3%9Fe%20x", "gr%C3%BC%C3%9Fe%20x"),
        ("a;b=c@d:e", "a%3Bb%3Dc%40d%3Ae"),
        ("%5C..%5C", "%5C..%5C"),
    ],
)
def test_a1_a_path_variable_stays_one_segment_on_the_wire(
    served: Served, given: str, segment: str
) -> None:
    status, answer = served.rest("GET", f"/v1/by-namespace/{given}")
    assert status == 200, answer
    assert served.seen.target == f"/v1/api/iserver/account/{segment}/orders"


@pytest.mark.anyio
@ERAS
async def test_a1_a_tools_path_argument_stays_one_segment_on_the_wire(
    served: Served, era: str
) -> None:
    failed, text = await served.tool(era, "list-orders", accountId="../../logout?x=1#y")
    assert not failed, text
    assert served.seen.target == "/v1/api/iserver/account/..%2F..%2Flogout%3Fx%3D1%23y/orders"


@pytest.mark.anyio
@pytest.mark.parametrize("value", ["..", ".", "", "..;x"])
async def test_a1_a_step_out_of_the_path_is_refused(served: Served, value: str) -> None:
    failed, text = await served.tool("legacy", "list-orders", accountId=value)
    assert failed
    assert "accountId" in text
    assert served.upstream.requests == []


# --- credentials --------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["bare", "env", "vault"])
def test_a_bind_fills_the_credential_in_each_spelling(served: Served, spelling: str) -> None:
    assert served.rest("GET", f"/{spelling}")[0] == 200
    assert served.seen.all("authorization") == [f"Bearer {SECRET}"]


@pytest.mark.anyio
@ERAS
@pytest.mark.parametrize("spelling", ["bare", "env", "vault"])
async def test_a_bind_fills_the_credential_of_tools(
    served: Served, era: str, spelling: str
) -> None:
    failed, _ = await served.tool(era, f"{spelling}-key")
    assert not failed
    assert served.seen.all("authorization") == [f"Bearer {SECRET}"]


def test_an_unset_variable_is_named_and_the_upstream_not_called(served: Served) -> None:
    status, problem = served.rest("GET", "/unset")
    assert (status, served.upstream.requests) == (500, [])
    assert problem["type"].endswith("unset-variable")
    assert "UNSET_KEY" in problem["detail"]
    warnings = served.serving.events_of("problem")
    assert any("UNSET_KEY" in event["message"] for event in warnings)


@pytest.mark.anyio
@ERAS
async def test_a_tool_with_an_unset_variable_is_an_error_that_names_it(
    served: Served, era: str
) -> None:
    failed, text = await served.tool(era, "unset-key")
    assert failed
    assert "UNSET_KEY" in text
    assert served.upstream.requests == []


def test_a_variable_that_is_set_but_empty_leaves_the_header_out(served: Served) -> None:
    assert served.rest("GET", "/empty")[0] == 200
    assert served.seen.header("authorization") is None


def test_e7_a_callers_own_credential_never_replaces_the_files(served: Served) -> None:
    for path in ("/env?API_KEY=stolen&token=stolen", "/empty"):
        headers = {"Authorization": "Bearer stolen", "API_KEY": "stolen", "EMPTY_KEY": "stolen"}
        assert served.rest("GET", path, headers=headers)[0] == 200
    for request in served.upstream.requests:
        assert "stolen" not in str(request)


# --- baseUri ------------------------------------------------------------------------------


def test_a7_a_caller_cannot_say_where_requests_go(served: Served) -> None:
    target = f"/origin?host=127.0.0.1:{served.upstream.port}&rest.host=evil.example"
    headers = {"rest.host": f"127.0.0.1:{served.upstream.port}"}
    status, problem = served.rest("GET", target, headers=headers)
    assert (status, served.upstream.requests) == (500, [])
    assert "host" in problem["detail"]


@pytest.mark.parametrize("tenant", ["@evil.example", "//evil.example", "..", "x/../../y"])
def test_a7_a_callers_value_in_the_path_of_the_base_stays_there(
    served: Served, tenant: str
) -> None:
    status, _ = served.rest("GET", f"/tenant?tenant={tenant}")
    if tenant == "..":
        assert (status, served.upstream.requests) == (400, [])
        return
    assert status == 200
    assert served.seen.path.count("/") == 3
    assert served.seen.path.startswith("/t/")
    assert served.seen.path.endswith("/x")


# --- the published files themselves -------------------------------------------------------


@pytest.mark.anyio
@ERAS
async def test_the_seeds_run_unmodified(shared: Path, era: str) -> None:
    files = sorted((shared / "seeds").glob("*.yaml"))
    files = [file for file in files if "openapi" not in file.name]
    assert len(files) == 3
    with RecordingUpstream() as upstream:
        namespaces = ("web-orders", "web-sessions", "interactive-brokers")
        options = [f"--base-uri={name}={upstream.url}/v1/api" for name in namespaces]
        variables = {"INTERACTIVE_BROKERS_API_KEY": "", "INTERACTIVE_BROKERS_TOKEN": ""}
        with serve(*files, options=options, env=variables) as serving:
            served = Served(serving, upstream)
            status, _ = served.rest("POST", "/v1/iserver/account/U1/orders", ORDER)
            assert status == 200
            assert served.seen.json() == ORDER
            upstream.requests.clear()
            failed, text = await served.tool(era, "place-order", accountId="U1", body=ORDER)
            assert not failed, text
            assert served.seen.target == "/v1/api/iserver/account/U1/orders"
            assert served.seen.header("authorization") is None
