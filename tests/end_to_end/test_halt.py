"""The kill switch: a command that needs nothing running, and its file."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from tests.end_to_end.approving import Floor, trading_floor
from tests.serving_process import run_naftiko

OPEN = "guards: []\n"


def test_halt_stops_every_change_and_lift_lets_them_go_on(tmp_path: Path) -> None:
    with trading_floor(tmp_path, OPEN) as floor:
        assert floor.place().status_code == 201
        code, printed, _ = floor.command("halt", floor.folder)
        assert code == 0
        assert str(floor.folder / "HALT") in printed
        assert floor.place().status_code == 503
        assert _list(floor) == 200
        assert "already halted" in floor.command("halt", floor.folder)[1]
        assert floor.command("halt", floor.folder, "--lift")[0] == 0
        assert floor.place().status_code == 201
    assert len(floor.orders) == 2


def _list(floor: Floor) -> int:
    url = floor.serving.rest() + "/orders"
    return httpx2.get(url, timeout=60, trust_env=False).status_code


def test_what_was_halted_before_it_started_is_halted(tmp_path: Path) -> None:
    folder = tmp_path / "capabilities"
    folder.mkdir()
    assert run_naftiko("halt", folder).returncode == 0
    with trading_floor(tmp_path, OPEN) as floor:
        assert floor.place().status_code == 503
    assert floor.orders == []


@pytest.mark.parametrize("lift", [False, True])
def test_a_path_that_is_not_there_is_an_error(tmp_path: Path, lift: bool) -> None:
    options = ["--lift"] if lift else []
    done = run_naftiko("halt", tmp_path / "nothing", *options)
    assert done.returncode == 1
    assert "name what is served" in done.stderr


def test_the_file_of_the_settings_is_made(tmp_path: Path) -> None:
    (tmp_path / "runtime.yaml").write_text("halt: {file: stop/here}\n")
    (tmp_path / "stop").mkdir()
    assert run_naftiko("halt", tmp_path).returncode == 0
    assert (tmp_path / "stop" / "here").read_text().startswith("all changes are halted since")
    assert run_naftiko("halt", tmp_path, "--lift").returncode == 0
    assert not (tmp_path / "stop" / "here").exists()
    assert "nothing was halted" in run_naftiko("halt", tmp_path, "--lift").stdout


def test_settings_that_are_broken_halt_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "runtime.yaml").write_text("guards: [\n")
    done = run_naftiko("halt", tmp_path)
    assert done.returncode == 0
    assert "is broken" in done.stderr
    assert (tmp_path / "HALT").exists()


def test_a_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "runtime.yaml").write_text("halt: {file: nowhere/here}\n")
    done = run_naftiko("halt", tmp_path)
    assert done.returncode == 1
    assert "stop the process" in done.stderr


def test_what_is_there_already_is_left_as_it_is(tmp_path: Path) -> None:
    kept = tmp_path / "HALT"
    kept.write_text("mine")
    assert run_naftiko("halt", tmp_path).returncode == 0
    assert kept.read_text() == "mine"


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("kept")
    (tmp_path / "HALT").symlink_to(target)
    assert run_naftiko("halt", tmp_path).returncode == 0
    assert target.read_text() == "kept"
    assert run_naftiko("halt", tmp_path, "--lift").returncode == 0
    assert target.read_text() == "kept"


def test_halting_without_settings_says_whom_it_does_not_reach(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("halt: {file: STOP}\n")
    assert "the same --settings" in run_naftiko("halt", tmp_path).stdout
    told = run_naftiko("halt", tmp_path, "--settings", other).stdout
    assert "the same --settings" not in told
    assert (tmp_path / "STOP").exists()
