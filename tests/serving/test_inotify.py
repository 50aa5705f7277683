"""What Linux tells of folders."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from naftiko_runtime.serving.inotify import notifications

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="is told by Linux"),
]

LONG = 20.0
SHORT = 0.2


def of_yaml(path: str) -> bool:
    return path.endswith(".yaml")


async def told(
    folder: Path, event: Callable[[], object], seconds: float = LONG
) -> AsyncGenerator[frozenset[str]]:
    """What is told from an event on."""
    async with aclosing(notifications([str(folder)], of_yaml, seconds)) as each:
        first = asyncio.ensure_future(anext(each))
        await asyncio.sleep(0)
        event()
        yield await first
        async for more in each:
            yield more


async def first_told(
    folder: Path, event: Callable[[], object], seconds: float = LONG
) -> frozenset[str]:
    async with aclosing(told(folder, event, seconds)) as each:
        return await anext(each)


async def test_a_file_that_is_moved_into_a_folder_is_told_of(tmp_path: Path) -> None:
    folder, path = tmp_path / "served", tmp_path / "elsewhere"
    folder.mkdir()
    path.touch()
    found = await first_told(folder, lambda: path.rename(folder / "a.yaml"))
    assert found == {str(folder / "a.yaml")}


async def test_a_file_is_told_of_when_it_has_been_written_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    with path.open("w") as file:

        def write() -> None:
            file.write("half of it")
            file.flush()

        assert await first_told(tmp_path, write, SHORT) == frozenset()
        assert await first_told(tmp_path, file.close) == {str(path)}


async def test_a_file_that_is_being_made_is_not_told_of(tmp_path: Path) -> None:
    opened = []
    event = lambda: opened.append((tmp_path / "a.yaml").open("w"))  # noqa: E731
    assert await first_told(tmp_path, event, SHORT) == frozenset()
    opened[0].close()


@pytest.mark.parametrize("change", ["removed", "moved away", "its mode"])
async def test_what_happens_to_a_file_is_told(tmp_path: Path, change: str) -> None:
    folder = tmp_path / "served"
    folder.mkdir()
    path = folder / "a.yaml"
    path.touch()
    events: dict[str, Callable[[], object]] = {
        "removed": path.unlink,
        "moved away": lambda: path.rename(tmp_path / "elsewhere"),
        "its mode": lambda: path.chmod(0o600),
    }
    assert await first_told(folder, events[change]) == {str(path)}


@pytest.mark.parametrize("kind", ["folder", "symbolic link", "hard link"])
async def test_what_is_made_at_once_is_told_of_at_once(tmp_path: Path, kind: str) -> None:
    folder, other = tmp_path / "served", tmp_path / "other"
    folder.mkdir()
    other.touch()
    path = folder / "a.yaml"
    events: dict[str, Callable[[], object]] = {
        "folder": path.mkdir,
        "symbolic link": lambda: path.symlink_to(other),
        "hard link": lambda: path.hardlink_to(other),
    }
    assert await first_told(folder, events[kind]) == {str(path)}


async def test_what_does_not_matter_is_not_told(tmp_path: Path) -> None:
    event = lambda: (tmp_path / "a.log").write_text("a line\n")  # noqa: E731
    assert await first_told(tmp_path, event, SHORT) == frozenset()


async def test_a_folder_that_goes_is_a_reason_to_look(tmp_path: Path) -> None:
    folder = tmp_path / "served"
    folder.mkdir()
    async with asyncio.timeout(LONG / 2):
        assert await first_told(folder, folder.rmdir) == frozenset()


async def test_what_happens_between_two_looks_is_told_at_the_next(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.yaml" for name in "abc"]
    found: set[str] = set()
    async with aclosing(told(tmp_path, paths[0].touch)) as each:
        async for happened in each:
            found |= happened
            if len(found) == len(paths):
                break
            for path in paths[1:]:
                path.touch()
    assert found == set(map(str, paths))


async def test_folders_that_are_not_there_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    folders = [str(tmp_path / "absent"), str(tmp_path)]
    async with aclosing(notifications(folders, of_yaml, LONG)) as each:
        first = asyncio.ensure_future(anext(each))
        await asyncio.sleep(0)
        path.touch()
        assert await first == {str(path)}
