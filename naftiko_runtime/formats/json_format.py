"""JSON answers (RFC 8259)."""

from __future__ import annotations

import codecs
import re
from typing import Final

from naftiko_runtime.json_codec import decode_json
from naftiko_runtime.json_values import JsonValue

_OTHER_CHARSETS: Final = re.compile(
    r"utf-(16|32)(-[bl]e)?|iso8859-\d+|cp125\d|koi8-[ru]"
    r"|gbk|gb2312|gb18030|big5|shift_jis|euc_jp|euc_kr"
)
"""Charsets, by Python's names, that upstreams do send JSON in. The upstream chooses: Python also
knows codecs that are no charsets, and some that take quadratic time."""


def read_json(body: bytes, charset: str | None) -> JsonValue:
    """The exact value of a document. It is UTF-8 by its RFC, unless another charset is declared
    that is really in use. Raises ValueError."""
    name = _python_name(charset)
    if not _OTHER_CHARSETS.fullmatch(name):
        return decode_json(body)
    try:
        text = body.decode(name)
    except UnicodeDecodeError as error:
        raise ValueError(f"it does not hold the charset {name} that it declares") from error
    return decode_json(text)


def _python_name(charset: str | None) -> str:
    try:
        return codecs.lookup(charset or "utf-8").name
    except LookupError:
        return "utf-8"
