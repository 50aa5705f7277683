"""Protocol Buffers answers by the `.proto` file of an operation."""

from __future__ import annotations

from pathlib import Path

import pytest

from naftiko_runtime.formats import compile_format
from naftiko_runtime.json_values import JsonValue

pytest.importorskip("google.protobuf")
pytest.importorskip("grpc_tools")

SHIP = """
syntax = "proto3";
package fleet;
enum Kind { CARGO = 0; TANKER = 1; }
message Ship {
  string ship_name = 1;
  int64 imo = 2;
  Kind kind = 3;
  repeated string crew = 4;
  Port home = 5;
  map<string, Port> ports = 6;
  bytes mark = 7;
  optional string flag = 8;
  double length = 9;
  oneof owner { string person = 10; Port company = 11; }
}
message Port { string code = 1; repeated Port near = 2; }
"""


def varint(number: int) -> bytes:
    found = b""
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


def field(number: int, content: bytes | int) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def read(folder: Path, body: bytes, schema: str = SHIP, name: str = "") -> JsonValue:
    (folder / "ship.proto").write_text(schema)
    return compile_format("protobuf", f"ship.proto{name}", folder).read(body, None)


def refusal(folder: Path, body: bytes = b"", schema: str = SHIP, name: str = "") -> str:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        read(folder, body, schema, name)
    return str(refused.value)


DEFAULTS: dict[str, JsonValue] = {
    "ship_name": "",
    "imo": 0,
    "kind": "CARGO",
    "crew": [],
    "ports": {},
    "mark": "",
    "length": 0.0,
}


def test_a_message_has_the_names_of_its_file(tmp_path: Path) -> None:
    port = field(1, b"NOBGO") + field(2, field(1, b"NOOSL"))
    body = b"".join(
        [
            field(1, "Aurora ø".encode()),
            field(2, 2**63 - 1),
            field(3, 1),
            field(4, b"Ada") + field(4, b"Bo"),
            field(5, port),
            field(6, field(1, b"a") + field(2, field(1, b"X"))),
            field(7, b"\x00\xff"),
            field(8, b""),
            field(10, b"Cy"),
        ]
    )
    assert read(tmp_path, body) == {
        "ship_name": "Aurora ø",
        "imo": 2**63 - 1,
        "kind": "TANKER",
        "crew": ["Ada", "Bo"],
        "home": {"code": "NOBGO", "near": [{"code": "NOOSL", "near": []}]},
        "ports": {"a": {"code": "X", "near": []}},
        "mark": "AP8=",
        "flag": "",
        "length": 0.0,
        "person": "Cy",
    }


def test_what_is_not_set_has_its_default_or_is_left_out(tmp_path: Path) -> None:
    assert read(tmp_path, b"") == DEFAULTS


def test_unknown_fields_are_passed_over_and_unknown_enum_values_are_numbers(
    tmp_path: Path,
) -> None:
    assert read(tmp_path, field(99, b"x") + field(3, 7)) == DEFAULTS | {"kind": 7}


def test_another_message_of_the_file_can_be_named(tmp_path: Path) -> None:
    assert read(tmp_path, field(1, b"X"), name="#Port") == {"code": "X", "near": []}
    assert 'has no message "Prt"' in refusal(tmp_path, name="#Prt")


def test_a_file_may_import_its_neighbours_and_the_well_known_types(tmp_path: Path) -> None:
    (tmp_path / "other.proto").write_text('syntax = "proto3"; message Other { int32 n = 1; }')
    schema = (
        'syntax = "proto3"; import "other.proto"; import "google/protobuf/timestamp.proto";'
        "message M { Other other = 1; google.protobuf.Timestamp at = 2; }"
    )
    body = field(1, field(1, 5)) + field(2, field(1, 60))
    assert read(tmp_path, body, schema) == {"other": {"n": 5}, "at": {"seconds": 60, "nanos": 0}}


@pytest.mark.parametrize("body", [b"\xff", b"\x0a\x05ab", b"{}", b"\x0b"])
def test_bytes_that_are_no_message_are_refused(tmp_path: Path, body: bytes) -> None:
    assert refusal(tmp_path, body) == "it is no message of that schema"


def test_text_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, field(1, b"\xff")) == "it is no message of that schema"


def test_a_number_that_json_does_not_know_is_refused(tmp_path: Path) -> None:
    nan = b"\x49" + b"\x00\x00\x00\x00\x00\x00\xf8\x7f"
    assert refusal(tmp_path, nan) == "it holds a number that JSON does not know"


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    body = b""
    for _ in range(500):
        body = field(2, body)
    assert refusal(tmp_path, body, name="#Port") == "it is no message of that schema"


def test_a_small_message_that_stands_for_millions_of_values_is_refused(tmp_path: Path) -> None:
    fields = "".join(f"int32 n{n} = {n + 2};" for n in range(60))
    schema = f'syntax = "proto3"; message M {{ repeated M all = 1; {fields} }}'
    assert (
        refusal(tmp_path, field(1, b"") * 50_000, schema) == "it holds more than 2,000,000 values"
    )


@pytest.mark.parametrize(
    "schema", ["", "message", 'syntax = "proto3"; message M { Unknown x = 1; }', "{}"]
)
def test_a_schema_file_that_is_none_is_refused_at_load(tmp_path: Path, schema: str) -> None:
    assert str(tmp_path / "ship.proto") in refusal(tmp_path, schema=schema)


def test_a_schema_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.proto cannot be read: No such file"):
        compile_format("protobuf", "none.proto", tmp_path)
