"""What an adapter asks of its callers, as its file says it; one that cannot ask is not served."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from naftiko_runtime.document.model import AuthenticationType
from naftiko_runtime.plan.inbound import InboundPlan
from naftiko_runtime.plan.load import LoadedFile, load_file
from naftiko_runtime.problems import Consequence, Problem, Severity
from tests.capability_text import capability

SECRET = "c4n4ry-s3cr3t"
OAUTH2 = {
    "type": "oauth2",
    "authorizationServerUri": "https://issuer.example.com/realms/sea",
    "resource": "https://ships.example.com/mcp",
}


def loaded(
    authentication: object,
    variables: Mapping[str, str] | None = None,
    binds: list[dict[str, Any]] | None = None,
    folder: Path = Path(),
) -> LoadedFile:
    """A file whose REST adapter asks for this, and whose MCP adapter asks for nothing."""
    document = yaml.safe_load(capability("ships", "https://upstream.example"))
    document["capability"]["exposes"][0]["authentication"] = authentication
    if binds is not None:
        document["binds"] = binds
    text = yaml.safe_dump(document, sort_keys=False)
    return load_file(folder / "ships.yaml", variables or {}, {}, text.encode())


def asked(*arguments: Any, **keywords: Any) -> InboundPlan:
    """What the adapter asks; the file must be faultless."""
    file = loaded(*arguments, **keywords)
    assert [p for p in file.problems if p.severity is Severity.ERROR] == []
    assert file.plan is not None
    found = file.plan.rest[0].authentication
    assert found is not None
    assert file.plan.mcp[0].authentication is None
    return found


def refused(*arguments: Any, **keywords: Any) -> Problem:
    """The problem that keeps the adapter, and nothing else, from being served."""
    file = loaded(*arguments, **keywords)
    assert file.plan is not None
    assert file.plan.rest == ()
    assert len(file.plan.mcp) == 1
    (problem,) = [p for p in file.problems if p.severity is Severity.ERROR]
    assert problem.consequence is Consequence.PART
    assert problem.path[:4] == ("capability", "exposes", 0, "authentication")
    assert SECRET not in str(problem)
    assert problem.remedy
    return problem


BIND = {"namespace": "env", "keys": {"TOKEN": "SOURCE_TOKEN"}}


@pytest.mark.parametrize("spelling", ["{{TOKEN}}", "{{env.TOKEN}}", "{{ TOKEN }}", "$env.TOKEN"])
def test_a_bind_gives_the_secret(spelling: str) -> None:
    plan = asked(
        {"type": "bearer", "token": spelling}, {"SOURCE_TOKEN": SECRET, "TOKEN": SECRET}, [BIND]
    )
    assert plan.type is AuthenticationType.BEARER
    assert plan.text("token") == SECRET


def test_the_environment_gives_the_secret_without_a_bind() -> None:
    for spelling in ("{{API_TOKEN}}", "$env.API_TOKEN", "{{env.API_TOKEN}}"):
        plan = asked({"type": "bearer", "token": spelling}, {"API_TOKEN": SECRET})
        assert plan.text("token") == SECRET


def test_a_file_gives_the_secret(tmp_path: Path) -> None:
    (tmp_path / "secrets.yaml").write_text(f"token: {SECRET}\n")
    bind = {"namespace": "s", "location": "file:///./secrets.yaml", "keys": {"TOKEN": "token"}}
    plan = asked({"type": "bearer", "token": "{{TOKEN}}"}, {}, [bind], tmp_path)
    assert plan.text("token") == SECRET


def test_text_around_a_variable_and_blanks_at_the_ends_of_it() -> None:
    plan = asked({"type": "bearer", "token": "v1.{{TOKEN}}"}, {"TOKEN": f"{SECRET}\n"})
    assert plan.text("token") == f"v1.{SECRET}"


@pytest.mark.parametrize(
    "authentication",
    [
        {"type": "bearer", "token": "{{TOKEN}}"},
        {"type": "bearer", "token": "prefix-{{TOKEN}}"},
        {"type": "bearer", "token": "$env.TOKEN"},
        {"type": "apikey", "key": "X-Key", "value": "{{TOKEN}}"},
        {"type": "apikey", "key": "{{TOKEN}}", "value": "v"},
        {"type": "basic", "username": "u", "password": "{{TOKEN}}"},
        {"type": "basic", "username": "{{TOKEN}}", "password": "p"},
        {"type": "digest", "username": "u", "password": "{{TOKEN}}"},
        OAUTH2 | {"authorizationServerUri": "https://{{TOKEN}}"},
        OAUTH2 | {"audience": "{{TOKEN}}"},
    ],
)
@pytest.mark.parametrize(
    ("variables", "state"),
    [({}, "not set"), ({"TOKEN": ""}, "empty"), ({"TOKEN": " \n"}, "empty")],
)
def test_a_variable_without_a_value_refuses_the_adapter(
    authentication: dict[str, str], variables: dict[str, str], state: str
) -> None:
    problem = refused(authentication, variables)
    assert f'the variable "TOKEN", which is {state}' in problem.message
    assert "never served without" in problem.remedy


@pytest.mark.parametrize(
    "authentication",
    [
        {"type": "bearer"},
        {"type": "bearer", "token": ""},
        {"type": "bearer", "token": "   "},
        {"type": "bearer", "token": "{{! nothing }}"},
        {"type": "apikey", "key": "X-Key"},
        {"type": "apikey", "value": "v"},
        {"type": "basic", "username": "u"},
        {"type": "basic", "password": "p"},
        {"type": "basic"},
        {"type": "digest", "username": "u"},
        {"type": "digest", "password": "p"},
    ],
)
def test_a_missing_secret_refuses_the_adapter(authentication: dict[str, str]) -> None:
    assert "to compare with" in refused(authentication).message


@pytest.mark.parametrize(
    "authentication",
    [
        None,
        {},
        "bearer",
        [],
        {"type": "beer", "token": SECRET},
        {"type": None},
        {"type": "bearer", "token": 12345},
        {"type": "bearer", "token": ["x"]},
        {"type": "apikey", "key": "k", "value": "v", "placement": "cookie"},
        {"type": "oauth2"},
        OAUTH2 | {"tokenValidation": "trust"},
    ],
)
def test_authentication_that_is_not_understood_refuses_the_adapter(authentication: object) -> None:
    file = loaded(authentication)
    assert file.plan is not None
    assert (file.plan.rest, len(file.plan.mcp)) == ((), 1)
    assert SECRET not in "".join(map(str, file.problems))


def test_what_callers_must_know_cannot_come_from_a_caller() -> None:
    for spelling in ("{{rest.token}}", "{{token}}", "{{ships-rest.token}}"):
        problem = refused({"type": "bearer", "token": spelling})
        assert "cannot come from a caller" in problem.message


def test_the_bare_name_of_a_variable_is_no_secret() -> None:
    problem = refused({"type": "bearer", "token": "TOKEN"}, {"SOURCE_TOKEN": SECRET}, [BIND])
    assert "{{TOKEN}}" in problem.remedy


@pytest.mark.parametrize(
    ("authentication", "field"),
    [
        ({"type": "bearer", "token": f"{SECRET}\nx"}, "token"),
        ({"type": "apikey", "key": "X Key", "value": SECRET}, "key"),
        ({"type": "apikey", "key": "Host", "value": SECRET}, "key"),
        ({"type": "apikey", "key": "Content-Length", "value": SECRET}, "key"),
        ({"type": "apikey", "key": "X-Key", "value": f"{SECRET}\x00"}, "value"),
        ({"type": "basic", "username": "a:b", "password": SECRET}, "username"),
        ({"type": "basic", "username": "a", "password": f"{SECRET}\x07"}, "password"),
        (
            OAUTH2 | {"authorizationServerUri": "http://issuer.example.com"},
            "authorizationServerUri",
        ),
        (OAUTH2 | {"authorizationServerUri": "https://u:p@issuer"}, "authorizationServerUri"),
        (OAUTH2 | {"authorizationServerUri": "https://issuer/?x"}, "authorizationServerUri"),
        (OAUTH2 | {"authorizationServerUri": "issuer"}, "authorizationServerUri"),
        (OAUTH2 | {"resource": "ships"}, "resource"),
        (OAUTH2 | {"resource": "https://ships#x"}, "resource"),
        (OAUTH2 | {"scopes": ["a b"]}, "scopes"),
        (OAUTH2 | {"scopes": ['a"']}, "scopes"),
    ],
)
def test_a_secret_that_no_caller_can_give_refuses_the_adapter(
    authentication: dict[str, object], field: str
) -> None:
    problem = refused(authentication)
    assert problem.path[-1] == field
    assert f'"{field}"' in problem.message or "scope" in problem.message or field == "key"


def test_a_key_s_place() -> None:
    fields = {"type": "apikey", "key": "k", "value": SECRET}
    assert not asked(fields).in_query
    assert not asked(fields | {"placement": "header"}).in_query
    assert asked(fields | {"placement": "query"}).in_query


def test_oauth2_with_all_that_it_may_say() -> None:
    plan = asked(
        OAUTH2
        | {
            "scopes": ["a", "b:c"],
            "audience": "ships-api",
            "tokenEndpoint": "https://issuer.example.com/token",
            "tokenValidation": "introspection",
            "clientId": "us",
            "clientSecret": "{{CLIENT_SECRET}}",
        },
        {"CLIENT_SECRET": SECRET},
    )
    assert plan.scopes == ("a", "b:c")
    assert plan.text("clientSecret") == SECRET
    assert plan.text("audience") == "ships-api"


def test_an_issuer_on_this_machine_may_speak_plain_http() -> None:
    for host in ("localhost:9", "127.0.0.1:9", "[::1]:9"):
        assert asked(OAUTH2 | {"authorizationServerUri": f"http://{host}"})


def test_plans_that_ask_the_same_are_equal_and_show_no_secret() -> None:
    fields = {"type": "bearer", "token": "{{TOKEN}}"}
    first, second = (asked(fields, {"TOKEN": SECRET}) for _ in range(2))
    assert first == second
    assert len({first, second, asked(fields, {"TOKEN": "other"})}) == 2
    assert SECRET not in f"{first!r} {first!s}"


@pytest.mark.parametrize(
    "key", ["authentification", "Authentication", "autentication", "auth", "authorization"]
)
def test_a_misspelt_key_does_not_leave_an_adapter_open(key: str) -> None:
    document = yaml.safe_load(capability("ships", "https://upstream.example"))
    document["capability"]["exposes"][0][key] = {"type": "bearer", "token": SECRET}
    file = load_file(Path("ships.yaml"), {}, {}, yaml.safe_dump(document).encode())
    assert file.plan is not None
    assert (file.plan.rest, len(file.plan.mcp)) == ((), 1)
    (problem,) = [p for p in file.problems if p.severity is Severity.ERROR]
    assert "may ask for authentication" in problem.message
    assert SECRET not in str(problem)


def test_authentication_at_a_deeper_level_does_not_leave_that_open() -> None:
    document = yaml.safe_load(capability("ships", "https://upstream.example", "list", "sink"))
    rest, mcp = document["capability"]["exposes"]
    rest["resources"][1]["operations"][0]["authentication"] = {"type": "bearer", "token": SECRET}
    mcp["tools"][1]["authentication"] = {"type": "bearer", "token": SECRET}
    file = load_file(Path("ships.yaml"), {}, {}, yaml.safe_dump(document).encode())
    assert file.plan is not None
    assert [operation.route for operation in file.plan.rest[0].operations] == ["/ships/list"]
    assert [tool.name for tool in file.plan.mcp[0].tools] == ["ships-list"]


def test_other_unknown_keys_are_passed_over_as_before() -> None:
    document = yaml.safe_load(capability("ships", "https://upstream.example"))
    document["capability"]["exposes"][0]["author"] = "Mireille"
    document["capability"]["consumes"][0]["auth"] = {"type": "bearer"}
    file = load_file(Path("ships.yaml"), {}, {}, yaml.safe_dump(document).encode())
    assert file.plan is not None
    assert len(file.plan.rest) == 1
