"""The grammar of HTTP authentication: challenges and credentials (RFC 9110, section 11).

Both sides need it: challenges of upstreams are answered, credentials of callers are judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Final

from naftiko_runtime.lazy_dataclasses import dataclass

_SPACE: Final = re.compile(r"[ \t]*")
_SEPARATORS: Final = re.compile(r"[ \t,]*")
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TOKEN68: Final = re.compile(r"([A-Za-z0-9\-._~+/]+=*)[ \t]*(?=,|\Z)")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class AuthFields:
    """A challenge or credentials: the scheme in lower case, and either parameters (names in lower
    case) or one opaque text (`token68`)."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    token68: str = ""


class AuthSyntaxError(ValueError):
    """Text that is no challenge or credentials; the message shows nothing of it."""


def parse_challenges(values: Iterable[str]) -> list[AuthFields]:
    """The challenges of `WWW-Authenticate` fields, in order. What cannot be read of a field is
    passed over, so that one odd challenge does not hide the others before it."""
    found: list[AuthFields] = []
    for value in values:
        _parse(value, found, strict=False)
    return found


def parse_credentials(value: str) -> AuthFields:
    """The one set of credentials of an `Authorization` field. Raises AuthSyntaxError; a parameter
    that is given twice is an error too, as two readers could take it differently."""
    found: list[AuthFields] = []
    _parse(value, found, strict=True)
    if len(found) != 1:
        raise AuthSyntaxError("not exactly one set of credentials")
    return found[0]


def quoted(text: str) -> str:
    """A quoted-string (RFC 9110, section 5.6.4)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def written(scheme: str, parameters: Iterable[tuple[str, str]]) -> str:
    """A challenge or credentials as text; values that need quotes come quoted."""
    return f"{scheme} " + ", ".join(f"{name}={value}" for name, value in parameters)


def _parse(text: str, found: list[AuthFields], *, strict: bool) -> None:
    parameters: dict[str, str] | None = None
    position = _after(_SEPARATORS, text, 0)
    while position < len(text):
        name = _TOKEN.match(text, position)
        if name is None:
            return _stop(strict)
        position = _after(_SPACE, text, name.end())
        if parameters is not None and text[position : position + 1] == "=":
            value, position = _value(text, _after(_SPACE, text, position + 1))
            if value is None or not (position == len(text) or text[position] in " \t,"):
                return _stop(strict)
            key = name[0].lower()
            if strict and key in parameters:
                raise AuthSyntaxError("a parameter is given twice")
            parameters.setdefault(key, value)
        else:
            opaque = _TOKEN68.match(text, position) if position > name.end() else None
            if opaque is None:
                parameters = {}
                found.append(AuthFields(name[0].lower(), parameters))
            else:
                parameters = None
                found.append(AuthFields(name[0].lower(), token68=opaque[1]))
            position = position if opaque is None else opaque.end()
        position = _after(_SEPARATORS, text, position)
    return None


def _value(text: str, position: int) -> tuple[str | None, int]:
    string = _QUOTED.match(text, position)
    if string is not None:
        return _ESCAPED.sub(r"\1", string[1]), string.end()
    token = _TOKEN.match(text, position)
    return (None, position) if token is None else (token[0], token.end())


def _after(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return position if match is None else match.end()


def _stop(strict: bool) -> None:
    if strict:
        raise AuthSyntaxError("not of the form scheme name=value, ...")
