"""Files of a folder that callers may see: what is listed can be read, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from naftiko_runtime.exposes.folder import (
    FileRefused,
    list_folder,
    read_folder_file,
    subfolders,
)
from naftiko_runtime.exposes.media_types import guess_media_type

INSIDE = {
    "a.txt": b"a",
    "a": b"a without an end",
    "deep/b.txt": b"b",
    "deep/er/c.txt": b"c",
}
SECRET = b"hunter2"
SEGMENTS = [
    *("a.txt", "a", "deep", "er", "b.txt", "c.txt"),
    *("..", ".", "", "...", "~", "%2e%2e", "..%2f", "%00", "\x00", "\\", "..\\", "/", "\n"),
    *("root", "secret.txt", "out", "out.txt", "in.txt", "up", ".hidden", "etc", "passwd", "pipe"),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files, links and hidden things in it, and secrets beside it."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.txt").write_bytes(SECRET)
    folder = outside / "root"
    for path, content in INSIDE.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / ".hidden").write_bytes(SECRET)
    (folder / "out.txt").symlink_to(outside / "secret.txt")
    (folder / "out").symlink_to(outside)
    (folder / "up").symlink_to("..")
    (folder / "in.txt").symlink_to("deep/b.txt")
    return folder


def content_or_refusal(root: Path, path: str) -> bytes | str:
    try:
        return read_folder_file(root, path)
    except FileRefused as refused:
        return str(refused)


@given(st.lists(st.sampled_from(SEGMENTS) | st.text(max_size=3), max_size=6).map("/".join))
@example(".hidden")
@example("out.txt")
@example("out/secret.txt")
@example("up/secret.txt")
@example("up/root/a.txt")
@example("a" * 5000 + "/a.txt")
def test_A1_whatever_path_is_asked_for_is_a_file_inside_or_refused(root: Path, path: str) -> None:
    found = content_or_refusal(root, path)
    if path in INSIDE or path == "in.txt":
        assert found == INSIDE.get(path, b"b")
    else:
        assert isinstance(found, str)
        assert str(root) not in found


def test_what_is_listed_can_be_read_and_what_is_left_out_cannot(root: Path) -> None:
    listing = list_folder(root)
    assert [file.path for file in listing.files] == sorted([*INSIDE, "in.txt"])
    for file in listing.files:
        assert len(read_folder_file(root, file.path)) == file.size
    assert {path for path, _ in listing.left_out} == {"out.txt", "out", "up"}
    for path, _ in listing.left_out:
        with pytest.raises(FileRefused):
            read_folder_file(root, path)


def test_a_link_to_a_folder_is_not_followed_even_where_it_stays_inside(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.txt").touch()
    (tmp_path / "alias").symlink_to("deep")
    assert [file.path for file in list_folder(tmp_path).files] == ["deep/b.txt"]
    with pytest.raises(FileRefused, match="link to a folder"):
        read_folder_file(tmp_path, "alias/b.txt")


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert list_folder(missing).files == ()
    assert subfolders(missing) == []
    with pytest.raises(FileRefused, match="no such file"):
        read_folder_file(missing, "a.txt")


def test_subfolders_are_those_whose_files_are_listed(root: Path) -> None:
    (root / ".git").mkdir(exist_ok=True)
    assert subfolders(root) == [root, root / "deep", root / "deep" / "er"]


def test_nesting_beyond_all_measure_is_left_out(tmp_path: Path) -> None:
    deepest = tmp_path
    for _ in range(40):
        deepest /= "d"
    deepest.mkdir(parents=True)
    (deepest / "x.txt").touch()
    listing = list_folder(tmp_path)
    assert listing.files == ()
    ((_, reason),) = listing.left_out
    assert "too deep" in reason


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("README.md", "text/markdown"),
        ("README.MD", "text/markdown"),
        ("a.tar.json", "application/json"),
        ("x.yml", "application/yaml"),
        ("logo.png", "image/png"),
        ("page.html", "text/html"),
        ("LICENSE", None),
        ("x.unknown", None),
        ("x.", None),
    ],
)
def test_media_types_go_by_the_end_of_a_name(name: str, media_type: str | None) -> None:
    assert guess_media_type(name) == media_type
