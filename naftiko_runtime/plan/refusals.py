"""What takes a part of a file out of service when it is compiled."""

from __future__ import annotations


class NotSupported(Exception):
    """A construct that this version does not run; the message names it."""
