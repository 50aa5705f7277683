"""For each rule of docs/errors.md, files that break it: `problem_samples.txt`.

The file has a section `=== RULE` for each, with changes of the capability below as hunks of a
diff (a blank line between two), and other files after `--- NAME`. `path=` (with commas between
several) and `env=` are what the command is given instead of `shop.yaml`; `prepare=` names one of
the functions here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from naftiko_runtime.cli.validate import find_problems
from naftiko_runtime.problems import Problem
from naftiko_runtime.serving.collection import load_collection
from naftiko_runtime.serving.observability import wanted_settings
from naftiko_runtime.serving.settings import PortSettings, SourceSettings
from naftiko_runtime.serving.sharing import open_to_others
from naftiko_runtime.serving.tables import build_tables

SHOP = """\
naftiko: 1.0.0-alpha2
info:
  label: Bookshop
capability:
  consumes:
    - namespace: books-api
      type: http
      baseUri: https://api.example.com
      resources:
        - name: book
          path: /books/{id}
          operations:
            - name: get-book
              method: GET
  exposes:
    - type: rest
      port: 8080
      namespace: shop
      resources:
        - path: /books/{id}
          operations:
            - method: GET
              name: get-book
              call: books-api.get-book
    - type: mcp
      port: 9090
      namespace: shop-tools
      tools:
        - name: get-book
          description: One book.
          call: books-api.get-book
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """Files by name, and what the command is given."""

    files: dict[str, str] = field(default_factory=dict)
    path: str = "shop.yaml"
    env_file: str | None = None
    prepare: str | None = None


def read_samples() -> dict[str, Sample]:
    text = Path(__file__).with_name("problem_samples.txt").read_text(encoding="utf-8")
    head, *sections = re.split(r"^=== ", text, flags=re.MULTILINE)
    assert not head.strip()
    return dict(_read_sample(section) for section in sections)


def _read_sample(section: str) -> tuple[str, Sample]:
    first, _, rest = section.partition("\n")
    rule, *words = first.split()
    options = dict(word.split("=", 1) for word in words)
    hunks, *others = re.split(r"^--- ", rest, flags=re.MULTILINE)
    files = {"shop.yaml": _changed(SHOP, hunks)}
    for other in others:
        name, _, lines = other.partition("\n")
        files[name] = _changed("", lines)
    path, env = options.get("path", "shop.yaml"), options.get("env")
    return rule, Sample(files, path, env, options.get("prepare"))


def _changed(text: str, hunks: str) -> str:
    """The text after the hunks, each of which must fit at one place."""
    for hunk in re.split(r"\n{2,}", hunks.strip("\n")):
        lines = hunk.splitlines()
        old = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
        new = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
        assert not old or text.count(old) == 1, f"this is there {text.count(old)} times:\n{old}"
        text = text.replace(old, new) if old else text + new
    return text


def problems_of(sample: Sample, folder: Path) -> list[Problem]:
    """What `naftiko validate --strict` and then `naftiko serve` say of a sample, in a folder that
    is the working directory."""
    for name, text in sample.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    if sample.prepare is not None:
        PREPARE[sample.prepare](folder)
    paths = tuple(map(Path, sample.path.split(",")))
    env_file = None if sample.env_file is None else Path(sample.env_file)
    found = list(find_problems(paths, env_file, True).problems)
    collection = load_collection(SourceSettings(paths, env_file))
    tables, more = build_tables(collection.plans, PortSettings())
    _, recorded = wanted_settings(collection.plans, {})
    return [*found, *more, *recorded, *open_to_others(table.plan for table in tables)]


def _pipe(folder: Path) -> None:
    (folder / "shop.yaml").unlink()
    os.mkfifo(folder / "shop.yaml")


def _writable(folder: Path) -> None:
    (folder / "shop.yaml").chmod(0o666)


def _empty(folder: Path) -> None:
    (folder / "empty").mkdir()


def _foreign(folder: Path) -> None:
    (folder / "folder").mkdir()
    (folder / "folder" / "compose.yaml").write_text("services: {}\n")


def _twin(folder: Path) -> None:
    (folder / "twin.yaml").write_text(SHOP)


def _control(folder: Path) -> None:
    (folder / "shop.yaml").write_text("naftiko: \x01\n")


def _deep(folder: Path) -> None:
    levels = "".join(f"{'  ' * level}k{level}:\n" for level in range(1, 70))
    (folder / "shop.yaml").write_text(f"naftiko: 1.0.0-alpha2\ncapability:\n{levels}")


def _large(folder: Path) -> None:
    (folder / "shop.yaml").write_text(f"naftiko: 1.0.0-alpha2\n# {'x' * 5_000_000}\n")


PREPARE: dict[str, Callable[[Path], None]] = {
    "control": _control,
    "deep": _deep,
    "empty": _empty,
    "foreign": _foreign,
    "large": _large,
    "pipe": _pipe,
    "twin": _twin,
    "writable": _writable,
}

SAMPLES = read_samples()
