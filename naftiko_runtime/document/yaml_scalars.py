"""What a YAML scalar means: the core schema of YAML 1.2, section 10.3.2.

PyYAML resolves scalars the YAML 1.1 way, where `on` is true, `12:30` is 750 and `017` is 15.
Authors mean text, text and 17, and editors tell them so, hence the younger rules here.
"""

from __future__ import annotations

import re

from naftiko_runtime.json_values import JsonValue

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_OTHER_PLAIN = {**dict.fromkeys(_NULLS), **_BOOLEANS}
_NUMBER_START = frozenset("0123456789+-.")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

MAX_DIGITS = 40
"""Longer numbers are refused: no capability needs one, and converting them takes ever longer."""

_CORE_TAGS = {
    "!": "text",
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:int": "a whole number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:bool": "true or false",
    "tag:yaml.org,2002:null": "null",
}
_COLLECTION_TAGS = frozenset({"!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


class ScalarFault(Exception):
    """A scalar that stands for no JSON value, with the words of the problem."""

    def __init__(self, rule: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.remedy = remedy


def resolve_plain(text: str) -> JsonValue:
    """The value of an unquoted scalar; raises ScalarFault for numbers that JSON cannot hold."""
    if text in _OTHER_PLAIN:
        return _OTHER_PLAIN[text]
    if text[0] not in _NUMBER_START:
        return text
    if _INTEGER.fullmatch(text):
        return int(_bounded(text))
    if _FLOAT.fullmatch(text):
        return _finite(text)
    if _HEXADECIMAL.fullmatch(text):
        return int(_bounded(text), 16)
    if _OCTAL.fullmatch(text):
        return int(_bounded(text)[2:], 8)
    if _NOT_FINITE.fullmatch(text):
        raise _not_finite(text)
    return text


def resolve_tagged(tag: str, text: str) -> JsonValue:
    """The value of a scalar with an explicit tag; only the core schema's tags are known."""
    kind = _CORE_TAGS.get(tag)
    if kind is None:
        raise unknown_tag(tag)
    if kind == "text":
        return text
    value = resolve_plain(text)
    if kind == "a number" and type(value) is int:
        return float(value)
    if kind == _kind_of(value):
        return value
    raise ScalarFault(
        "yaml-tag",
        f'"{_shortened(text)}" is tagged "{_shown_tag(tag)}" but is not {kind}',
        "remove the tag or correct the value",
    )


def check_collection_tag(tag: str) -> None:
    """Raises ScalarFault unless the tag of a mapping or list is the one it has anyway."""
    if tag not in _COLLECTION_TAGS:
        raise unknown_tag(tag)


def unknown_tag(tag: str) -> ScalarFault:
    return ScalarFault(
        "yaml-tag",
        f'the tag "{_shown_tag(tag)}" is not allowed in a capability file',
        "remove the tag; files hold plain text, numbers, booleans, lists and mappings only",
    )


def has_leading_zero(text: str) -> bool:
    """Whether a plain scalar is a number that YAML 1.1 would have read as octal."""
    return text[:1] in _NUMBER_START and _LEADING_ZERO.fullmatch(text) is not None


def _bounded(text: str) -> str:
    if len(text) > MAX_DIGITS:
        raise ScalarFault(
            "yaml-number",
            f'the number "{_shortened(text)}" has more than {MAX_DIGITS} digits',
            "put it in quotes if it is text",
        )
    return text


def _finite(text: str) -> float:
    value = float(_bounded(text))
    if value in (float("inf"), float("-inf")):
        raise _not_finite(text)
    return value


def _not_finite(text: str) -> ScalarFault:
    return ScalarFault(
        "yaml-number",
        f'"{text}" is not a number that JSON can hold',
        "put it in quotes if it is text, or write a finite number",
    )


def _kind_of(value: JsonValue) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "a whole number"
    if isinstance(value, float):
        return "a number"
    return "text"


def _shown_tag(tag: str) -> str:
    return _shortened(tag.replace("tag:yaml.org,2002:", "!!"))


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
