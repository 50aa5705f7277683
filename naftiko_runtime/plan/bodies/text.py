"""Textual bodies: plain text, and XML, whose placeholders are escaped."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from naftiko_runtime.document.model import Literal, RequestBody, Template
from naftiko_runtime.json_values import Missing
from naftiko_runtime.plan.bodies.writer import BodyWriter
from naftiko_runtime.plan.getters import Compiler, Getter, as_text
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.operation import Scope

Escape: TypeAlias = Callable[[str], str]

_CDATA = "<![CDATA["
_NEXT = "]]>" + _CDATA
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_XML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"} | {
    # Readers make line ends alike, and blanks of attributes spaces (XML 1.0, 2.11 and 3.3.3).
    blank: f"&#{ord(blank)};"
    for blank in "\t\n\r"
}


def escape_xml(text: str) -> str:
    """Text for content or an attribute's value; what XML 1.0 cannot hold is dropped."""
    return re.sub("[&<>\"'\t\n\r]", lambda m: _XML[m.group()], _NOT_IN_XML.sub("", text))


def escape_cdata(text: str) -> str:
    """Text for a CDATA section, where nothing can be escaped: what could end the section, alone or
    with what stands beside it, is spread over two."""
    text = _NOT_IN_XML.sub("", text).replace("]]>", f"]]{_NEXT}>")
    if text.startswith(("]", ">")):
        text = _NEXT + text
    return text + _NEXT if text.endswith("]") else text


def compile_text(body: RequestBody, compiler: Compiler) -> BodyWriter:
    plain: Escape = str
    return BodyWriter("text/plain; charset=utf-8", _compile(body, compiler, plain, plain))


def compile_xml(body: RequestBody, compiler: Compiler) -> BodyWriter:
    return BodyWriter("application/xml", _compile(body, compiler, escape_xml, escape_cdata))


def _compile(
    body: RequestBody, compiler: Compiler, escape: Escape, in_cdata: Escape
) -> Callable[[Scope], bytes]:
    data = body.data
    if isinstance(data, Literal):
        content = as_text(data.value).encode()
        return lambda scope: content
    assert isinstance(data, Template)
    pieces: list[str | tuple[Getter, Escape]] = []
    before = ""
    for part in data.parts:
        if isinstance(part, str):
            pieces.append(part)
            before += part
        else:
            is_cdata = before.rfind(_CDATA) > before.rfind("]]>")
            get = compiler.reference(part, Need())
            pieces.append((get, in_cdata if is_cdata else escape))
            before += " "

    def write(scope: Scope) -> bytes:
        texts: list[str] = []
        for piece in pieces:
            if isinstance(piece, str):
                texts.append(piece)
                continue
            get, escaped = piece
            value = get(scope)
            texts.append("" if isinstance(value, Missing) else escaped(as_text(value)))
        return "".join(texts).encode()

    return write
