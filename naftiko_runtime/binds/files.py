"""Variables from a local file: `location: file:///...` (YAML, JSON or dotenv)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml

from naftiko_runtime.binds.environment import parse_env_text
from naftiko_runtime.binds.source import BindSourceError, texts_of
from naftiko_runtime.json_codec import JsonError, decode_json

_LIMIT = 1024 * 1024


class _TextLoader(yaml.BaseLoader):
    """Reads every scalar as the text that it is written as, but for null."""


_TextLoader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL)\Z"), ["~", "n", "N"]
)
_TextLoader.add_constructor("tag:yaml.org,2002:null", lambda loader, node: None)


def path_of(location: str, folder: Path) -> Path:
    """The file that a `file:` location of variables means: as `path_beside`, or relative to the
    working directory where `folder` has no such file."""
    beside = path_beside(location, folder)
    text = _relative(location)
    # Path.exists raises where access is denied.
    exists = os.path.exists
    return beside if exists(beside) or not exists(text) else Path(text)


def path_beside(location: str, folder: Path) -> Path:
    """The file or folder that a `file:` location means.

    `file:///./x` and `file://./x` are relative to `folder` (the folder of the capability file),
    `file:///x` is absolute.
    """
    return folder / _relative(location)


def _relative(location: str) -> str:
    """The path in a location, which is absolute if it begins with a slash."""
    parts = urlsplit(location)
    text = unquote(parts.netloc + parts.path)
    return text[1:] if text.startswith("/./") else text


def lookup(path: Path, keys: tuple[str, ...]) -> dict[str, str | None]:
    """Each key's value at the root of the file, None where it is absent; a null is empty text.

    Raises BindSourceError when the file cannot be read or holds no mapping.
    """
    return texts_of(_read_mapping(path), keys, path)


def _read_mapping(path: Path) -> Mapping[str, object]:
    text = _read_text(path)
    try:
        value = _parse(path, text)
    except RecursionError:
        raise BindSourceError(path, "is nested too deeply for a file of variables") from None
    except JsonError as error:
        raise BindSourceError(path, f"is not JSON: {error}") from None
    except yaml.YAMLError:
        raise BindSourceError(path, "is neither YAML nor JSON") from None
    if not isinstance(value, dict):
        raise BindSourceError(path, "holds no mapping of names to values")
    return value


def _read_text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for a writer
            raise BindSourceError(path, "is no regular file")
        with path.open("rb") as file:
            data = file.read(_LIMIT + 1)
    except OSError as error:
        raise BindSourceError(path, f"cannot be read: {error.strerror}") from None
    if len(data) > _LIMIT:
        raise BindSourceError(path, "is larger than 1 MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BindSourceError(path, "is not UTF-8 text") from None


def _parse(path: Path, text: str) -> object:
    if path.suffix == ".env" or path.name.startswith(".env"):
        return parse_env_text(text, str(path))[0]
    if path.suffix == ".json":
        return decode_json(text)
    if text.count("[") + text.count("{") > 1000:  # PyYAML takes quadratic time for each level
        raise BindSourceError(path, "is nested too deeply for a file of variables")
    return yaml.load(text, _TextLoader)  # noqa: S506 - it makes text and null only
