"""Reads the URIs of MCP resources (McpResource.uri), which may hold variables: `orders://{id}`.

A variable stands for one segment, or a part of one, as an RFC 6570 simple expansion would write
it. Matching never goes back over a URI, so that no caller can make it slow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.lazy_dataclasses import dataclass

LONGEST: Final = 8192
"""Characters of a URI that a caller may ask for."""

_EXPRESSION: Final = re.compile(r"\{\{?\s*([^{}]*?)\s*\}\}?")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+")
_NOT_IN_LISTED_NAMES: Final = re.compile(r"[^A-Za-z0-9_]")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_UNFIT: Final = re.compile(r"[\x00-\x20\x7f\"<>\\^`{|}]")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


class UriError(ValueError):
    """A URI that no resource can have; the message says why."""


@dataclass(frozen=True, slots=True)
class UriTemplate:
    """A resource's URI.

    `text` is what clients are shown: variables as `{name}`, in letters that RFC 6570 allows.
    `variables` are their names in the file, `listed` the shown ones, in the same order. `shape` is
    equal for templates that stand for the same URIs.
    """

    text: str
    variables: tuple[str, ...]
    listed: tuple[str, ...]
    shape: str
    pattern: re.Pattern[str]

    def match(self, uri: str) -> Mapping[str, str] | None:
        """The variables' values in a URI, None if it is none of this template's.

        Raises CallFailed (INVALID_INPUT) for a value that is not UTF-8 once it is decoded.
        """
        found = self.pattern.fullmatch(uri)
        if found is None:
            return None
        return {
            name: _decode(name, value)
            for name, value in zip(self.variables, found.groups(), strict=True)
        }


def read_uri(text: str) -> UriTemplate:
    """The URI of a resource, with or without variables. Raises UriError."""
    literals, variables = _split(text)
    _check_literals(text, literals)
    listed: list[str] = []
    for name in variables:
        shown = _NOT_IN_LISTED_NAMES.sub("_", name)
        if shown in listed:
            raise UriError(f'it holds the variable "{name}" twice')
        listed.append(shown)
    return UriTemplate(
        "".join(_joined(literals, [f"{{{name}}}" for name in listed])),
        variables,
        tuple(listed),
        "".join(_joined(literals, ["{}"] * len(listed))),
        _pattern(literals),
    )


def _split(text: str) -> tuple[list[str], tuple[str, ...]]:
    """The pieces between the variables (one more than there are variables), and their names."""
    literals = [""]
    variables: list[str] = []
    end = 0
    for match in _EXPRESSION.finditer(text):
        name = match[1]
        if not _NAME.fullmatch(name):
            raise UriError(f'"{match.group()}" is no variable - write {{name}}')
        literals[-1] = text[end : match.start()]
        if variables and not literals[-1]:
            raise UriError(f'nothing separates the variables "{variables[-1]}" and "{name}"')
        literals.append("")
        variables.append(name)
        end = match.end()
    literals[-1] = text[end:]
    return literals, tuple(variables)


def _check_literals(text: str, literals: list[str]) -> None:
    if not _SCHEME.match(literals[0]):
        raise UriError("it does not begin with a scheme, as in docs://guide")
    if len(text) > LONGEST:
        raise UriError(f"it has more than {LONGEST} characters")
    for literal in literals:
        unfit = _UNFIT.search(literal) or _BAD_ESCAPE.search(literal)
        if unfit is not None:
            raise UriError(f"{unfit.group()!r} cannot stand in a URI")


def _pattern(literals: list[str]) -> re.Pattern[str]:
    """Each variable takes as little as it can, once and for all (an atomic group), but for the
    last one, which takes the rest."""
    if len(literals) == 1:
        return re.compile(re.escape(literals[0]))
    pattern = re.escape(literals[0])
    for literal in literals[1:-1]:
        pattern += f"(?>([^/?#]+?){re.escape(literal)})"
    return re.compile(f"{pattern}([^/?#]+){re.escape(literals[-1])}")


def _joined(literals: list[str], between: list[str]) -> list[str]:
    pieces = [literals[0]]
    for literal, piece in zip(literals[1:], between, strict=True):
        pieces += [piece, literal]
    return pieces


def _decode(name: str, value: str) -> str:
    if _BAD_ESCAPE.search(value):
        raise fail(
            FailureKind.INVALID_INPUT, f'"{name}": has a % that begins no escape', field=name
        )
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeError:
        raise fail(
            FailureKind.INVALID_INPUT, f'"{name}": its escapes are not UTF-8', field=name
        ) from None
