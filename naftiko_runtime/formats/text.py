"""Bytes to text, for the formats that are text."""

from __future__ import annotations

import codecs
import re
from typing import Final

_OTHER_CHARSETS: Final = re.compile(
    r"utf-(16|32)(-[bl]e)?|iso8859-\d+|cp125\d|cp8\d\d|koi8-[ru]|mac-roman"
    r"|gbk|gb2312|gb18030|big5|shift_jis|euc_jp|euc_kr"
)
"""Charsets, by Python's names, that upstreams do send text in. The upstream chooses: Python also
knows codecs that are no charsets, and some that take quadratic time."""

_UTF8: Final = frozenset({"utf-8", "utf-8-sig", "ascii"})
_KIB: Final = 1024


def other_charset(charset: str | None) -> str | None:
    """The name of a charset beside UTF-8 that text can be in; None for UTF-8, for none at all, and
    for what is no charset."""
    if charset is None:
        return None
    try:
        name = codecs.lookup(charset).name
    except LookupError:
        return None
    return name if _OTHER_CHARSETS.fullmatch(name) else None


def decode_text(body: bytes, charset: str | None) -> str:
    """Text in the charset of its Content-Type, UTF-8 (a byte order mark aside) without one.
    Raises ValueError."""
    name = other_charset(charset)
    if name is None and not _is_utf8(charset):
        raise ValueError(f'its character set "{charset}" is not known')
    try:
        return body.decode(name or "utf-8-sig").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not {charset or 'UTF-8'} text") from None


def _is_utf8(charset: str | None) -> bool:
    try:
        return charset is None or codecs.lookup(charset).name in _UTF8
    except LookupError:
        return False


def check_size(body: bytes, limit: int) -> None:
    """Raises ValueError for a document larger than `limit` bytes: some formats take so long to
    read, or grow so much in memory, that an upstream could hold everybody up."""
    if len(body) > limit:
        raise ValueError(
            f"it is larger than {limit // _KIB} KiB, the most that is read of this format"
        )
