"""Reads a YAML file to plain data whose every value knows its line and column.

Strict where a mistake could pass unseen (duplicate keys, tags, unusable numbers), and bounded in
depth, size and aliases, so that no file can exhaust or crash the process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from naftiko_runtime.document.schema_parts import confine
from naftiko_runtime.document.yaml_builder import Builder
from naftiko_runtime.document.yaml_faults import MAX_BYTES, Refused
from naftiko_runtime.document.yaml_syntax import syntax_problem
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.problems import DocumentPath, Place, Problem, in_file_order

_UTF_16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_UTF_8_MARK = b"\xef\xbb\xbf"
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_SAVE_AS_UTF_8 = "save the file as UTF-8"


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """Plain data read from a file, and where each value of it stands.

    Positions are line and column from 1; `key_positions` are those of the key that leads to a
    value. What an alias or a merge key brings in stands where it is written out.
    """

    file: str
    value: JsonValue
    positions: Mapping[DocumentPath, tuple[int, int]]
    key_positions: Mapping[DocumentPath, tuple[int, int]]

    def place(self, path: DocumentPath, *, key: bool = False) -> Place:
        """Where the value at `path` stands (or its key); its nearest ancestor if it is absent."""
        if key and path in self.key_positions:
            return Place(self.file, *self.key_positions[path])
        while path and path not in self.positions:
            path = path[:-1]
        return Place(self.file, *self.positions.get(path, (1, 1)))


def read_yaml(data: bytes, file: str) -> tuple[YamlDocument | None, list[Problem]]:
    """Reads one YAML document; `file` is its name in messages.

    Scalars mean what the core schema of YAML 1.2 says. The document is None where nothing
    usable could be read. With problems it may still be there, so that a caller can go on to find
    what else is wrong; their consequence says what of it must not be used.
    """
    text = _decode(data, file)
    if isinstance(text, Problem):
        return None, [text]
    builder = Builder(text, file)
    try:
        builder.build()
    except Refused as refusal:
        return None, in_file_order([*builder.problems, refusal.problem])
    except yaml.YAMLError as error:
        problem = syntax_problem(error, text, file)
        earlier = (p for p in builder.problems if p.place.line != problem.place.line)
        return None, in_file_order([*earlier, problem])
    if not builder.documents:
        return None, [_empty(text, file)]
    marks = builder.marks
    document = YamlDocument(file, builder.value, marks.positions, marks.key_positions)
    return document, in_file_order(confine(problem) for problem in builder.problems)


def _decode(data: bytes, file: str) -> str | Problem:
    if len(data) > MAX_BYTES:
        message = f"the file has {len(data):,} bytes, more than the {MAX_BYTES:,} allowed"
        return Problem("yaml-too-large", Place(file), (), message, "split the file")
    if data.startswith(_UTF_16_OR_32):
        message = "the file is encoded in UTF-16 or UTF-32"
        return Problem("yaml-encoding", Place(file), (), message, _SAVE_AS_UTF_8)
    if b"\x00" in data:
        message = "the file holds binary data, not text"
        return Problem(
            "yaml-encoding", _end_of(data[: data.index(b"\x00")], file), (), message, _SAVE_AS_UTF_8
        )
    try:
        text = data.removeprefix(_UTF_8_MARK).decode()
    except UnicodeDecodeError as error:
        message = f"byte 0x{data[error.start]:02X} is not UTF-8"
        place = _end_of(data[: error.start], file)
        return Problem("yaml-encoding", place, (), message, _SAVE_AS_UTF_8)
    control = _NOT_TEXT.search(text)
    if control is not None:
        message = f"the control character U+{ord(control[0]):04X} is not allowed in YAML"
        place = _end_of(text[: control.start()].encode(), file)
        remedy = 'remove it, or write it as an escape in double quotes ("\\x1B")'
        return Problem("yaml-encoding", place, (), message, remedy)
    return text


def _end_of(before: bytes, file: str) -> Place:
    """The place right after `before`."""
    lines = re.split("\r\n|\r|\n", before.removeprefix(_UTF_8_MARK).decode(errors="replace"))
    return Place(file, len(lines), len(lines[-1]) + 1)


def _empty(text: str, file: str) -> Problem:
    message = "the file holds nothing but comments" if text.strip() else "the file is empty"
    remedy = 'write a capability into it, starting with "naftiko: 1.0.0-alpha2"'
    return Problem("yaml-empty", Place(file), (), message, remedy)
