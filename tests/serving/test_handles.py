"""Files by which the operator's commands find running processes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from naftiko_runtime.serving.handles import (
    Handle,
    HandleError,
    find_handles,
    handle_folder,
    remove_handle,
    write_handle,
)

MINE = Handle(os.getpid(), "http://127.0.0.1:9099", "key", ("/a.yaml",))
GONE = 2**22 + 1
"""No process has this number."""


def test_a_handle_is_found_until_it_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert find_handles(folder) == []
    path = write_handle(MINE, folder)
    assert find_handles(folder) == [MINE]
    remove_handle(path)
    remove_handle(path)
    assert find_handles(folder) == []


def test_only_the_user_can_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = write_handle(MINE, tmp_path / "running")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o701, 0o750, 0o777])
def test_a_folder_that_others_can_reach_is_not_used(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "running"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(HandleError, match="open to other users"):
        write_handle(MINE, folder)
    with pytest.raises(HandleError, match="open to other users"):
        find_handles(folder)


def test_a_link_to_a_folder_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(HandleError):
        write_handle(MINE, tmp_path / "link")


def test_a_file_that_others_can_reach_is_an_error(tmp_path: Path) -> None:
    path = write_handle(MINE, tmp_path / "running")
    path.chmod(0o644)
    with pytest.raises(HandleError, match="open to other users"):
        find_handles(tmp_path / "running")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"pid": "x"}', "\xff", "null", '{"pid": 1}'])
def test_what_is_no_handle_is_passed_over(tmp_path: Path, content: str) -> None:
    path = write_handle(MINE, tmp_path / "running")
    path.write_text(content)
    assert find_handles(path.parent) == []


def test_what_a_killed_process_left_is_passed_over_and_tidied_up(tmp_path: Path) -> None:
    folder = tmp_path / "running"
    left = write_handle(Handle(GONE, "http://127.0.0.1:1", "key"), folder)
    assert left.exists()
    assert find_handles(folder) == []
    write_handle(MINE, folder)
    assert not left.exists()
    assert find_handles(folder) == [MINE]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"NAFTIKO_RUNTIME_DIR": "/x"}, "/x"),
        ({"XDG_RUNTIME_DIR": "/run/user/1"}, "/run/user/1/naftiko"),
        ({"XDG_STATE_HOME": "/s"}, "/s/naftiko/running"),
        ({"HOME": "/h"}, "/h/.local/state/naftiko/running"),
    ],
)
def test_the_folder_is_the_users_own(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NAFTIKO_RUNTIME_DIR", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert handle_folder() == Path(expected)
