"""Reads the schema files that `outputSchema` names."""

from __future__ import annotations

from pathlib import Path

_LIMIT = 1024 * 1024


def read_schema_file(path: Path | None, format_name: str) -> str:
    """The text of a schema file. Raises ValueError, whose text says what is wrong."""
    if path is None:
        raise ValueError(f"{format_name} needs a schema file: name it in `outputSchema`")
    try:
        if path.stat().st_size > _LIMIT:
            raise ValueError(f"the schema file {path} is larger than 1 MiB")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"the schema file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"the schema file {path} is not UTF-8 text") from None
