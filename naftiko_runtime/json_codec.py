"""Exact JSON: what is read can be written again without a digit lost.

A number becomes an `int`, or a `float` when Python would print the float exactly as it was
written, or else a `Decimal`; account numbers of 23 digits and prices such as `1.10` survive.
Reading is strict (RFC 8259, and RFC 7493 for surrogates): no NaN, no comments, UTF-8 only.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Final, cast

import msgspec

from naftiko_runtime.json_values import JsonValue

REQUEST_DEPTH: Final = 64
"""How many arrays and objects a caller's document may put inside each other."""

NUMBER_DIGITS: Final = 4300
"""The longest number that is read; Python's own limit for turning text into an integer."""

NUMBER_EXPONENT: Final = 6144
"""The widest exponent that is read, that of decimal128 (RFC 8259 section 6 allows a limit).
Without one, `1e999999999` is a bomb for whoever turns it into an integer."""

LARGE: Final = 256 * 1024
"""Bytes that take some 5 ms to read and check: too long for other calls to wait."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_OFFSET: Final = re.compile(r" \(byte (\d+)\)$")
_KEY_END: Final = re.compile(rb'"[ \t\n\r]*:')
_UNPAIRED_SURROGATE: Final = re.compile(rb'\\u[dD][89abAB][0-9a-fA-F]{2}"')


class JsonError(ValueError):
    """A document is not JSON, or a value cannot be JSON: in words a caller may see.

    `line` and `column` count from 1, in characters; None where the place is not known.
    """

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        place = "" if line is None else f" at line {line}, column {column}"
        super().__init__(message + place)
        self.line = line
        self.column = column


def decode_json(data: bytes | str) -> JsonValue:
    """The value of a JSON document; of a repeated key the last value counts.

    Raises JsonError. A byte order mark is passed over.
    """
    try:
        raw = data.encode() if isinstance(data, str) else data
    except UnicodeEncodeError as error:
        raise JsonError("half a surrogate pair in the text") from error
    if raw.startswith(_BYTE_ORDER_MARK):
        raw = raw[len(_BYTE_ORDER_MARK) :]
    try:
        return cast(JsonValue, _DECODER.decode(raw))
    except RecursionError as error:
        raise JsonError("nested too deeply") from error
    except ArithmeticError as error:
        raise JsonError("a number is out of range") from error
    except UnicodeDecodeError as error:
        raise _not_utf8(raw) from error
    except msgspec.DecodeError as error:
        raise _malformed(raw, str(error)) from error


def decode_request_json(data: bytes | str) -> JsonValue:
    """As `decode_json`, for what a caller sends: also refuses a key given twice in one object,
    which two readers could take differently, and nesting beyond REQUEST_DEPTH."""
    value = decode_json(data)
    raw = data.encode() if isinstance(data, str) else data
    if raw.count(b"[") + raw.count(b"{") > REQUEST_DEPTH and _deeper_than(value, REQUEST_DEPTH):
        raise JsonError(f"nested more than {REQUEST_DEPTH} levels deep")
    keys = _most_keys(raw)
    if keys > 1 and keys != _count_keys(value):
        _KEY_CHECKER.decode(raw.decode().removeprefix("\ufeff"))
    return value


def encode_json(value: JsonValue) -> bytes:
    """Compact UTF-8 JSON. Raises JsonError for NaN, infinities, half surrogate pairs, integers
    beyond NUMBER_DIGITS, and nesting that no reader would follow."""
    try:
        data = _ENCODER.encode(value)
    except RecursionError as error:
        raise JsonError("nested too deeply") from error
    except UnicodeEncodeError as error:
        raise JsonError("half a surrogate pair in a text") from error
    except ValueError as error:
        raise JsonError(f"a number of more than {NUMBER_DIGITS} digits") from error
    # msgspec writes a float that is no number as null, and such a Decimal by its name.
    if (b"null" in data or b"NaN" in data or b"Infinity" in data) and _has_no_number(value):
        raise JsonError("a number that is not finite has no place in JSON")
    return data


def _read_fraction(text: str) -> float | Decimal:
    number = float(text)
    if repr(number) == text:
        return number
    if len(text) > NUMBER_DIGITS:
        raise ValueError(f"a number of more than {NUMBER_DIGITS} digits")
    exact = Decimal(text)
    if abs(exact.adjusted()) > NUMBER_EXPONENT:
        raise InvalidOperation
    return exact


def _refuse_repeated_keys(pairs: list[tuple[str, object]]) -> None:
    if len(dict(pairs)) == len(pairs):
        return
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise JsonError(f'key "{key[:60]}" given twice in one object')
        seen.add(key)


def _skip(text: str) -> None:
    return None


_DECODER: Final = msgspec.json.Decoder(float_hook=_read_fraction)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_KEY_CHECKER: Final = json.JSONDecoder(
    object_pairs_hook=_refuse_repeated_keys, parse_int=_skip, parse_float=_skip
)


def _deeper_than(value: JsonValue, depth: int) -> bool:
    level: list[JsonValue] = [value]
    for _ in range(depth):
        inner: list[JsonValue] = []
        for container in level:
            if isinstance(container, dict):
                inner.extend(v for v in container.values() if isinstance(v, (dict, list)))
            elif isinstance(container, list):
                inner.extend(v for v in container if isinstance(v, (dict, list)))
        if not inner:
            return False
        level = inner
    return True


def _most_keys(raw: bytes) -> int:
    """How many keys a document may have at most; a text in it may look like some more. As many in
    its value say that none was repeated, without reading it a second time."""
    keys = raw.count(b'":')
    return keys if keys == raw.count(b":") else len(_KEY_END.findall(raw))


def _count_keys(value: JsonValue) -> int:
    keys = 0
    rest: list[JsonValue] = [value]
    for item in rest:  # grows while it is walked
        if isinstance(item, dict):
            keys += len(item)
            rest += item.values()
        elif isinstance(item, list):
            rest += item
    return keys


def _has_no_number(value: JsonValue) -> bool:
    """Whether a NaN or an infinity sits anywhere inside."""
    rest: list[JsonValue] = [value]
    for item in rest:  # grows while it is walked
        kind = type(item)
        if kind is str or kind is int:
            continue
        if isinstance(item, dict):
            rest += item.values()
        elif isinstance(item, list):
            rest += item
        elif isinstance(item, float):
            if not isfinite(item):
                return True
        elif isinstance(item, Decimal) and not item.is_finite():
            return True
    return False


def _malformed(raw: bytes, explanation: str) -> JsonError:
    """msgspec's explanation (`JSON is malformed: trailing comma in array (byte 3)`) in our form."""
    if not raw.strip():
        return JsonError("an empty document")
    if explanation.startswith("Integer value out of range"):
        return JsonError(f"a number of more than {NUMBER_DIGITS} digits")
    if explanation == "Input data was truncated":
        if _UNPAIRED_SURROGATE.search(raw):
            return JsonError("half a surrogate pair in a text")
        return JsonError("the document ends too early", *_position(raw, len(raw)))
    words = explanation.removeprefix("JSON is malformed: ")
    offset = _OFFSET.search(words)
    if offset is None:
        return JsonError(words)
    return JsonError(words[: offset.start()], *_place(raw, int(offset.group(1))))


def _place(raw: bytes, about: int) -> tuple[int, int]:
    """Line and column of the first thing that is wrong. msgspec gives the byte where it stopped,
    which may lie some characters further on; where Python's reader objects too, it is exact."""
    try:
        _KEY_CHECKER.decode(raw.decode())
    except json.JSONDecodeError as error:
        return error.lineno, error.colno
    except (ValueError, RecursionError):
        pass
    return _position(raw, about)


def _not_utf8(raw: bytes) -> JsonError:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return JsonError("a byte that is not UTF-8", *_position(raw, error.start))
    return JsonError("a byte that is not UTF-8")


def _position(raw: bytes, offset: int) -> tuple[int, int]:
    before = raw[:offset]
    line_start = before.rfind(b"\n") + 1
    return before.count(b"\n") + 1, len(before[line_start:].decode(errors="replace")) + 1
