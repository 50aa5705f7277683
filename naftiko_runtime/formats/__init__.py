"""Raw formats: what `outputRawFormat` names, each one module that turns bytes into a JSON value.

A format is made ready once, at load: schemas are read and selectors checked then. The modules of
the rarer ones need libraries of the extra `formats` and are imported when a file asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from naftiko_runtime import json_codec
from naftiko_runtime.formats.json_format import read_json
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass

Read: TypeAlias = Callable[[bytes, str | None], JsonValue]
"""Takes a body and the charset that its Content-Type gives (None without one), and raises
ValueError in words for people."""


@dataclass(frozen=True, slots=True)
class RawFormat:
    """A format made ready to read answers. `declared` says whether the file names it, or is silent
    and JSON is meant. Bodies of more than `large` bytes take so long to read that other calls must
    not wait for it."""

    name: str
    declared: bool
    read: Read
    large: int

    @property
    def as_it_came(self) -> bool:
        """Whether the document as a whole is what the upstream sent, byte for byte."""
        return self.name == "json" or self.name in OPAQUE

    @property
    def media_type(self) -> str:
        """What an answer in this format is where the upstream does not say."""
        return OPAQUE.get(self.name, "application/json")


OPAQUE: Mapping[str, str] = {"text": "text/plain", "binary": "application/octet-stream"}
"""Formats without a structure, and their media types."""


_LARGE = 32 * 1024

JSON = RawFormat("json", False, read_json, json_codec.LARGE)
"""What an answer is read as when the file names no format."""


def compile_format(name: str | None, schema: str | None, folder: Path) -> RawFormat:
    """The format of an operation. `schema` is its `outputSchema`: a CSS selector, a heading or a
    file, which is looked for in `folder`, then in the working directory.

    Raises ValueError when the schema cannot be used, and ImportError when a library is missing.
    """
    if name is None:
        return JSON
    large = json_codec.LARGE if name == "json" else _LARGE
    return RawFormat(name, True, FORMATS[name](schema, folder), large)


def _json(schema: str | None, folder: Path) -> Read:
    return read_json


def _xml(schema: str | None, folder: Path) -> Read:
    from naftiko_runtime.formats.xml_format import read_xml

    return read_xml


def _delimited(delimiter: str) -> Callable[[str | None, Path], Read]:
    def make(schema: str | None, folder: Path) -> Read:
        from naftiko_runtime.formats.delimited import delimited_by

        return delimited_by(delimiter)

    return make


def _yaml(schema: str | None, folder: Path) -> Read:
    from naftiko_runtime.formats.yaml_format import read_yaml_answer

    return read_yaml_answer


def _html(schema: str | None, folder: Path) -> Read:
    from naftiko_runtime.formats.html_format import html_tables

    return html_tables(schema)


def _markdown(schema: str | None, folder: Path) -> Read:
    from naftiko_runtime.formats.markdown_format import markdown_parts

    return markdown_parts(schema)


def _text(schema: str | None, folder: Path) -> Read:
    from naftiko_runtime.formats.text import decode_text

    return decode_text


def _binary(schema: str | None, folder: Path) -> Read:
    from naftiko_runtime.formats.binary_format import read_binary

    return read_binary


def _avro(schema: str | None, folder: Path) -> Read:
    from naftiko_runtime.formats.avro_format import avro_record

    return avro_record(_schema_file(schema, folder))


def _protobuf(schema: str | None, folder: Path) -> Read:
    from naftiko_runtime.formats.protobuf_format import protobuf_message

    return protobuf_message(_schema_file(schema, folder))


def _schema_file(schema: str | None, folder: Path) -> Path | None:
    if schema is None:
        return None
    beside = folder / schema
    return beside if Path(str(beside).partition("#")[0]).exists() else Path(schema).absolute()


FORMATS: Mapping[str, Callable[[str | None, Path], Read]] = {
    "json": _json,
    "xml": _xml,
    "csv": _delimited(","),
    "tsv": _delimited("\t"),
    "psv": _delimited("|"),
    "yaml": _yaml,
    "html": _html,
    "markdown": _markdown,
    "avro": _avro,
    "protobuf": _protobuf,
    "text": _text,
    "binary": _binary,
}
"""What makes each `outputRawFormat` ready."""
