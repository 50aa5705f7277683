"""Variables from mounted folders of secrets, and from what platforms make of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from naftiko_runtime.binds import BindSourceError, Found, Load, find_values
from naftiko_runtime.binds.mounted import lookup


def mount(folder: Path, generation: str, **values: str) -> None:
    """Writes a secret as Kubernetes does: a folder per generation, and a link that is replaced."""
    inner = folder / f"..{generation}"
    inner.mkdir(parents=True)
    for key, value in values.items():
        (inner / key).write_text(value)
        link = folder / key
        if not link.is_symlink():
            link.symlink_to(f"..data/{key}")
    new = folder / "..data_tmp"
    new.symlink_to(inner.name)
    new.rename(folder / "..data")


def found(location: str, *keys: str, **variables: str) -> Found:
    return find_values(location, keys, Path("/nowhere"), Load(variables))


# --- folders ------------------------------------------------------------------------------


def test_each_key_is_a_file_of_the_folder(tmp_path: Path) -> None:
    mount(tmp_path, "2026_11_21", token="abc", **{"user-name": "ada"})
    folder = f"file://{tmp_path}/"
    values = found(folder, "token", "user-name", "absent")
    assert values.values == {"token": "abc", "user-name": "ada", "absent": None}
    assert values.files == tuple(tmp_path / key for key in ("token", "user-name", "absent"))


def test_plain_files_are_read_as_well(tmp_path: Path) -> None:
    """As Docker mounts its secrets."""
    (tmp_path / "token").write_text("abc")
    (tmp_path / "empty").write_text("")
    assert found(f"file://{tmp_path}", "token", "empty").values == {"token": "abc", "empty": ""}


def test_a_relative_folder_is_beside_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/token").write_text("abc")
    values = find_values("file:///./secrets/", ("token",), tmp_path, Load({}))
    assert values.values == {"token": "abc"}


def test_a_new_generation_takes_the_place_of_the_last_one(tmp_path: Path) -> None:
    mount(tmp_path, "one", a="1", b="1")
    assert lookup(tmp_path, ("a", "b")).values == {"a": "1", "b": "1"}
    mount(tmp_path, "two", a="2", b="2")
    assert lookup(tmp_path, ("a", "b")).values == {"a": "2", "b": "2"}


def test_all_keys_come_from_one_generation(tmp_path: Path) -> None:
    """The link of one key can be behind: what counts is where `..data` leads."""
    mount(tmp_path, "one", a="1", b="1")
    mount(tmp_path, "two", a="2", b="2")
    (tmp_path / "a").unlink()
    (tmp_path / "a").symlink_to("..one/a")
    assert lookup(tmp_path, ("a", "b")).values == {"a": "2", "b": "2"}


def test_a_generation_that_goes_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount(tmp_path, "one", a="1", b="1")
    read = Path.open
    replaced: list[bool] = []

    def open_and_replace(self: Path, *arguments: Any, **named: Any) -> object:
        opened = read(self, *arguments, **named)
        if self.name == "a" and not replaced:
            replaced.append(True)
            mount(tmp_path, "two", a="2", b="2")
            for key in ("a", "b"):
                (tmp_path / "..one" / key).unlink()
            (tmp_path / "..one").rmdir()
        return opened

    monkeypatch.setattr(Path, "open", open_and_replace)
    assert lookup(tmp_path, ("a", "b")).values == {"a": "2", "b": "2"}
    assert replaced


def test_c2_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("canary-7f3a")
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "token").symlink_to("../outside")
    with pytest.raises(BindSourceError, match="token is a link that leads out of the folder") as e:
        lookup(folder, ("token",))
    assert "canary" not in str(e.value)
    (folder / "..data").symlink_to("..")
    with pytest.raises(BindSourceError, match=r'a link "\.\.data" that leads out of it'):
        lookup(folder, ("outside",))


@pytest.mark.parametrize("key", ["", "..", "../outside", "a/b", "/etc/passwd", "..data", "a\0b"])
def test_c2_a_key_that_names_no_file_of_the_folder_is_refused(tmp_path: Path, key: str) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (tmp_path / "outside").write_text("x")
    with pytest.raises(BindSourceError, match="can hold no file called"):
        lookup(folder, (key,))


def test_c2_a_pipe_is_not_waited_for_and_a_folder_is_no_value(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for key in ("pipe", "folder"):
        with pytest.raises(BindSourceError, match=f"{key} is no regular file"):
            lookup(tmp_path, (key,))


@pytest.mark.parametrize(
    ("content", "reason"), [(b"\xff", "is not UTF-8 text"), (b"x" * 1_048_577, "larger than 1 MiB")]
)
def test_a_value_that_is_no_text_of_that_size_is_refused(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(BindSourceError, match=reason):
        lookup(tmp_path, ("token",))


def test_a_folder_that_is_not_there_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(BindSourceError, match="none cannot be read: no such file or directory"):
        lookup(tmp_path / "none", ("token",))
    with pytest.raises(BindSourceError, match="none cannot be read: No such file"):
        found(f"file://{tmp_path}/none/", "token")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.binary(max_size=40))
def test_every_text_is_read_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        with pytest.raises(BindSourceError):
            lookup(tmp_path, ("token",))
    else:
        assert lookup(tmp_path, ("token",)).values == {"token": text}


# --- Kubernetes ---------------------------------------------------------------------------


@pytest.mark.parametrize("location", ["k8s-secret://broker", "k8s-secret://trading/broker/"])
def test_a_secret_of_kubernetes_is_its_mounted_folder(tmp_path: Path, location: str) -> None:
    mount(tmp_path / "broker", "one", token="abc")
    values = found(location, "token", "absent", NAFTIKO_SECRETS_DIR=str(tmp_path))
    assert values.values == {"token": "abc", "absent": None}
    assert values.files[0] == tmp_path / "broker/token"


def test_a_secret_that_is_not_mounted_is_refused_with_where_it_was_looked_for(
    tmp_path: Path,
) -> None:
    with pytest.raises(BindSourceError) as raised:
        found("k8s-secret://broker", "token", NAFTIKO_SECRETS_DIR=str(tmp_path))
    assert str(raised.value) == (
        f'"k8s-secret://broker" is not mounted (looked for {tmp_path}/broker, '
        "/etc/secrets/broker, /run/secrets/broker, /var/run/secrets/broker)"
    )
    assert "mount it in the pod at /etc/secrets/broker" in raised.value.remedy


@pytest.mark.parametrize(
    "location",
    [
        "k8s-secret://",
        "k8s-secret://a/b/c",
        "k8s-secret://../x",
        "k8s-secret://a/..",
        "k8s-secret://A",
    ],
)
def test_a_location_that_names_no_secret_is_refused(location: str) -> None:
    with pytest.raises(BindSourceError, match="names no secret"):
        found(location, "token")


# --- GitHub -------------------------------------------------------------------------------


def test_secrets_of_github_are_what_the_workflow_mapped() -> None:
    values = found("github-secrets://naftiko/runtime", "TOKEN", "ABSENT", TOKEN="abc")
    assert values.values == {"TOKEN": "abc", "ABSENT": None}


def test_secrets_of_github_that_nobody_mapped_are_refused_with_how_to() -> None:
    with pytest.raises(BindSourceError, match="GitHub hands secrets to workflows only") as raised:
        found("github-secrets://naftiko/runtime", "TOKEN")
    assert "env: TOKEN: ${{ secrets.TOKEN }}" in raised.value.remedy
