"""Protocol Buffers answers, by the `.proto` file that `outputSchema` names.

The first message of the file is the answer's, unless `outputSchema` adds `#Name`. Members have the
names of the file, 64-bit integers stay numbers, and enumerations are their names. What is not set
has its default where the format cannot tell the two apart (a proto3 scalar), else it is left out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from naftiko_runtime.formats.schema_files import read_schema_file
from naftiko_runtime.formats.typed_values import as_json
from naftiko_runtime.json_values import JsonValue

_MOST_VALUES = 2_000_000


def protobuf_message(schema_file: Path | None) -> Callable[[bytes, str | None], JsonValue]:
    """A reader of one message. Raises ValueError when the schema cannot be used."""
    name: str | None = None
    if schema_file is not None and "#" in schema_file.name:
        file_name, _, name = schema_file.name.partition("#")
        schema_file = schema_file.with_name(file_name)
    read_schema_file(schema_file, "protobuf")
    assert schema_file is not None
    kind = _message_class(schema_file, name)

    def read(body: bytes, charset: str | None) -> JsonValue:
        message = kind()
        try:
            message.ParseFromString(body)
        except (DecodeError, RuntimeError):
            raise ValueError("it is no message of that schema") from None
        return _Conversion().members(message)

    return read


class _Conversion:
    """One message on its way to JSON; counts the values, as a byte or two can stand for a whole
    message of defaults."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def members(self, message: Message) -> JsonValue:
        values: dict[str, JsonValue] = {}
        for field in message.DESCRIPTOR.fields:
            if field.has_presence and not message.HasField(field.name):
                continue
            value = getattr(message, field.name)
            if field.message_type is not None and field.message_type.GetOptions().map_entry:
                kind = field.message_type.fields_by_name["value"]
                values[field.name] = {str(key): self._value(kind, value[key]) for key in value}
            elif field.is_repeated:
                values[field.name] = [self._value(field, item) for item in value]
            else:
                values[field.name] = self._value(field, value)
        return values

    def _value(self, field: Any, value: Any) -> JsonValue:
        self._left -= 1
        if self._left < 0:
            raise ValueError(f"it holds more than {_MOST_VALUES:,} values")
        if field.message_type is not None:
            return self.members(value)
        if field.enum_type is not None:
            known = field.enum_type.values_by_number.get(value)
            return value if known is None else str(known.name)
        return as_json(value)


def _message_class(schema_file: Path, name: str | None) -> Any:
    from grpc_tools import protoc

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "descriptors"
        includes = [f"-I{schema_file.parent}", f"-I{_bundled_protos()}"]
        status = protoc.main(
            [
                "protoc",
                *includes,
                f"--descriptor_set_out={out}",
                "--include_imports",
                str(schema_file),
            ]
        )
        if status != 0:
            raise ValueError(f"{schema_file} is no .proto file that compiles")
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    main = files.file[-1]
    names = [message.name for message in main.message_type]
    if not names or (name is not None and name not in names):
        raise ValueError(f'{schema_file} has no message "{name or ""}"')
    full_name = f"{main.package}.{name or names[0]}".lstrip(".")
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(full_name))


def _bundled_protos() -> Path:
    import grpc_tools

    return Path(str(grpc_tools.__file__)).parent / "_proto"
