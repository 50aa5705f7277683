"""Which files of a folder are served, and what is said about the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from naftiko_runtime.problems import Severity
from naftiko_runtime.serving.contents import looks_like_capability, read_bytes
from naftiko_runtime.serving.discovery import find_files


def names(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in find_files([folder]).files]


def write(path: Path, text: str = "naftiko: 1.0.0-alpha2\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o644)
    return path


def test_a_folder_stands_for_its_yaml_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "sub/c.yaml", "D.YAML", "readme.md", "data.json"):
        write(tmp_path / name)
    assert names(tmp_path) == ["D.YAML", "a.yml", "b.yaml", "sub/c.yaml"]


@pytest.mark.parametrize(
    "name", [".hidden.yaml", ".#lock.yaml", "x.yaml~", ".x.yaml.swp", "4913", ".git/config.yaml"]
)
def test_what_editors_and_version_control_keep_is_passed_over_in_silence(
    tmp_path: Path, name: str
) -> None:
    write(tmp_path / name)
    found = find_files([tmp_path])
    assert found.files == ()
    assert [p.rule for p in found.problems] == ["empty-folder"]


def test_a_folder_without_files_is_named(tmp_path: Path) -> None:
    (problem,) = find_files([tmp_path]).problems
    assert str(tmp_path) in problem.message
    assert problem.severity is Severity.ERROR


def test_a_file_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml")
    found = find_files([path, tmp_path, tmp_path / ".." / tmp_path.name / "a.yaml"])
    assert len(found.files) == 1
    assert found.named == frozenset(found.files)


def test_a_missing_path_is_a_problem_and_the_others_are_found(tmp_path: Path) -> None:
    present = write(tmp_path / "a.yaml")
    found = find_files([tmp_path / "absent", present])
    assert found.files == (present,)
    (problem,) = found.problems
    assert problem.rule == "file-missing"
    assert '"' + str(tmp_path / "absent") + '"' in problem.message


def test_c2_a_pipe_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    write(tmp_path / "b.yaml")
    found = find_files([tmp_path])
    assert [path.name for path in found.files] == ["b.yaml"]
    (problem,) = found.problems
    assert (problem.rule, problem.place.file) == ("file-refused", str(tmp_path / "a.yaml"))
    assert "not a regular file" in problem.message


def test_c2_reading_a_pipe_that_took_the_place_of_a_file_fails_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    with pytest.raises(OSError, match="not a regular file"):
        read_bytes(tmp_path / "a.yaml")


def test_c2_a_device_is_refused() -> None:
    (problem,) = find_files([Path("/dev/null")]).problems
    assert "not a regular file" in problem.message


def test_c2_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside.yaml")
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "a.yaml").symlink_to(outside)
    found = find_files([folder])
    assert found.files == ()
    assert "leads out of the served folder" in found.problems[0].message


def test_c2_a_link_that_was_named_itself_is_followed(tmp_path: Path) -> None:
    write(tmp_path / "real.yaml")
    link = tmp_path / "link.yaml"
    link.symlink_to("real.yaml")
    assert find_files([link]).files == (link,)


def test_files_linked_inside_the_folder_are_served_as_kubernetes_mounts_them(
    tmp_path: Path,
) -> None:
    write(tmp_path / "..2026_01_01" / "orders.yaml")
    (tmp_path / "..data").symlink_to("..2026_01_01")
    (tmp_path / "orders.yaml").symlink_to("..data/orders.yaml")
    found = find_files([tmp_path])
    assert found.files == (tmp_path / "orders.yaml",)
    assert found.problems == ()


def test_c2_a_link_to_nothing_and_a_link_to_itself_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("absent.yaml")
    (tmp_path / "b.yaml").symlink_to("b.yaml")
    assert [p.rule for p in find_files([tmp_path]).problems] == ["file-refused", "file-refused"]


def test_c2_a_linked_folder_is_not_followed_but_named(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "a.yaml")
    served = tmp_path / "served"
    served.mkdir()
    (served / "more").symlink_to("../elsewhere")
    found = find_files([served])
    assert found.files == ()
    assert "link to a folder" in found.problems[0].message


def test_c2_a_file_that_everyone_may_change_is_served_with_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml")
    path.chmod(0o666)
    found = find_files([tmp_path])
    assert found.files == (path,)
    assert [(p.rule, p.severity) for p in found.problems] == [
        ("file-writable-by-all", Severity.WARNING)
    ]


def test_c1_a_file_of_a_hundred_megabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    assert find_files([tmp_path]).files == ()
    assert "split the file" in find_files([tmp_path]).problems[0].remedy


@pytest.mark.parametrize(
    "text",
    [
        "naftiko: 1.0.0-alpha2",
        "# first\n---\nnaftiko: 1",
        '"naftiko": 1',
        "info: {}\nnaftiko: 1",
        '{"naftiko": "1"}',
        "\ufeffnaftiko: 1",
    ],
)
def test_a_capability_is_known_by_its_key_at_the_root(text: str) -> None:
    assert looks_like_capability(text.encode())


@pytest.mark.parametrize(
    "text", ["openapi: 3.1.0\n", "", "info:\n  naftiko: 1\n", "# naftiko: 1\n", "\x00\x01"]
)
def test_other_texts_are_not_capabilities(text: str) -> None:
    assert not looks_like_capability(text.encode())
