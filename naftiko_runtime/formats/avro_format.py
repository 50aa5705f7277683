"""Avro answers: one record in binary form, or a container file, by the schema file that
`outputSchema` names."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro

from naftiko_runtime.formats.schema_files import read_schema_file
from naftiko_runtime.formats.typed_values import as_json
from naftiko_runtime.json_values import JsonValue

_CONTAINER = b"Obj\x01"


def avro_record(schema_file: Path | None) -> Callable[[bytes, str | None], JsonValue]:
    """A reader of Avro by a schema. Raises ValueError when the schema cannot be used."""
    text = read_schema_file(schema_file, "avro")
    try:
        schema = fastavro.parse_schema(json.loads(text))
    except (ValueError, KeyError, TypeError, fastavro.schema.SchemaParseException) as error:
        raise ValueError(f"{schema_file} is no Avro schema: {error}") from None

    def read(body: bytes, charset: str | None) -> JsonValue:
        try:
            if body.startswith(_CONTAINER):
                return [as_json(record) for record in fastavro.reader(io.BytesIO(body), schema)]
            stream = io.BytesIO(body)
            record: Any = fastavro.schemaless_reader(stream, schema, None)
        except Exception as error:  # the library raises many kinds for bytes that are no record
            raise ValueError(f"it is no record of that schema ({type(error).__name__})") from None
        if stream.read(1):
            raise ValueError("bytes are left over behind the record")
        return as_json(record)

    return read
