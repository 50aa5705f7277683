"""Variables from the files that a bind's `location` names."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.binds import BindSourceError, Load, Secret, find_values
from naftiko_runtime.binds.files import lookup, path_of


def found(file: Path, *keys: str) -> dict[str, str | None]:
    return lookup(file, keys)


def test_a_location_starting_with_a_dot_is_relative_to_the_file_that_names_it(
    tmp_path: Path,
) -> None:
    assert path_of("file:///./secrets.yaml", tmp_path) == tmp_path / "secrets.yaml"
    assert path_of("file://./secrets.yaml", tmp_path) == tmp_path / "secrets.yaml"
    assert path_of("file:///etc/secrets.yaml", tmp_path) == Path("/etc/secrets.yaml")


def test_a_relative_location_that_is_not_beside_the_file_is_looked_for_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, working = tmp_path / "capabilities", tmp_path / "work"
    beside.mkdir()
    working.mkdir()
    monkeypatch.chdir(working)
    (working / "secrets.yaml").write_text("TOKEN: from-the-working-directory")
    assert find_values("file:///./secrets.yaml", ("TOKEN",), beside, Load({})).values == {
        "TOKEN": "from-the-working-directory"
    }
    (beside / "secrets.yaml").write_text("TOKEN: from-beside")
    assert find_values("file:///./secrets.yaml", ("TOKEN",), beside, Load({})).values == {
        "TOKEN": "from-beside"
    }


def test_percent_encoding_in_a_location_is_read(tmp_path: Path) -> None:
    assert path_of("file:///./my%20keys.yaml", tmp_path) == tmp_path / "my keys.yaml"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("keys.yaml", "TOKEN: abc\nPIN: 0123\nFLAG: yes\nEMPTY:\nQUOTED: '007'\n"),
        (
            "keys.json",
            '{"TOKEN": "abc", "PIN": "0123", "FLAG":"yes", "EMPTY":"", "QUOTED":"007"}',
        ),
        ("keys.env", "TOKEN=abc\nPIN=0123\nFLAG=yes\nEMPTY=\nQUOTED='007'\n"),
        (".env", "TOKEN=abc\nPIN=0123\nFLAG=yes\nEMPTY=\nQUOTED='007'\n"),
    ],
)
def test_values_are_text_as_written_in_each_format(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    keys = ("TOKEN", "PIN", "FLAG", "EMPTY", "QUOTED", "ABSENT")
    assert found(tmp_path / name, *keys) == {
        "TOKEN": "abc",
        "PIN": "0123",
        "FLAG": "yes",
        "EMPTY": "",
        "QUOTED": "007",
        "ABSENT": None,
    }


@pytest.mark.parametrize("null", ["null", "~", "NULL", "Null", ""])
def test_a_key_that_is_null_is_set_to_nothing(tmp_path: Path, null: str) -> None:
    (tmp_path / "keys.yaml").write_text(f"TOKEN: {null}\nWORD: 'null'\n")
    assert found(tmp_path / "keys.yaml", "TOKEN", "WORD") == {"TOKEN": "", "WORD": "null"}


@pytest.mark.parametrize("text", ["nullable", "~home", "null x", "nULL", "None"])
def test_text_that_only_begins_like_a_null_is_text(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.yaml").write_text(f"TOKEN: {text}\n")
    assert found(tmp_path / "keys.yaml", "TOKEN") == {"TOKEN": text}


def test_a_json_null_is_set_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('{"TOKEN": null, "WORD": "null"}')
    assert found(tmp_path / "keys.json", "TOKEN", "WORD") == {"TOKEN": "", "WORD": "null"}


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    (tmp_path / "keys.yaml").write_bytes(b"\xef\xbb\xbfTOKEN: abc\n")
    assert found(tmp_path / "keys.yaml", "TOKEN") == {"TOKEN": "abc"}


def test_a_value_that_is_no_scalar_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys.yaml").write_text("TOKEN: [a, b]\n")
    with pytest.raises(BindSourceError, match=r'keys\.yaml gives "TOKEN" a list'):
        found(tmp_path / "keys.yaml", "TOKEN")
    assert found(tmp_path / "keys.yaml", "OTHER") == {"OTHER": None}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"- a\n- b\n", "no mapping"),
        (b"", "no mapping"),
        (b"just text", "no mapping"),
        (b"a: [", "neither YAML nor JSON"),
        (b"a: b: c", "neither YAML nor JSON"),
        (b"a: \xff\xfe", "not UTF-8"),
        (b"a: " + b"[" * 5000, "nested too deeply"),
        (b"a:\n" + b"- " * 20000 + b"x", "nested too deeply"),
        (b"a: " + b"x" * 1_100_000, "larger than 1 MiB"),
        (b"a: &a [*a]\nb: *nothing\n", "neither YAML nor JSON"),
        (b"!!python/object/apply:os.system ['true']\n", "no mapping"),
        (b"? [list, key]\n: x\n", "neither YAML nor JSON"),
    ],
)
def test_a_file_that_holds_no_variables_is_refused_with_its_name_and_the_reason(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    file = tmp_path / "keys.yaml"
    file.write_bytes(content)
    with pytest.raises(BindSourceError, match=reason) as raised:
        found(file, "a")
    assert "keys.yaml" in str(raised.value)


def test_a_file_that_is_not_there_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(BindSourceError, match=r"keys\.yaml cannot be read: No such file"):
        found(tmp_path / "keys.yaml", "TOKEN")


def test_c2_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "keys.yaml")
    with pytest.raises(BindSourceError, match="is no regular file"):
        found(tmp_path / "keys.yaml", "TOKEN")


def test_c2_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BindSourceError, match="is no regular file"):
        found(tmp_path, "TOKEN")


def test_without_a_location_values_come_from_the_environment_alone(tmp_path: Path) -> None:
    values = find_values(None, ("TOKEN", "OTHER"), tmp_path, Load({"TOKEN": "abc"}))
    assert values.values == {"TOKEN": "abc", "OTHER": None}
    assert values.files == ()


def test_a_location_of_a_scheme_that_nobody_reads_is_a_key_error_of_the_scheme(
    tmp_path: Path,
) -> None:
    load = Load({"TOKEN": "from-environment"})
    with pytest.raises(KeyError, match="aws-secrets"):
        find_values("aws-secrets://data", ("TOKEN",), tmp_path, load)


def test_a_value_with_a_location_never_falls_back_to_the_environment(tmp_path: Path) -> None:
    (tmp_path / "keys.yaml").write_text("OTHER: x\n")
    values = find_values("file:///./keys.yaml", ("TOKEN",), tmp_path, Load({"TOKEN": "abc"}))
    assert values.values == {"TOKEN": None}
    assert values.files == (tmp_path / "keys.yaml",)


@given(
    st.dictionaries(
        st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), min_size=1, max_size=20),
        st.text(st.characters(exclude_categories=["Cs"])),
        max_size=5,
    )
)
def test_every_text_of_a_json_file_is_read_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, str]
) -> None:
    file = tmp_path_factory.mktemp("binds") / "keys.json"
    file.write_text(json.dumps(values))
    assert found(file, *values) == values


def test_a_secret_shows_its_text_only_when_asked_for_it() -> None:
    secret = Secret("canary-7f3a")
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r}", str([secret]), f"{secret:>20}"]
    assert not any("canary" in text for text in shown)
    assert secret.reveal() == "canary-7f3a"


def test_secrets_compare_by_their_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
