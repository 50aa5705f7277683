"""Compiles the headers of an upstream request that come from parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.plan.getters import Getter, as_text
from naftiko_runtime.plan.operation import Scope

_VALUE = re.compile(r"[\t\x20-\x7e]*")

HeaderWriter = Callable[[Scope], list[tuple[str, str]]]


def compile_headers(headers: Sequence[tuple[str, Getter]]) -> HeaderWriter:
    """Writes the headers whose value is given; lists join with commas (RFC 9110, section 5.3)."""
    writers = tuple(headers)

    def write(scope: Scope) -> list[tuple[str, str]]:
        written: list[tuple[str, str]] = []
        for name, get in writers:
            value = get(scope)
            if not isinstance(value, Missing) and value is not None:
                written.append((name, header_text(name, value)))
        return written

    return write


def header_text(name: str, value: JsonValue) -> str:
    """A value as a header's text. Raises CallFailed for what could end the header or is not plain
    text: line breaks, control characters, characters beyond ASCII, blanks at the ends."""
    if isinstance(value, list):
        text = ", ".join(as_text(item) for item in value)
    else:
        text = as_text(value)
    if not _VALUE.fullmatch(text) or text != text.strip():
        raise fail(
            FailureKind.INVALID_INPUT,
            f'"{name}": a header takes ASCII text without line breaks or blanks at its ends',
            field=name,
        )
    return text


def compile_cookies(cookies: Sequence[tuple[str, Getter]]) -> Getter | None:
    """The `Cookie` header's value out of cookie parameters, None when there are none."""
    if not cookies:
        return None
    writers = tuple(cookies)

    def write(scope: Scope) -> JsonValue:
        pairs: list[str] = []
        for name, get in writers:
            value = get(scope)
            if isinstance(value, Missing) or value is None:
                continue
            text = header_text(name, value)
            if re.search(r'[;," \\]', text):
                raise fail(
                    FailureKind.INVALID_INPUT,
                    f'"{name}": a cookie takes no blanks, quotes, commas or semicolons',
                    field=name,
                )
            pairs.append(f"{name}={text}")
        return "; ".join(pairs) or None

    return write
