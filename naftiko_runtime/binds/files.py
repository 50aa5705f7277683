"""Variables from a local file: `location: file:///...` (YAML, JSON or dotenv)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml

from naftiko_runtime.binds.environment import parse_env_text

_LIMIT = 1024 * 1024


class BindSourceError(Exception):
    """A source of variables that cannot be read; the message says why."""


def path_of(location: str, folder: Path) -> Path:
    """The file that a `file:` location means.

    `file:///./x` and `file://./x` are relative to `folder` (the folder of the capability file),
    or to the working directory where `folder` has no such file; `file:///x` is absolute.
    """
    parts = urlsplit(location)
    text = unquote(parts.netloc + parts.path)
    if text.startswith("/./"):
        text = text[1:]
    if text.startswith("/"):
        return Path(text)
    beside = folder / text
    return beside if beside.exists() or not Path(text).exists() else Path(text)


def lookup(path: Path, keys: tuple[str, ...]) -> dict[str, str | None]:
    """Each key's value at the root of the file, None where it is absent.

    Raises BindSourceError when the file cannot be read or holds no mapping.
    """
    values = _read_mapping(path)
    found: dict[str, str | None] = {}
    for key in keys:
        value = values.get(key)
        if isinstance(value, bool):
            found[key] = "true" if value else "false"
        elif isinstance(value, str | int | float):
            found[key] = str(value)
        elif value is None:
            found[key] = "" if key in values else None
        else:
            raise BindSourceError(f'"{key}" in {path} is a list or a mapping, not a value')
    return found


def _read_mapping(path: Path) -> Mapping[str, object]:
    try:
        with path.open("rb") as file:
            data = file.read(_LIMIT + 1)
    except OSError as error:
        raise BindSourceError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > _LIMIT:
        raise BindSourceError(f"{path} is larger than 1 MiB")
    try:
        text = data.decode("utf-8-sig")
        if path.suffix == ".env" or path.name.startswith(".env"):
            return dict(parse_env_text(text, str(path))[0])
        if text.count("[") + text.count("{") > 1000:
            raise BindSourceError(f"{path} is nested too deeply for a file of variables")
        value = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - BaseLoader makes text only
    except UnicodeDecodeError:
        raise BindSourceError(f"{path} is not UTF-8 text") from None
    except yaml.YAMLError:
        raise BindSourceError(f"{path} is neither YAML nor JSON") from None
    if not isinstance(value, dict):
        raise BindSourceError(f"{path} holds no mapping of names to values")
    return value
