"""Files from version to version: what is taken over, what is kept, what is waited for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from naftiko_runtime.plan.load import LoadedFile, load_file
from naftiko_runtime.serving import marks, versions
from naftiko_runtime.serving.collection import Collection, load_collection
from naftiko_runtime.serving.settings import PortSettings, SourceSettings
from naftiko_runtime.serving.tables import build_tables
from tests.capability_text import capability

Write = Callable[..., Path]

SETTLED = 60
"""Seconds since a file was written that leave no doubt that it is finished."""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(name: str, text: str, age: float = SETTLED) -> Path:
        path = tmp_path / f"{name}.yaml"
        path.write_text(text)
        path.chmod(0o644)
        moment = time.time() - age
        os.utime(path, (moment, moment))
        return path

    return put


def text(*operations: str) -> str:
    return capability("orders", "http://localhost:1", *operations)


def load(folder: Path, previous: Collection | None = None) -> Collection:
    return load_collection(SourceSettings((folder,)), previous)


def routes(collection: Collection) -> list[str]:
    return [o.name for plan in collection.plans for a in plan.rest for o in a.operations]


def test_nothing_is_loaded_again_that_has_not_changed(tmp_path: Path, write: Write) -> None:
    write("a", text("one"))
    first = load(tmp_path)
    second = load(tmp_path, first)
    assert second.files[tmp_path / "a.yaml"] is first.files[tmp_path / "a.yaml"]
    assert not second.differs_from(first)


def test_a_change_that_hides_its_time_and_size_is_found(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contents are not looked at each time, once the clock of the file system has moved on."""
    monkeypatch.setattr(marks, "_TICK_NANOSECONDS", 1_000_000)
    path = write("a", text("one"))
    first = load(tmp_path)
    time.sleep(0.05)
    second = load(tmp_path, first)
    before = path.stat()
    write("a", text("two"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    third = load(tmp_path, second)
    assert routes(third) == ["two"]
    assert third.differs_from(second)


@pytest.mark.skipif(os.name != "posix", reason="contents are looked at each time")
def test_contents_are_not_read_again_where_the_file_system_says_that_nothing_was_written(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "_TICK_NANOSECONDS", 1_000_000)
    write("a", text("one"))
    time.sleep(0.05)
    collections = [load(tmp_path)]
    collections.append(load(tmp_path, collections[-1]))
    read: list[Path] = []

    def reading(path: Path) -> bytes:
        read.append(path)
        return b""

    monkeypatch.setattr(marks, "read_bytes", reading)
    last = load(tmp_path, collections[-1])
    assert read == []
    assert not last.differs_from(collections[0])


def test_tables_keep_what_unchanged_files_serve(tmp_path: Path, write: Write) -> None:
    write("a", text("one"))
    write("c", text("three").replace("orders", "others"))
    first = load(tmp_path)
    (before, *_), _ = build_tables(first.plans, PortSettings())
    write("b", text("two").replace("orders", "more"))
    (after, *_), _ = build_tables(load(tmp_path, first).plans, PortSettings(), (before,))
    (afresh, *_), _ = build_tables(load(tmp_path).plans, PortSettings())
    assert before.rest is not None
    assert after.rest is not None
    assert afresh.rest is not None
    kept = [each for each in after.rest.operations if each in before.rest.operations]
    assert kept == list(before.rest.operations)
    names = [each.plan.name for each in afresh.rest.operations]
    assert [each.plan.name for each in after.rest.operations] == names


def test_a_version_that_takes_something_away_is_taken_once_it_is_finished(
    tmp_path: Path, write: Write
) -> None:
    write("a", text("one", "two"))
    first = load(tmp_path)
    write("a", text("one"), age=0)
    unfinished = load(tmp_path, first)
    assert unfinished.unsettled
    assert not unfinished.differs_from(first)
    write("a", text("one"))
    assert routes(load(tmp_path, unfinished)) == ["one"]


def test_a_version_that_only_adds_is_taken_at_once(tmp_path: Path, write: Write) -> None:
    write("a", text("one"))
    first = load(tmp_path)
    write("a", text("one", "two"), age=0)
    second = load(tmp_path, first)
    assert not second.unsettled
    assert routes(second) == ["one", "two"]


@pytest.mark.parametrize("half", ["", "naftiko: 1.0.0-alpha2\ninfo: {", "info:\n"])
def test_half_of_a_new_file_is_not_reported_before_it_is_finished(
    tmp_path: Path, write: Write, half: str
) -> None:
    write("a", text("one"))
    first = load(tmp_path)
    write("b", half, age=0)
    unfinished = load(tmp_path, first)
    assert unfinished.unsettled
    assert unfinished.all_problems == []
    write("b", half)
    finished = load(tmp_path, unfinished)
    assert not finished.unsettled
    assert [p.place.file for p in finished.all_problems] == [str(tmp_path / "b.yaml")]


def test_a_file_from_the_future_is_finished(tmp_path: Path, write: Write) -> None:
    write("a", text("one", "two"))
    first = load(tmp_path)
    write("a", text("one"), age=-3600)
    assert routes(load(tmp_path, first)) == ["one"]


def test_a_kept_version_stays_until_the_file_is_mended(tmp_path: Path, write: Write) -> None:
    path = write("a", text("one"))
    collection = load(tmp_path)
    for _ in range(2):
        write("a", "naftiko: [")
        collection = load(tmp_path, collection)
        assert collection.files[path].kept
        assert routes(collection) == ["one"]
        assert collection.files[path].problems
    write("a", text("two"))
    collection = load(tmp_path, collection)
    assert routes(collection) == ["two"]
    assert not collection.files[path].kept


def test_a_file_that_is_removed_takes_its_last_good_version_along(
    tmp_path: Path, write: Write
) -> None:
    path = write("a", text("one"))
    first = load(tmp_path)
    write("a", "naftiko: [")
    kept = load(tmp_path, first)
    path.unlink()
    assert load(tmp_path, kept).plans == ()


def test_a_file_that_cannot_be_read_any_more_stays_in_service(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("a", text("one"))
    first = load(tmp_path)

    def denied(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    for module in (marks, versions):
        monkeypatch.setattr(module, "read_bytes", denied)
    second = load(tmp_path, first)
    assert routes(second) == ["one"]
    (problem,) = second.files[path].problems
    assert "Permission denied" in problem.message


def test_a_refused_file_is_the_same_at_every_look(tmp_path: Path, write: Write) -> None:
    path = write("a", text("one"))
    first = load(tmp_path)
    path.unlink()
    os.mkfifo(path)
    second = load(tmp_path, first)
    assert routes(second) == ["one"]
    assert not load(tmp_path, second).differs_from(second)


def test_a_bug_in_loading_one_file_does_not_take_the_others_down(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a", text("one"))
    bad = write("b", text("two"))

    def buggy(
        path: Path, variables: Mapping[str, str], base_uris: Mapping[str, str], data: bytes
    ) -> LoadedFile:
        if path == bad:
            raise KeyError("secret")
        return load_file(path, variables, base_uris, data)

    monkeypatch.setattr(versions, "load_file", buggy)
    collection = load(tmp_path)
    assert routes(collection) == ["one"]
    (problem,) = collection.all_problems
    assert (problem.rule, problem.place.file) == ("internal-error", str(bad))
    assert "secret" not in problem.message


def test_a_missing_file_of_variables_is_a_problem_and_later_keeps_the_last_values(
    tmp_path: Path, write: Write
) -> None:
    write("a", text("one"))
    env_file = tmp_path / "values.env"
    settings = SourceSettings((tmp_path,), env_file)
    assert [p.rule for p in load_collection(settings).problems] == ["env-file"]
    env_file.write_text("NAFTIKO_TEST_VALUE=1\n")
    first = load_collection(settings)
    assert first.variables["NAFTIKO_TEST_VALUE"] == "1"
    env_file.unlink()
    second = load_collection(settings, first)
    assert second.variables["NAFTIKO_TEST_VALUE"] == "1"
    assert [p.rule for p in second.problems] == ["env-file"]
