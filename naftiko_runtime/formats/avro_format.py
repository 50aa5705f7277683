"""Avro answers: one record in binary form, or a container file, by the schema file that
`outputSchema` names.

The library trusts its data: it recurses as deep as they say, counts as far as they say, and
decompresses what they hold. So the schemas and files with which that could be misused are refused.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import fastavro
from fastavro.schema import to_parsing_canonical_form

from naftiko_runtime.formats.schema_files import read_schema_file
from naftiko_runtime.formats.text import check_size
from naftiko_runtime.formats.typed_values import as_json
from naftiko_runtime.json_values import JsonValue

_CONTAINER = b"Obj\x01"
_LIMIT = 4 * 1024 * 1024

Schema: TypeAlias = str | list[Any] | dict[str, Any]


def avro_record(schema_file: Path | None) -> Callable[[bytes, str | None], JsonValue]:
    """A reader of Avro by a schema. Raises ValueError when the schema cannot be used."""
    text = read_schema_file(schema_file, "avro")
    named: dict[str, Any] = {}
    try:
        schema = fastavro.parse_schema(json.loads(text), named)
    except RecursionError:
        raise ValueError(f"{schema_file} is nested too deeply") from None
    except (ValueError, KeyError, TypeError, fastavro.schema.SchemaParseException) as error:
        raise ValueError(f"{schema_file} is no Avro schema: {error}") from None
    complaint = _misusable(schema, named, ())
    if complaint is not None:
        raise ValueError(f"{schema_file} is not read: {complaint}")
    canonical = to_parsing_canonical_form(schema)

    def read(body: bytes, charset: str | None) -> JsonValue:
        check_size(body, _LIMIT)
        if body.startswith(_CONTAINER):
            return _read_container(body, canonical)
        stream = io.BytesIO(body)
        record = _attempt(lambda: fastavro.schemaless_reader(stream, schema, None))
        if stream.read(1):
            raise ValueError("bytes are left over behind the record")
        return as_json(record)

    return read


def _read_container(body: bytes, canonical: str) -> JsonValue:
    """The records of a container file that is written with this very schema and not compressed."""
    reader = _attempt(lambda: fastavro.reader(io.BytesIO(body)))
    if reader.codec != "null":
        raise ValueError(f'it is a container file with the codec "{reader.codec}": use none')
    if _attempt(lambda: to_parsing_canonical_form(reader.writer_schema)) != canonical:
        raise ValueError("it is a container file that was written with another schema")
    return [as_json(record) for record in _attempt(lambda: list(reader))]


def _attempt(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except Exception as error:  # the library raises many kinds for bytes that are no record
        raise ValueError(f"it is no record of that schema ({type(error).__name__})") from None


def _misusable(schema: Schema, named: Mapping[str, Schema], within: tuple[str, ...]) -> str | None:
    """What makes a parsed schema dangerous to read by; None when nothing does. A type is defined
    before it is referred to, so one can only hold itself by a name that is around it."""
    if isinstance(schema, str):
        return f'"{schema}" holds itself, to any depth' if schema in within else None
    if isinstance(schema, list):
        inner = schema
    else:
        kind, name = schema["type"], schema.get("name")
        if kind == "array" and _takes_no_bytes(schema["items"], named):
            return "it has an array whose items take no bytes, so that it could have any length"
        within = (*within, name) if isinstance(name, str) else within
        inner = [field["type"] for field in schema.get("fields", ())]
        inner += [schema[key] for key in ("items", "values") if key in schema]
    complaints = (_misusable(each, named, within) for each in inner)
    return next((complaint for complaint in complaints if complaint), None)


def _takes_no_bytes(schema: Schema, named: Mapping[str, Schema]) -> bool:
    if isinstance(schema, str):
        return schema == "null" or (schema in named and _takes_no_bytes(named[schema], named))
    if isinstance(schema, list):
        return False
    if schema["type"] == "record":
        return all(_takes_no_bytes(field["type"], named) for field in schema["fields"])
    empty: bool = schema["type"] == "null" or (schema["type"] == "fixed" and schema["size"] == 0)
    return empty
