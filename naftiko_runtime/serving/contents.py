"""What capability files hold, before anything is made of it."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

_CAPABILITY_KEY = re.compile(rb"""^(?:\{\s*)?["']?naftiko["']?\s*:""", re.MULTILINE)
SIZE_LIMIT = 16 * 1024 * 1024


def read_bytes(path: Path) -> bytes:
    """A regular file's content. Raises OSError; never waits for a pipe."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("not a regular file")
        return file.read(SIZE_LIMIT + 1)


def looks_like_capability(content: bytes) -> bool:
    """Whether a YAML text has the key that makes it a capability file, `naftiko`, at its root."""
    utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    return utf16 or _CAPABILITY_KEY.search(content.removeprefix(b"\xef\xbb\xbf")) is not None
