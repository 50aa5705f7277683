"""Compiles the query of an upstream request: pairs that the path holds, and parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import quote

from naftiko_runtime.document.model import ParameterPlace, Reference
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.plan.getters import Compiler, Getter, as_text, encodable
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.operation import Scope

_UNSAFE = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@%/?]")
_NAME_SAFE = "$[]@"
"""Characters of names that travel as they are: servers know `$select` and `page[limit]` so."""

Pair = Callable[[Scope], str | None]
"""Writes one or several encoded `name=value`; None when there is nothing to write."""


def compile_query(
    fixed: Sequence[str | Reference], parameters: Sequence[tuple[str, Getter]], compiler: Compiler
) -> Callable[[Scope], str]:
    """Writes the query with its question mark, or nothing.

    `fixed` are the parts of the query that the path holds; a pair in it whose placeholders find
    nothing is left out. Parameters repeat for lists, and are left out when they are not given.
    """
    writers = [_compile_pair(pair, compiler) for pair in _pairs(fixed)]
    writers += [_compile_parameter(name, get) for name, get in parameters]

    def write(scope: Scope) -> str:
        pairs = [pair for writer in writers if (pair := writer(scope)) is not None]
        return "?" + "&".join(pairs) if pairs else ""

    return write


def _pairs(parts: Sequence[str | Reference]) -> list[list[str | Reference]]:
    """The parts cut at each `&` of the file's own text."""
    pairs: list[list[str | Reference]] = [[]]
    for part in parts:
        if not isinstance(part, str):
            pairs[-1].append(part)
            continue
        first, *others = part.split("&")
        pairs[-1].append(first)
        pairs.extend([other] for other in others)
    return [pair for pair in pairs if any(pair)]


def _compile_pair(parts: Sequence[str | Reference], compiler: Compiler) -> Pair:
    need = Need(place=ParameterPlace.QUERY)
    pieces: list[str | tuple[str, Getter]] = [
        _UNSAFE.sub(lambda m: quote(m.group(), safe=""), part)
        if isinstance(part, str)
        else (part.text, compiler.reference(part, need))
        for part in parts
    ]
    if all(isinstance(piece, str) for piece in pieces):
        constant = "".join(piece for piece in pieces if isinstance(piece, str))
        return lambda scope: constant

    def write(scope: Scope) -> str | None:
        texts: list[str] = []
        found = False
        for piece in pieces:
            if isinstance(piece, str):
                texts.append(piece)
                continue
            name, get = piece
            value = get(scope)
            if not isinstance(value, Missing) and value is not None:
                found = True
                texts.append(_encoded(name, value))
        return "".join(texts) if found else None

    return write


def _compile_parameter(name: str, get: Getter) -> Pair:
    encoded = quote(name, safe=_NAME_SAFE)

    def write(scope: Scope) -> str | None:
        value = get(scope)
        if isinstance(value, Missing) or value is None:
            return None
        if isinstance(value, list):
            return "&".join([f"{encoded}={_encoded(name, item)}" for item in value]) or None
        return f"{encoded}={_encoded(name, value)}"

    return write


def _encoded(name: str, value: JsonValue) -> str:
    return quote(encodable(name, as_text(value)), safe="")
