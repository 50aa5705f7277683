"""What providers of variables share: what they find, and how they fail."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from naftiko_runtime.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """The values of a source's keys (None: not there), and the files they came from or would come
    from, so that their changes are followed."""

    values: Mapping[str, str | None]
    files: tuple[Path, ...] = ()


class BindSourceError(Exception):
    """A source of variables that cannot be read; the message says why, and never what it holds.

    `file` is the file or folder at fault, None where there is none. `remedy` is empty where the
    general one for locations will do.
    """

    def __init__(self, source: Path | str, reason: str, remedy: str = "") -> None:
        super().__init__(f"{source} {reason}")
        self.file = source if isinstance(source, Path) else None
        self.remedy = remedy


def texts_of(
    values: Mapping[str, object], keys: tuple[str, ...], source: Path | str
) -> dict[str, str | None]:
    """Each key's value as text, None where it is absent; a null is empty text. Raises
    BindSourceError for a value that has members of its own."""
    found: dict[str, str | None] = {}
    for key in keys:
        value = values.get(key)
        if isinstance(value, bool):
            found[key] = "true" if value else "false"
        elif isinstance(value, str | int | float | Decimal):
            found[key] = str(value)
        elif value is None:
            found[key] = "" if key in values else None
        else:
            raise BindSourceError(source, f'gives "{key}" a list or a mapping, not a value')
    return found
