"""Nothing on a guarded port answers without authentication, and nobody is told of what is closed
to him."""

from __future__ import annotations

import json
from typing import Any

import pytest

from naftiko_runtime.exposes.rest.openapi import openapi_document
from naftiko_runtime.exposes.rest.table import build_rest_table
from tests.exposes.authentication.guarded import (
    BEARER,
    HEADER_KEY,
    TOKEN,
    asking,
    bearer,
    challenges,
    guarded,
    guarding,
    refused,
)
from tests.exposes.rest.listener import Listener, listening
from tests.exposes.rest.plans import labelled, served

KEY = {"X-Dock-Key": TOKEN}
TWO = (
    guarded(BEARER, served("GET", "/ships"), served("POST", "/both"), namespace="ships"),
    guarded(HEADER_KEY, served("GET", "/docks"), served("GET", "/both"), namespace="docks"),
)
MIXED = (
    guarded(None, served("GET", "/weather"), served("PUT", "/both"), namespace="weather"),
    guarded(BEARER, served("GET", "/ships/{id}"), served("GET", "/both"), namespace="ships"),
)

EVERYTHING = [
    ("GET", "/ships"),
    ("HEAD", "/ships"),
    ("POST", "/ships"),
    ("OPTIONS", "/ships"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("HEAD", "/docs"),
    ("GET", "/"),
    ("GET", "/nothing/here"),
    ("GET", "/%zz"),
    ("GET", "//ships"),
    ("GET", "/ships/"),
    ("DELETE", "/.well-known/oauth-protected-resource"),
    ("GET", "/.well-known/oauth-protected-resource"),
]


@pytest.mark.parametrize(("method", "target"), EVERYTHING)
def test_nothing_answers_a_stranger(method: str, target: str) -> None:
    with guarding(BEARER) as listener:
        answered = listener.call(method, target)
        assert answered.status == 401
        assert challenges(answered) == ['Bearer realm="naftiko"']
        assert listener.engine.calls == []


def test_a_caller_who_is_let_in_finds_everything_as_on_an_open_port() -> None:
    with guarding(BEARER) as listener:
        headers = bearer(TOKEN)
        assert listener.get("/docs", headers).status == 200
        assert list(listener.get("/openapi.json", headers).json()["paths"]) == ["/ships"]
        listener.get("/nothing", headers).problem(404, "unknown-path")
        listener.get("/%zz", headers).problem(400, "invalid-input")
        answered = listener.call("POST", "/ships", None, headers)
        answered.problem(405, "method-not-allowed")
        assert answered.header("allow") == "GET, HEAD, OPTIONS"
        assert listener.call("OPTIONS", "/ships", None, headers).status == 204


def described(listener: Listener, headers: dict[str, str]) -> list[str]:
    return sorted(listener.get("/openapi.json", headers).json()["paths"])


def test_each_operation_is_guarded_by_the_scheme_of_its_own_adapter() -> None:
    with listening(*TWO) as listener:
        assert listener.get("/ships", bearer(TOKEN)).status == 200
        assert listener.get("/docks", KEY).status == 200
        assert "Bearer" in refused(listener.get("/ships", KEY))[0]
        assert "ApiKey" in refused(listener.get("/docks", bearer(TOKEN)))[0]


def test_pages_tell_each_caller_of_what_he_may_call() -> None:
    with listening(*TWO) as listener:
        assert described(listener, bearer(TOKEN)) == ["/both", "/ships"]
        assert described(listener, KEY) == ["/both", "/docks"]
        assert described(listener, bearer(TOKEN) | KEY) == ["/both", "/docks", "/ships"]
        assert b"/docks" not in listener.get("/docs", bearer(TOKEN)).body


def test_pages_challenge_strangers_with_every_scheme_of_the_port() -> None:
    with listening(*TWO) as listener:
        for target in ("/docs", "/openapi.json", "/unknown"):
            kinds = [text.split()[0] for text in refused(listener.get(target))]
            assert kinds == ["Bearer", "ApiKey"]


def test_methods_of_other_adapters_are_not_named() -> None:
    with listening(*TWO) as listener:
        answered = listener.call("DELETE", "/both", None, bearer(TOKEN))
        answered.problem(405, "method-not-allowed")
        assert answered.header("allow") == "OPTIONS, POST"


def test_a_path_that_is_closed_to_a_caller_challenges_him_whatever_the_method() -> None:
    with listening(*TWO) as listener:
        for method in ("GET", "POST", "OPTIONS"):
            assert "ApiKey" in refused(listener.call(method, "/docks", None, bearer(TOKEN)))[0]


def test_strangers_learn_of_the_open_adapters_of_a_mixed_port_only() -> None:
    with listening(*MIXED) as listener:
        assert listener.get("/weather").status == 200
        assert described(listener, {}) == ["/both", "/weather"]
        assert list(listener.get("/openapi.json").json()["paths"]["/both"]) == ["put"]
        assert b"/ships" not in listener.get("/docs").body
        detail = listener.get("/ship").problem(404, "unknown-path")["detail"]
        assert "ships" not in detail
        assert described(listener, bearer(TOKEN)) == ["/both", "/ships/{id}", "/weather"]


def test_closed_operations_of_a_mixed_port_are_closed() -> None:
    with listening(*MIXED) as listener:
        refused(listener.get("/ships/1"))
        refused(listener.call("OPTIONS", "/ships/1"))
        refused(listener.call("POST", "/ships/1"))
        refused(listener.get("/both"))
        assert listener.call("PUT", "/both").status == 200
        answered = listener.call("POST", "/both")
        assert answered.header("allow") == "OPTIONS, PUT"


def test_wrong_credentials_are_told_even_where_strangers_may_look() -> None:
    with listening(*MIXED) as listener:
        refused(listener.get("/docs", bearer("wrong")))
        refused(listener.get("/unknown", bearer("wrong")))
        assert listener.get("/weather", bearer("for the weather")).status == 200


def test_a_file_may_have_a_page_of_its_own_which_its_adapter_guards() -> None:
    own = served("GET", "/docs", name="own")
    with guarding(BEARER, own) as listener:
        refused(listener.get("/docs"))
        assert listener.get("/docs", bearer(TOKEN)).json()["operation"] == "own"


RESOURCE = "https://api.example.com/fleet/v1"
OAUTH = asking(
    "oauth2",
    authorizationServerUri="https://issuer.example.com",
    resource=RESOURCE,
    scopes=("ships:read",),
)


def test_the_metadata_of_a_protected_resource_are_public() -> None:
    with guarding(OAUTH) as listener:
        path = "/.well-known/oauth-protected-resource/fleet/v1"
        answered = listener.get(path)
        assert answered.status == 200
        assert answered.header("content-type") == "application/json"
        assert answered.json() == {
            "resource": RESOURCE,
            "authorization_servers": ["https://issuer.example.com"],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["ships:read"],
        }
        assert listener.call("HEAD", path).status == 200
        listener.call("POST", path).problem(405, "method-not-allowed")
        assert listener.get("/.well-known/oauth-protected-resource").json() == answered.json()


def test_the_challenge_names_the_metadata_by_the_declared_name_not_the_called_one() -> None:
    with guarding(OAUTH) as listener:
        (challenge,) = refused(listener.get("/ships", {"Host": "localhost:1"}))
        where = "https://api.example.com/.well-known/oauth-protected-resource/fleet/v1"
        assert f'resource_metadata="{where}"' in challenge
        assert 'scope="ships:read"' in challenge


def test_without_a_way_to_ask_the_issuer_no_token_is_good() -> None:
    with guarding(OAUTH) as listener:
        answered = listener.get("/ships", bearer("x.y.z"))
        answered.problem(503, "issuer-unavailable")
        assert answered.header("retry-after") is not None


def test_two_resources_on_one_port_have_metadata_of_their_own() -> None:
    other = asking(
        "oauth2",
        authorizationServerUri="https://other.example.com",
        resource="https://api.example.com/docks",
    )
    docks = guarded(other, served("GET", "/docks"), namespace="docks")
    with listening(guarded(OAUTH), docks) as listener:
        base = "/.well-known/oauth-protected-resource"
        named = {
            path: json.loads(listener.get(base + path).body)["resource"]
            for path in ("/fleet/v1", "/docks", "")
        }
        assert named == {"/fleet/v1": RESOURCE, "/docks": other.text("resource"), "": RESOURCE}


def test_the_openapi_document_says_what_each_operation_asks_for() -> None:
    plans = {
        "bearer": BEARER,
        "apikey": HEADER_KEY,
        "apikey-2": asking("apikey", in_query=True, key="dock_key", value=TOKEN),
        "basic": asking("basic", username="u", password=TOKEN),
        "digest": asking("digest", username="u", password=TOKEN),
    }
    adapters = [
        guarded(plan, served("GET", f"/{name}"), namespace=name) for name, plan in plans.items()
    ]
    everything = bearer(TOKEN) | KEY
    with listening(*adapters, guarded(None, served("GET", "/open"), namespace="o")) as listener:
        document = listener.get(f"/openapi.json?dock_key={TOKEN}", everything).json()
        assert TOKEN not in json.dumps(document)
    assert document["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer"},
        "apikey": {"type": "apiKey", "in": "header", "name": "X-Dock-Key"},
        "apikey-2": {"type": "apiKey", "in": "query", "name": "dock_key"},
    }
    asked = {path: item["get"].get("security") for path, item in document["paths"].items()}
    assert asked == {
        "/bearer": [{"bearer": []}],
        "/apikey": [{"apikey": []}],
        "/apikey-2": [{"apikey-2": []}],
        "/open": None,
    }


def test_the_openapi_document_of_an_oauth2_adapter_names_token_endpoint_and_scopes() -> None:
    endpoint = "https://issuer.example.com/token"
    plan = asking(
        "oauth2",
        scopes=("ships:read",),
        authorizationServerUri="https://issuer.example.com",
        resource=RESOURCE,
        tokenEndpoint=endpoint,
    )
    table, _ = build_rest_table(labelled(guarded(plan)))
    document: Any = openapi_document(table)
    (scheme,) = document["components"]["securitySchemes"].values()
    flow = scheme["flows"]["clientCredentials"]
    assert flow == {"tokenUrl": endpoint, "scopes": {"ships:read": ""}}
    assert document["paths"]["/ships"]["get"]["security"] == [{"oauth2": ["ships:read"]}]
