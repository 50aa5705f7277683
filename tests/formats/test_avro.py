"""Avro answers by the schema file of an operation."""

from __future__ import annotations

import datetime
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from naftiko_runtime.formats import compile_format
from naftiko_runtime.json_values import JsonValue

fastavro = pytest.importorskip("fastavro")

SHIP: dict[str, Any] = {
    "type": "record",
    "name": "Ship",
    "fields": [
        {"name": "name", "type": "string"},
        {"name": "imo", "type": "long"},
        {"name": "flag", "type": ["null", "string"]},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["CARGO", "TANKER"]}},
        {"name": "crew", "type": {"type": "array", "items": "string"}},
        {"name": "sizes", "type": {"type": "map", "values": "double"}},
        {"name": "mark", "type": "bytes"},
        {"name": "built", "type": {"type": "int", "logicalType": "date"}},
        {
            "name": "price",
            "type": {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2},
        },
    ],
}
AURORA: dict[str, Any] = {
    "name": "Aurora",
    "imo": 9_223_372_036_854_775_807,
    "flag": None,
    "kind": "TANKER",
    "crew": ["Ada", "Bø"],
    "sizes": {"length": 12.5},
    "mark": b"\x00\xff",
    "built": datetime.date(2020, 2, 29),
    "price": Decimal("123456789012345678.90"),
}
AS_JSON: dict[str, JsonValue] = AURORA | {
    "mark": "AP8=",
    "built": "2020-02-29",
}


def read(folder: Path, schema: object, body: bytes) -> JsonValue:
    (folder / "schema.avsc").write_text(json.dumps(schema))
    return compile_format("avro", "schema.avsc", folder).read(body, None)


def refusal(folder: Path, schema: object, body: bytes = b"") -> str:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        read(folder, schema, body)
    return str(refused.value)


def binary(schema: dict[str, Any], record: object) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), record)
    return stream.getvalue()


def container(schema: dict[str, Any], *records: object, codec: str = "null") -> bytes:
    stream = io.BytesIO()
    fastavro.writer(stream, fastavro.parse_schema(schema), records, codec=codec)
    return stream.getvalue()


def test_a_record_is_an_object_of_its_fields(tmp_path: Path) -> None:
    value = read(tmp_path, SHIP, binary(SHIP, AURORA))
    assert value == AS_JSON
    assert isinstance(value, dict)
    assert str(value["price"]) == "123456789012345678.90"


def test_a_container_file_is_a_list_of_records(tmp_path: Path) -> None:
    assert read(tmp_path, SHIP, container(SHIP, AURORA, AURORA)) == [AS_JSON, AS_JSON]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "it is no record of that schema"),
        (b"{}", "it is no record of that schema"),
        (b"\xff" * 40, "it is no record of that schema"),
        (b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f", "it is no record of that schema"),
        (b"Obj\x01", "it is no record of that schema"),
        (b"Obj\x01" + b"\xff" * 50, "it is no record of that schema"),
    ],
)
def test_bytes_that_are_no_record_are_refused(tmp_path: Path, body: bytes, reason: str) -> None:
    assert refusal(tmp_path, SHIP, body).startswith(reason)


def test_bytes_behind_the_record_are_refused(tmp_path: Path) -> None:
    body = binary(SHIP, AURORA) + b"\x00"
    assert refusal(tmp_path, SHIP, body) == "bytes are left over behind the record"


def test_a_number_that_json_does_not_know_is_refused(tmp_path: Path) -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "double"}]}
    body = binary(schema, {"x": float("nan")})
    assert refusal(tmp_path, schema, body) == "it holds a number that JSON does not know"


NODE = {
    "type": "record",
    "name": "Node",
    "fields": [{"name": "next", "type": ["null", "Node"]}],
}


@pytest.mark.parametrize(
    "schema",
    [
        NODE,
        {
            "type": "record",
            "name": "List",
            "fields": [{"name": "n", "type": {"type": "array", "items": "List"}}],
        },
        {
            "type": "record",
            "name": "Map",
            "fields": [{"name": "n", "type": {"type": "map", "values": "Map"}}],
        },
        {
            "type": "record",
            "name": "Outer",
            "namespace": "a.b",
            "fields": [{"name": "n", "type": NODE}],
        },
    ],
)
def test_a_schema_that_holds_itself_is_refused_at_load(tmp_path: Path, schema: object) -> None:
    """The library reads such data recursively in C: a few kilobytes would end the process."""
    assert "holds itself, to any depth" in refusal(tmp_path, schema)


@pytest.mark.parametrize(
    "items",
    [
        "null",
        {"type": "record", "name": "Empty", "fields": []},
        {"type": "record", "name": "Nulls", "fields": [{"name": "x", "type": "null"}]},
        {"type": "fixed", "name": "None", "size": 0},
    ],
)
def test_an_array_of_what_takes_no_bytes_is_refused_at_load(
    tmp_path: Path, items: str | dict[str, Any]
) -> None:
    """Five bytes could say that it has billions of items."""
    assert "take no bytes" in refusal(tmp_path, {"type": "array", "items": items})
    named = {
        "type": "record",
        "name": "R",
        "fields": [
            {"name": "one", "type": items},
            {
                "name": "all",
                "type": {
                    "type": "array",
                    "items": items if isinstance(items, str) else items["name"],
                },
            },
        ],
    }
    assert "take no bytes" in refusal(tmp_path, named)


@pytest.mark.parametrize("schema", [SHIP, {"type": "array", "items": ["null", "int"]}])
def test_other_schemas_are_fine(tmp_path: Path, schema: object) -> None:
    assert refusal(tmp_path, schema).startswith("it is no record")


def test_a_compressed_container_is_refused(tmp_path: Path) -> None:
    bomb = container(
        {"type": "record", "name": "R", "fields": [{"name": "x", "type": "bytes"}]},
        {"x": b"\0" * 50_000_000},
        codec="deflate",
    )
    assert len(bomb) < 100_000
    assert (
        refusal(tmp_path, SHIP, bomb) == 'it is a container file with the codec "deflate": use none'
    )


def test_a_container_of_another_schema_is_refused(tmp_path: Path) -> None:
    body = container({"type": "record", "name": "Ship", "fields": []}, {})
    assert (
        refusal(tmp_path, SHIP, body)
        == "it is a container file that was written with another schema"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is no Avro schema"),
        ("5", "is no Avro schema"),
        ('{"type": "record"}', "is no Avro schema"),
        ('{"type": "unknown"}', "is no Avro schema"),
        ("[" * 100_000, ""),
    ],
)
def test_a_schema_file_that_is_none_is_refused_at_load(
    tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "s.avsc").write_text(text)
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        compile_format("avro", "s.avsc", tmp_path)
    assert reason in str(refused.value)


def test_a_schema_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.avsc cannot be read: No such file"):
        compile_format("avro", "none.avsc", tmp_path)
    with pytest.raises(ValueError, match="avro needs a schema file: name it in `outputSchema`"):
        compile_format("avro", None, tmp_path)
