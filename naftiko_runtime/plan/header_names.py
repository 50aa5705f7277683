"""What names headers can have."""

from __future__ import annotations

import re

RESERVED = frozenset(
    "host content-length transfer-encoding connection keep-alive te trailer upgrade "
    "proxy-connection expect http2-settings".split()
)
"""Headers that frame the message (RFC 9110, section 7.6.1): the HTTP client writes them."""

NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""A header's name: a token (RFC 9110, section 5.6.2)."""
