"""Named values as one part of a request gives them, found by exact or loosely equal name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Generic, TypeVar
from urllib.parse import unquote_plus

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.exposes.rest.percent import decode_percent, decode_utf8
from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.json_values import MISSING, JsonValue, Missing

V = TypeVar("V")

_MOST_PARAMETERS: Final = 4096


class GivenValues(Generic[V]):
    """The values of a query, of the headers, of the cookies or of a body's fields."""

    __slots__ = ("_exact", "_folded")

    def __init__(self, values: Mapping[str, V]) -> None:
        self._exact = values
        self._folded: dict[str, list[str]] | None = None

    def find(self, name: str, loose: str) -> V | Missing:
        """The value called exactly `name`, else the one whose folded name is `loose` (empty where
        only the exact name will do).

        Raises CallFailed when two names are loosely equal to it and none is exact: nobody could
        say which one the caller means.
        """
        value = self._exact.get(name, MISSING)
        if value is not MISSING or not loose or not self._exact:
            return value
        if self._folded is None:
            self._folded = {}
            for key in self._exact:
                self._folded.setdefault(fold_name(key), []).append(key)
        names = self._folded.get(loose)
        if names is None:
            return MISSING
        if len(names) > 1:
            raise fail(
                FailureKind.INVALID_INPUT,
                f'input "{name}" is given as "{names[0]}" and as "{names[1]}" - give it once',
                field=name,
            )
        return self._exact[names[0]]


def read_query(raw: bytes) -> dict[str, JsonValue]:
    """The parameters of a query string; a repeated key gives a list of its values in order.

    `+` is a space, as every form and most clients write it. Raises CallFailed.
    """
    if raw.count(b"&") >= _MOST_PARAMETERS:
        raise fail(
            FailureKind.INVALID_INPUT, f"the query has more than {_MOST_PARAMETERS} parameters"
        )
    values: dict[str, JsonValue] = {}
    for part in raw.split(b"&"):
        if not part:
            continue
        key, _, text = part.partition(b"=")
        name = _query_text(key, key)
        value = _query_text(text, key)
        before = values.get(name)
        if isinstance(before, list):
            before.append(value)
        else:
            values[name] = value if before is None else [before, value]
    return values


def _query_text(raw: bytes, key: bytes) -> str:
    try:
        text = decode_utf8(raw)
        if "+" in text:
            text = text.replace("+", " ")
        return decode_percent(text) if "%" in text else text
    except ValueError as error:
        name = unquote_plus(key.decode("ascii", "replace"))[:100]
        raise fail(
            FailureKind.INVALID_INPUT,
            f'query parameter "{name}" is not encoded correctly: {error}'
            ' - write "%25" for a percent sign',
            field=name,
        ) from None


def read_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, bytes]:
    """Headers by lower-case name; those sent several times are joined (RFC 9110, 5.3)."""
    values: dict[str, bytes] = {}
    for raw_name, value in headers:
        name = raw_name.decode("latin-1")
        before = values.get(name)
        values[name] = value if before is None else before + b", " + value
    return values


def header_text(name: str, value: bytes) -> str:
    """Raises CallFailed for a value that is not UTF-8."""
    try:
        return decode_utf8(value)
    except ValueError as error:
        raise fail(
            FailureKind.INVALID_INPUT, f'header "{name}" cannot be read: {error}', field=name
        ) from None


def read_cookies(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Cookies as they are (RFC 6265, 5.4); of two with one name the first, which is the one of
    the more specific path. Raises CallFailed."""
    values: dict[str, str] = {}
    for header, value in headers:
        if header == b"cookie":
            for part in header_text("cookie", value).split(";"):
                name, separator, text = part.strip().partition("=")
                if separator and name:
                    values.setdefault(name, text)
    return values
