"""Variables from Vault, over real sockets to a double of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from naftiko_runtime.binds import BindSourceError, Load, find_values, vault
from naftiko_runtime.plan.load import LoadedFile, load_file
from naftiko_runtime.problems import Consequence, Severity
from tests.binds.vault_double import TOKEN, VaultDouble
from tests.consumes.certificates import make_identity
from tests.loaded_calls import Given, LoadedCall, build, one_call_text
from tests.recording_upstream import Reply, reply_json

BROKER: dict[str, object] = {
    "namespace": "broker",
    "location": "vault://secret/broker",
    "keys": {"TOKEN": "key"},
}


@pytest.fixture
def server() -> Iterator[VaultDouble]:
    with VaultDouble() as running:
        yield running


def settings_of(server: VaultDouble, **more: str) -> dict[str, str]:
    return {"VAULT_ADDR": server.url, "VAULT_TOKEN": TOKEN, **more}


def values_at(server: VaultDouble, location: str, *keys: str, **more: str) -> dict[str, str | None]:
    load = Load(settings_of(server, **more))
    return dict(find_values(location, keys, Path("/nowhere"), load).values)


def refusal(server: VaultDouble, location: str = "vault://secret/app", **more: str) -> str:
    """Why nothing is read, with the remedy; never with a secret in it."""
    with pytest.raises(BindSourceError) as raised:
        values_at(server, location, "token", **more)
    said = f"{raised.value} - {raised.value.remedy}"
    assert "canary" not in said
    assert raised.value.file is None
    return said


# --- reading ------------------------------------------------------------------------------


@pytest.mark.parametrize("tells", [True, False])
@pytest.mark.parametrize(
    ("mount", "path", "location"),
    [
        ("secret", "app", "vault://secret/app"),
        ("secret", "app", "vault://secret/data/app"),
        ("secret", "trading/broker", "vault://secret/trading/broker/"),
        ("secret", "data/app", "vault://secret/data/data/app"),
        ("kv", "app", "vault://kv/app"),
        ("kv", "data/app", "vault://kv/data/app"),
        ("kv", "a%20b%2Fc/%C3%A9", "vault://kv/a%20b%2Fc/é"),
    ],
)
def test_secrets_of_both_versions_are_found_by_their_path(
    server: VaultDouble, mount: str, path: str, location: str, tells: bool
) -> None:
    server.tells = tells
    server.put(mount, path, {"token": "abc", "port": 8080, "on": True, "none": None})
    assert values_at(server, location, "token", "port", "on", "none", "absent") == {
        "token": "abc",
        "port": "8080",
        "on": "true",
        "none": "",
        "absent": None,
    }


def test_an_engine_may_be_mounted_deep(server: VaultDouble) -> None:
    server.mounts = {"team/trading": "2"}
    server.put("team/trading", "app", {"token": "abc"})
    assert values_at(server, "vault://team/trading/app", "token") == {"token": "abc"}


def test_a_secret_is_read_with_a_single_question_once_its_mount_is_known(
    server: VaultDouble,
) -> None:
    server.put("kv", "app", {"token": "abc"})
    values_at(server, "vault://kv/app", "token")
    assert server.targets == ["/v1/kv/app"]


def test_the_namespace_goes_along(server: VaultDouble) -> None:
    server.namespace = "team-a/"
    server.put("secret", "app", {"token": "abc"})
    values = values_at(server, "vault://secret/app", "token", VAULT_NAMESPACE="team-a/")
    assert values == {"token": "abc"}


def test_one_load_asks_for_each_secret_once(server: VaultDouble) -> None:
    server.put("secret", "app", {"token": "abc", "user": "ada"})
    load = Load(settings_of(server))
    for key in ("token", "user", "token"):
        find_values("vault://secret/app", (key,), Path("/"), load)
    assert server.targets == ["/v1/secret/data/app"]


def test_the_token_goes_to_the_named_server_alone(server: VaultDouble) -> None:
    with VaultDouble() as other:
        server.reply = Reply(307, [("location", f"{other.url}/v1/secret/data/app")])
        assert "it sends callers to another server (status 307)" in refusal(server)
        assert other.upstream.requests == []


def test_e6_proxies_of_the_environment_are_not_used(
    server: VaultDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.put("secret", "app", {"token": "abc"})
    assert values_at(server, "vault://secret/app", "token") == {"token": "abc"}


# --- TLS ----------------------------------------------------------------------------------


def test_e5_a_certificate_that_nobody_vouches_for_is_not_accepted(tmp_path: Path) -> None:
    identity = make_identity()
    with VaultDouble(tls=identity.server_context(tmp_path)) as server:
        server.put("secret", "app", {"token": "abc"})
        said = refusal(server, VAULT_SKIP_VERIFY="true")
        assert "its certificate is not trusted" in said
        assert "VAULT_CACERT" in said
        assert server.upstream.requests == []


def test_e5_an_authority_of_ones_own_is_accepted_where_it_is_named(tmp_path: Path) -> None:
    authority = make_identity(authority=True, common_name="Vault CA")
    identity = make_identity(issuer=authority)
    file = tmp_path / "ca.pem"
    file.write_text(authority.pem)
    with VaultDouble(tls=identity.server_context(tmp_path)) as server:
        server.put("secret", "app", {"token": "abc"})
        values = values_at(server, "vault://secret/app", "token", VAULT_CACERT=str(file))
        assert values == {"token": "abc"}
    assert "is no file of certificates" in refusal(server, VAULT_CACERT=str(tmp_path / "none"))


# --- refusals -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["VAULT_ADDR", "VAULT_TOKEN"])
def test_a_setting_that_is_missing_is_named(server: VaultDouble, name: str) -> None:
    assert refusal(server, **{name: " "}) == (
        f'"vault://secret/app" cannot be read from Vault: the variable {name} is not set - set '
        f"{name} in the environment"
    )


@pytest.mark.parametrize(
    "address",
    [
        "vault.example:8200",
        "ftp://vault.example",
        "https://",
        "https://user:canary@vault.example",
        "https://vault.example?x=1",
        "https://vault.example:port",
        "https://[::1",
    ],
)
def test_an_address_that_is_no_servers_is_refused(server: VaultDouble, address: str) -> None:
    assert "VAULT_ADDR is no address of a server" in refusal(server, VAULT_ADDR=address)


def test_a_token_that_no_header_can_carry_is_refused(server: VaultDouble) -> None:
    assert "cannot stand in a header" in refusal(server, VAULT_TOKEN="canary\r\nx: y")
    assert server.upstream.requests == []


@pytest.mark.parametrize(
    "location",
    [
        "vault://",
        "vault://secret",
        "vault://secret/",
        "vault:///app",
        "vault://secret//app",
        "vault://secret/../sys/x",
        "vault://secret/%2e%2e/app",
        "vault://secret/./app",
        "vault://secret/app?version=2",
        "vault://secret/app#x",
        "vault://secret/a%0Db",
    ],
)
def test_a_location_that_names_no_secret_is_refused(server: VaultDouble, location: str) -> None:
    assert refusal(server, location).endswith("write vault://MOUNT/PATH")
    assert server.upstream.requests == []


def test_a_token_that_is_not_good_enough_is_said_to_be_so(server: VaultDouble) -> None:
    said = refusal(server, VAULT_TOKEN="canary-of-yesterday")
    assert f"cannot be read from Vault at {server.url}: it refuses the token (status 403)" in said


def test_a_secret_that_is_not_there_is_said_not_to_be(server: VaultDouble) -> None:
    assert "it has no such secret, or the latest version of it is deleted" in refusal(server)


def test_an_engine_of_another_kind_is_refused(server: VaultDouble) -> None:
    server.mounts = {"secret": ""}
    assert "no engine of key-value secrets at that mount" in refusal(server)


def test_a_value_that_is_no_text_is_refused(server: VaultDouble) -> None:
    server.put("secret", "app", {"token": {"inner": "canary"}})
    assert '"vault://secret/app" gives "token" a list or a mapping, not a value' in refusal(server)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (reply_json({}, 503), "it is sealed or being maintained (status 503) - unseal it"),
        (reply_json({}, 500), "it answered with status 500"),
        (Reply(200, body=b"<html>canary</html>"), "its answer is not Vault's"),
        (reply_json(["canary"]), "its answer is not Vault's"),
        (reply_json({"data": None}), "its answer holds no secret"),
        (reply_json({"data": "canary"}), "its answer holds no secret"),
        (Reply(200, body=b"x" * 1_100_000), "its answer is larger than 1 MiB"),
        (Reply(raw=b"canary\r\n\r\n"), "it breaks off, or does not speak HTTP"),
        (Reply(raw=b""), "it breaks off, or does not speak HTTP"),
    ],
)
def test_an_answer_that_is_not_vaults_is_refused(
    server: VaultDouble, reply: Reply, said: str
) -> None:
    server.reply = reply
    assert said in refusal(server)


def test_a_server_that_is_not_there_is_said_not_to_be() -> None:
    with VaultDouble() as stopped:
        pass
    said = refusal(stopped)
    assert f"cannot be read from Vault at {stopped.url}: it cannot be reached" in said
    assert said.endswith("check VAULT_ADDR and whether it runs")


# --- time ---------------------------------------------------------------------------------


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "SECONDS", 0.3)


@pytest.mark.usefixtures("short")
def test_a_server_that_does_not_answer_in_time_holds_up_one_load_once(
    server: VaultDouble,
) -> None:
    hold = threading.Event()
    server.reply = Reply(hold=hold)
    try:
        load = Load(settings_of(server))
        for path in ("one", "two", "three"):
            with pytest.raises(BindSourceError, match="it did not answer"):
                find_values(f"vault://secret/{path}", ("k",), Path("/"), load)
        assert len(server.upstream.requests) == 1
        with pytest.raises(BindSourceError, match="it did not answer in time before"):
            find_values("vault://secret/one", ("k",), Path("/"), Load(settings_of(server)))
        assert len(server.upstream.requests) == 1
    finally:
        hold.set()


@pytest.mark.usefixtures("short")
def test_an_answer_without_end_is_given_up() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        done = threading.Event()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not done.wait(0.02):
                    try:
                        connection.sendall(b"x: y\r\n")
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            load = Load({"VAULT_ADDR": f"http://127.0.0.1:{port}", "VAULT_TOKEN": TOKEN})
            with pytest.raises(BindSourceError, match=r"did not answer within 0\.3 s"):
                find_values("vault://secret/app", ("k",), Path("/"), load)
        finally:
            done.set()
            thread.join()


# --- in a file ----------------------------------------------------------------------------


def load(folder: Path, binds: list[dict[str, object]], variables: dict[str, str]) -> LoadedFile:
    file = folder / "call.yaml"
    bearer = {"type": "bearer", "token": "{{TOKEN}}"}
    file.write_text(one_call_text(binds=binds, authentication=bearer))
    return load_file(file, variables, {})


def test_a_file_gets_its_credentials_from_vault(server: VaultDouble, tmp_path: Path) -> None:
    server.put("secret", "broker", {"key": "canary-of-broker"})
    loaded = load(tmp_path, [BROKER], settings_of(server))
    assert loaded.problems == ()
    request = build(LoadedCall(loaded).tool, Given({}))
    assert request.headers == [("Authorization", "Bearer canary-of-broker")]


def test_a_vault_that_is_down_is_a_problem_at_its_line_and_the_file_is_served(
    tmp_path: Path,
) -> None:
    with VaultDouble() as stopped:
        pass
    loaded = load(tmp_path, [BROKER], settings_of(stopped))
    (problem,) = [p for p in loaded.problems if p.rule == "bind-location"]
    assert (problem.severity, problem.consequence) == (Severity.ERROR, Consequence.NOTHING)
    assert problem.place.line > 1
    assert loaded.plan is not None
    assert loaded.plan.mcp[0].tools
    assert not any("canary" in str(p) for p in loaded.problems)
