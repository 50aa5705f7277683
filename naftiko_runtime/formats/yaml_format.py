"""YAML answers: the value of the one document in them.

Plain scalars mean what the core schema of YAML 1.2 says, numbers are exact, of a repeated key the
last value counts, and tags beyond the core schema say nothing. Read from the parser's events, so
that nothing recurses and aliases are counted for what they stand for.
"""

from __future__ import annotations

import re
from decimal import Decimal

import yaml

from naftiko_runtime.formats.text import decode_text, other_charset
from naftiko_runtime.json_codec import NUMBER_DIGITS, NUMBER_EXPONENT
from naftiko_runtime.json_values import JsonValue

_DEPTH = 200
_MOST_VALUES = 500_000
_LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)
_CORE = "tag:yaml.org,2002:"
_CONSTANTS: dict[str, JsonValue] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MERGE = "<<"


def read_yaml_answer(body: bytes, charset: str | None) -> JsonValue:
    """Raises ValueError: no YAML, several documents, an alias bomb, or nested too deeply."""
    # Without a charset beside it, a document says by itself that it is UTF-16.
    source: str | bytes = body if other_charset(charset) is None else decode_text(body, charset)
    try:
        loader = _LOADER(source)
        try:
            return _read(loader)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        where = error.problem_mark
        place = f" at line {where.line + 1}, column {where.column + 1}" if where else ""
        raise ValueError(f"{error.problem or 'it cannot be read'}{place}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"it holds what YAML cannot: {error.__class__.__name__}") from None


def _read(loader: yaml.SafeLoader | yaml.CSafeLoader) -> JsonValue:
    reading = _Reading()
    while True:
        event = loader.get_event()
        if isinstance(event, yaml.StreamEndEvent):
            break
        if isinstance(event, yaml.DocumentStartEvent):
            reading.begin()
        elif isinstance(event, yaml.AliasEvent):
            reading.alias(event.anchor or "")
        elif isinstance(event, yaml.ScalarEvent):
            reading.scalar(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            reading.open(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            reading.close()
    if not reading.documents:
        raise ValueError("it is empty")
    return reading.value


class _Open:
    """A mapping or list that is being read; `key` is the one whose value comes next."""

    __slots__ = ("anchor", "first", "key", "merged", "value")

    def __init__(self, value: dict[str, JsonValue] | list[JsonValue], anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.first = 0
        self.key: str | None = None
        self.merged: list[JsonValue] = []


class _Reading:
    """One document on its way to a value."""

    def __init__(self) -> None:
        self.value: JsonValue = None
        self.documents = 0
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[JsonValue, int] | None] = {}
        """Values with the number of values in them; None while one is being read."""
        self._count = 0

    def begin(self) -> None:
        self.documents += 1
        if self.documents > 1:
            raise ValueError("it holds several documents")

    def scalar(self, event: yaml.ScalarEvent) -> None:
        self._spend(1)
        if self._wants_key():
            self._open[-1].key = event.value
            if event.value == _MERGE and event.implicit[0]:
                self._open[-1].key = None
                self._open.append(_Open([], None))  # takes what is to be merged
                self._open[-1].key = _MERGE
            return
        value = _resolved(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1)
        self._put(value)

    def alias(self, anchor: str) -> None:
        found = self._anchors.get(anchor)
        if found is None:
            raise ValueError(f'the alias "{anchor[:40]}" names nothing that comes before it')
        value, count = found
        self._spend(count)
        if self._wants_key():
            if not isinstance(value, str):
                raise ValueError("a key is no text")
            self._open[-1].key = value
            return
        self._put(value)

    def open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        self._spend(1)
        if self._wants_key():
            raise ValueError("a key is a mapping or a list")
        if len(self._open) >= _DEPTH:
            raise ValueError(f"it is nested deeper than {_DEPTH} levels")
        new = _Open({} if isinstance(event, yaml.MappingStartEvent) else [], event.anchor)
        new.first = self._count
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(new)

    def close(self) -> None:
        ended = self._open.pop()
        value = ended.value
        if isinstance(value, dict) and ended.merged:
            value = _merged(value, ended.merged)
        if ended.anchor is not None:
            self._anchors[ended.anchor] = (value, self._count - ended.first + 1)
        self._put(value)

    def _wants_key(self) -> bool:
        return (
            bool(self._open)
            and isinstance(self._open[-1].value, dict)
            and self._open[-1].key is None
        )

    def _put(self, value: JsonValue) -> None:
        if not self._open:
            self.value = value
            return
        holder = self._open[-1]
        if isinstance(holder.value, dict):
            assert holder.key is not None
            holder.value[holder.key] = value
            holder.key = None
        elif holder.key == _MERGE:
            self._open.pop()
            self._open[-1].merged.append(value)
        else:
            holder.value.append(value)

    def _spend(self, values: int) -> None:
        self._count += values
        if self._count > _MOST_VALUES:
            raise ValueError(f"it holds more than {_MOST_VALUES:,} values, aliases written out")


def _merged(own: dict[str, JsonValue], merges: list[JsonValue]) -> dict[str, JsonValue]:
    """A mapping with what its merge keys bring in; its own members win, then earlier ones."""
    brought: dict[str, JsonValue] = {}
    for merge in merges:
        for each in merge if isinstance(merge, list) else [merge]:
            if not isinstance(each, dict):
                raise ValueError("a merge key names something that is no mapping")
            brought = {**each, **brought}
    return {**brought, **own}


def _resolved(event: yaml.ScalarEvent) -> JsonValue:
    """The value of a scalar: by its tag, or else by its text where it is not quoted."""
    if event.tag is not None and event.tag not in (f"{_CORE}{kind}" for kind in _TYPED):
        return event.value
    if event.tag is None and not event.implicit[0]:
        return event.value
    return _plain(event.value)


_TYPED = ("int", "float", "bool", "null")


def _plain(text: str) -> JsonValue:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "0123456789+-.":
        return text
    if len(text) > NUMBER_DIGITS:
        return text if _FLOAT.fullmatch(text) is None else _out_of_range()
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return _exact(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("it holds a number that JSON does not know")
    return text


def _exact(text: str) -> JsonValue:
    """A number as it is written: a float where Python would write it the same."""
    number = Decimal(text)
    if abs(number.adjusted()) > NUMBER_EXPONENT:
        return _out_of_range()
    return float(text) if repr(float(text)) == text else number


def _out_of_range() -> JsonValue:
    raise ValueError("it holds a number that is out of range")
