"""What a request logs in with, as a file says it."""

from __future__ import annotations

import pytest

from naftiko_runtime.failures import CallFailed, FailureKind
from naftiko_runtime.plan.logins import ClientLogin, DigestLogin
from naftiko_runtime.problems import Severity
from tests.loaded_calls import LoadedCall, header, one_call

SECRET = "c4n4ry-s3cr3t"
DIGEST = {"type": "digest", "username": "{{USER}}", "password": "{{PASSWORD}}"}
CLIENT = {
    "type": "oauth2",
    "authorizationServerUri": "https://issuer.example.com",
    "resource": "https://ships.example.com",
    "clientId": "us",
    "clientSecret": "{{SECRET}}",
    "scopes": ["a", "b"],
}


def refusals(call: LoadedCall) -> list[str]:
    return [p.message for p in call.problems if p.severity is Severity.ERROR]


def test_digest_logs_in_with_user_and_password() -> None:
    call = one_call(authentication=DIGEST, variables={"USER": "ada", "PASSWORD": SECRET})
    request = call.rest_request()
    assert isinstance(request.login, DigestLogin)
    assert (request.login.username, request.login.password.reveal()) == ("ada", SECRET)
    assert request.secrets == (SECRET,)
    assert SECRET not in f"{request.login} {request.headers}"


def test_empty_digest_credentials_mean_none() -> None:
    call = one_call(authentication=DIGEST, variables={"USER": "", "PASSWORD": ""})
    assert call.rest_request().login is None


def test_client_credentials_are_all_that_a_token_is_asked_for_with() -> None:
    call = one_call(authentication=CLIENT, variables={"SECRET": SECRET})
    login = call.rest_request().login
    assert isinstance(login, ClientLogin)
    assert login.client_secret.reveal() == SECRET
    assert (login.client_id, login.scopes, login.token_endpoint) == ("us", ("a", "b"), "")
    assert login.issuer == "https://issuer.example.com"
    assert login.resource == "https://ships.example.com"
    assert SECRET not in repr(login)
    assert call.tool_request().login == login


def test_an_empty_client_secret_means_no_credentials() -> None:
    call = one_call(authentication=CLIENT, variables={"SECRET": ""})
    assert call.rest_request().login is None


@pytest.mark.parametrize("key", ["clientSecret", "authorizationServerUri", "tokenEndpoint"])
def test_a_variable_that_is_not_set_fails_the_call(key: str) -> None:
    bind = {"namespace": "env", "keys": {"SECRET": "SECRET", "UNSET": "UNSET"}}
    authentication = CLIENT | {key: "{{UNSET}}"}
    call = one_call(authentication=authentication, binds=[bind], variables={"SECRET": SECRET})
    with pytest.raises(CallFailed) as caught:
        call.rest_request()
    assert caught.value.failure.kind is FailureKind.UNSET_VARIABLE
    assert caught.value.failure.field == "UNSET"


@pytest.mark.parametrize("key", ["clientId", "clientSecret"])
def test_without_a_client_there_is_nobody_to_ask_for_a_token(key: str) -> None:
    authentication = {name: value for name, value in CLIENT.items() if name != key}
    call = one_call(authentication=authentication, variables={"SECRET": SECRET})
    assert call.file.plan is not None
    assert call.file.plan.rest[0].operations == ()
    assert f'needs "{key}"' in refusals(call)[0]


@pytest.mark.parametrize("key", ["authorizationServerUri", "tokenEndpoint"])
@pytest.mark.parametrize(
    "uri",
    [
        "http://issuer.example.com",
        "http://127.0.0.1.evil.example",
        "https://u:p@issuer.example.com",
        "ftp://issuer",
        "issuer",
        "https://iss uer",
    ],
)
def test_a_secret_is_not_sent_to_an_address_that_is_not_secure(key: str, uri: str) -> None:
    call = one_call(authentication=CLIENT | {key: uri}, variables={"SECRET": SECRET})
    assert call.file.plan is not None
    assert call.file.plan.rest[0].operations == ()
    assert f'"{key}"' in refusals(call)[0]
    assert SECRET not in refusals(call)[0]


@pytest.mark.parametrize("spelling", ["https://{{rest.host}}/token", "{{tools.endpoint}}"])
def test_callers_cannot_choose_who_gets_the_secret(spelling: str) -> None:
    call = one_call(
        authentication=CLIENT | {"tokenEndpoint": spelling}, variables={"SECRET": SECRET}
    )
    assert call.file.plan is not None
    assert call.file.plan.rest[0].operations == ()
    assert "callers cannot choose" in refusals(call)[0]


@pytest.mark.parametrize("authentication", [DIGEST, CLIENT])
def test_E7_a_parameter_cannot_take_the_place_of_the_login(
    authentication: dict[str, object],
) -> None:
    call = one_call(
        authentication=authentication,
        parameters=[header("Authorization"), header("X-Other")],
        variables={"USER": "ada", "PASSWORD": SECRET, "SECRET": SECRET},
    )
    request = call.rest_request({"Authorization": "Bearer mine", "X-Other": "x"})
    assert list(request.headers) == [("X-Other", "x")]
    assert request.login is not None


def test_the_environment_s_spelling_of_the_specification_works_outbound_too() -> None:
    call = one_call(
        authentication={"type": "bearer", "token": "$env.SHIPS_TOKEN"},
        variables={"SHIPS_TOKEN": SECRET},
    )
    assert ("Authorization", f"Bearer {SECRET}") in call.rest_request().headers
