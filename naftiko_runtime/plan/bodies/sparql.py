"""SPARQL bodies, whose placeholders are escaped for where they stand (SPARQL 1.1, section 19)."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from urllib.parse import quote

from naftiko_runtime.document.model import Literal, RequestBody, Template
from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.json_values import Missing
from naftiko_runtime.plan.bodies.writer import BodyWriter
from naftiko_runtime.plan.getters import Compiler, Getter, as_text, encodable
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.operation import Scope

_CONTENT_TYPE = "application/sparql-query"
_ECHAR = {"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_NOT_IN_IRI = re.compile(r"[\x00-\x20<>\"{}|^`\\]")
_TOKEN = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.:+-]*")
_DELIMITERS = re.compile(r"\"\"\"|'''|\\.|[\"'<>\n#]", re.DOTALL)
_IRI_START = re.compile(r"<[^\s<>\"{}|^`\\]*(?:>|$)")


class _Place(Enum):
    """Where a placeholder stands; a quoted literal is one whatever its quotes are."""

    LITERAL = "literal"
    IRI = "iri"
    BARE = "bare"


def compile_sparql(body: RequestBody, compiler: Compiler) -> BodyWriter:
    """A query or update. What fills a placeholder is text in a quoted literal, part of an IRI in
    `<>`, and elsewhere one plain token: a number, a name. Anything else there is refused when the
    call is made, because it could change what the query does."""
    data = body.data
    if isinstance(data, Literal):
        content = as_text(data.value).encode()
        return BodyWriter(_CONTENT_TYPE, lambda scope: content)
    assert isinstance(data, Template)
    pieces: list[str | Callable[[Scope], str]] = []
    opened = ""
    for part in data.parts:
        if isinstance(part, str):
            pieces.append(part)
            opened = _opened_after(part, opened)
        else:
            get = compiler.reference(part, Need())
            pieces.append(_WRITERS[_place(opened)](part.text, get))

    def write(scope: Scope) -> bytes:
        texts = [piece if isinstance(piece, str) else piece(scope) for piece in pieces]
        return "".join(texts).encode()

    return BodyWriter(_CONTENT_TYPE, write)


def _place(opened: str) -> _Place:
    if opened == "<":
        return _Place.IRI
    return _Place.LITERAL if opened.startswith(('"', "'")) else _Place.BARE


def _opened_after(text: str, opened: str) -> str:
    """What is still open after the text, begun with `opened`: a quote, `<`, a comment's `#`."""
    position = 0
    while match := _DELIMITERS.search(text, position):
        mark, position = match.group(), match.end()
        if opened in ("", "<"):
            if opened == "<":
                opened = "" if mark == ">" else opened
            elif mark == "<":  # an IRI, unless it is the operator
                opened = "<" if _IRI_START.match(text, match.start()) else ""
            elif mark[0] in "\"'#":
                opened = mark
        elif opened == "#":
            opened = "" if mark == "\n" else opened
        elif mark == opened:
            opened = ""
        elif mark[0] == opened[0] and len(mark) > len(opened):
            opened, position = "", match.start() + 1
    return opened


def _literal(name: str, get: Getter) -> Callable[[Scope], str]:
    return lambda scope: re.sub(
        r"[\\\"'\n\r\t]", lambda m: _ECHAR[m.group()], _text(name, get, scope)
    )


def _iri(name: str, get: Getter) -> Callable[[Scope], str]:
    return lambda scope: _NOT_IN_IRI.sub(
        lambda m: quote(m.group(), safe=""), _text(name, get, scope)
    )


def _bare(name: str, get: Getter) -> Callable[[Scope], str]:
    def write(scope: Scope) -> str:
        text = _text(name, get, scope)
        if not _TOKEN.fullmatch(text):
            raise fail(
                FailureKind.INVALID_INPUT,
                f'"{name}": expected a number or a name, since it stands outside of quotes',
                field=name,
            )
        return text

    return write


def _text(name: str, get: Getter, scope: Scope) -> str:
    value = get(scope)
    return "" if isinstance(value, Missing) else encodable(name, as_text(value))


_WRITERS = {_Place.LITERAL: _literal, _Place.IRI: _iri, _Place.BARE: _bare}
