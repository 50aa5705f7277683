"""A look at the files that were notified, against a look at all of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from naftiko_runtime.plan.operation import CapabilityPlan
from naftiko_runtime.serving.collection import Collection, load_collection
from naftiko_runtime.serving.discovery import find_files
from naftiko_runtime.serving.settings import SourceSettings
from tests.capability_text import capability

SETTLED = 60
"""Seconds since a file was written that leave no doubt that it is finished."""


def put(path: Path, *operations: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(capability(path.stem, "http://localhost:1", *operations))
    return settle(path)


def settle(path: Path) -> Path:
    path.chmod(0o644)
    moment = time.time() - SETTLED
    os.utime(path, (moment, moment))
    return path


def seen(collection: Collection) -> object:
    """What is served and said; plans are compared by what they serve."""
    files = {
        path: (file.digests, file.kept, file.problems, served([file.plan]))
        for path, file in collection.files.items()
    }
    facts = collection.problems, collection.folders, collection.unsettled
    return list(files.items()), facts, served(collection.plans)


def served(plans: Iterable[CapabilityPlan | None]) -> list[str]:
    return [
        operation.name
        for plan in plans
        if plan is not None
        for adapter in plan.rest
        for operation in adapter.operations
    ]


def added(folder: Path) -> list[Path]:
    return [put(folder / "aa.yaml"), put(folder / "zz.yml")]


def changed(folder: Path) -> list[Path]:
    return [put(folder / "b.yaml", "other", "another")]


def broken(folder: Path) -> list[Path]:
    (folder / "b.yaml").write_text("naftiko: [")
    return [settle(folder / "b.yaml")]


def removed(folder: Path) -> list[Path]:
    (folder / "b.yaml").unlink()
    return [folder / "b.yaml"]


def renamed(folder: Path) -> list[Path]:
    return [folder / "b.yaml", (folder / "b.yaml").rename(folder / "d.yaml")]


def in_a_subfolder(folder: Path) -> list[Path]:
    return [put(folder / "sub" / "new.yaml")]


def in_a_new_subfolder(folder: Path) -> list[Path]:
    put(folder / "fresh" / "new.yaml")
    return [folder / "fresh"]


def came_and_went(folder: Path) -> list[Path]:
    return [folder / "was-here.yaml"]


def no_capability(folder: Path) -> list[Path]:
    (folder / "values.yaml").write_text("a: 1\n")
    return [settle(folder / "values.yaml")]


def linked(folder: Path) -> list[Path]:
    (folder / "aaa.yaml").symlink_to(folder / "c.yaml")
    return [folder / "aaa.yaml"]


def linked_and_changed(folder: Path) -> list[Path]:
    return [*linked(folder), put(folder / "c.yaml", "other")]


def writable_by_all(folder: Path) -> list[Path]:
    path = put(folder / "open.yaml")
    path.chmod(0o666)
    return [path]


def a_pipe(folder: Path) -> list[Path]:
    os.mkfifo(folder / "pipe.yaml")
    return [folder / "pipe.yaml"]


def settings_came(folder: Path) -> list[Path]:
    (folder / "runtime.yaml").write_text("upstreams: {b: {base-uri: 'http://localhost:2'}}\n")
    return [settle(folder / "runtime.yaml")]


def an_editors_file(folder: Path) -> list[Path]:
    return [put(folder / ".#b.yaml")]


def just_written(folder: Path) -> list[Path]:
    (folder / "b.yaml").write_text("naftiko: [")
    return [folder / "b.yaml"]


EVENTS: list[Callable[[Path], list[Path]]] = [
    added,
    changed,
    broken,
    removed,
    renamed,
    in_a_subfolder,
    in_a_new_subfolder,
    came_and_went,
    no_capability,
    linked,
    linked_and_changed,
    writable_by_all,
    a_pipe,
    settings_came,
    an_editors_file,
    just_written,
]


@pytest.mark.skipif(os.name != "posix", reason="has links, pipes and modes")
@pytest.mark.parametrize("event", EVENTS)
def test_a_look_at_what_was_notified_sees_what_a_look_at_everything_sees(
    tmp_path: Path, event: Callable[[Path], list[Path]]
) -> None:
    for name in ("b.yaml", "c.yaml", "sub/s.yaml"):
        put(tmp_path / name)
    settings = SourceSettings((tmp_path,))
    before = load_collection(settings)
    notified = event(tmp_path)
    quick = load_collection(settings, before, notified)
    assert seen(quick) == seen(load_collection(settings, before))
    again = load_collection(settings, quick)
    if not quick.unsettled:
        assert not again.differs_from(quick)


@pytest.mark.skipif(os.name != "posix", reason="has links, pipes and modes")
@pytest.mark.parametrize("event", EVENTS)
def test_a_second_search_finds_what_a_first_one_would_find(
    tmp_path: Path, event: Callable[[Path], list[Path]]
) -> None:
    for name in ("b.yaml", "c.yaml", "sub/s.yaml"):
        put(tmp_path / name)
    before = find_files([tmp_path])
    event(tmp_path)
    assert find_files([tmp_path], before=before) == find_files([tmp_path])


def test_an_empty_folder_gets_its_first_file(tmp_path: Path) -> None:
    settings = SourceSettings((tmp_path,))
    before = load_collection(settings)
    quick = load_collection(settings, before, [put(tmp_path / "first.yaml")])
    assert served(quick.plans) == ["ping"]
    assert quick.problems == ()


def test_files_that_were_not_notified_are_not_looked_at(tmp_path: Path) -> None:
    put(tmp_path / "a.yaml")
    settings = SourceSettings((tmp_path,))
    before = load_collection(settings)
    put(tmp_path / "a.yaml", "other")
    quick = load_collection(settings, before, [put(tmp_path / "b.yaml", "new")])
    assert served(quick.plans) == ["ping", "new"]
    assert served(load_collection(settings, quick).plans) == ["other", "new"]


def test_a_folder_named_relatively_is_known_by_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "served" / "a.yaml")
    monkeypatch.chdir(tmp_path)
    settings = SourceSettings((Path("served"),))
    before = load_collection(settings)
    quick = load_collection(settings, before, [put(tmp_path / "served" / "b.yaml", "new")])
    assert list(quick.files) == [Path("served/a.yaml"), Path("served/b.yaml")]
    assert not load_collection(settings, quick).differs_from(quick)


def test_a_file_that_is_named_itself_is_served_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "served" / "a.yaml")
    monkeypatch.chdir(tmp_path)
    settings = SourceSettings((Path("served"), Path("served/../served/b.yaml")))
    before = load_collection(settings)
    quick = load_collection(settings, before, [put(tmp_path / "served" / "b.yaml", "new")])
    assert served(quick.plans) == ["ping", "new"]
