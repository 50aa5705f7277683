"""Media types of files by the ends of their names, the same on every system."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

_TEXTS: Final = {
    ".cfg": "text/plain",
    ".csv": "text/csv",
    ".graphql": "application/graphql",
    ".ini": "text/plain",
    ".js": "text/javascript",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".log": "text/plain",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".ndjson": "application/x-ndjson",
    ".proto": "text/plain",
    ".rst": "text/x-rst",
    ".sh": "text/x-shellscript",
    ".sql": "application/sql",
    ".toml": "application/toml",
    ".ts": "text/plain",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".xml": "application/xml",
    ".xsd": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".webp": "image/webp",
}
"""What the standard library does not know, or does not know well (RFC 9110, 9239, 9512, 7763)."""


def guess_media_type(name: str) -> str | None:
    """The media type of a file by its name, None for a name that does not tell."""
    _, dot, end = name.rpartition(".")
    if not dot:
        return None
    suffix = f".{end.lower()}"
    return _TEXTS.get(suffix) or _others().get(suffix)


@cache
def _others() -> Mapping[str, str]:
    from mimetypes import MimeTypes  # which takes long to fill, for the few files that get here

    return MimeTypes().types_map[True]


def as_text(content: bytes) -> str | None:
    """The text that a file holds, None for one that holds none."""
    if b"\0" in content:
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
