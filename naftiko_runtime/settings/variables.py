"""Fills the environment's variables into settings that hold a secret: `{{REDIS_PASSWORD}}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

_VARIABLE: Final = re.compile(r"\{\{ *([A-Za-z_][A-Za-z0-9_]*) *\}\}")


class UnsetVariable(Exception):
    """A variable that has no value in the environment; `name` is its name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def fill(text: str, variables: Mapping[str, str]) -> str:
    """The text with the values of its variables. Within a longer text, which is an address, they
    are percent-encoded. Raises UnsetVariable; a variable that is set to nothing counts as unset.
    """
    whole = _VARIABLE.fullmatch(text)
    if whole is not None:
        return _value(whole[1], variables)
    return _VARIABLE.sub(lambda match: quote(_value(match[1], variables), safe=""), text)


def _value(name: str, variables: Mapping[str, str]) -> str:
    if not (value := variables.get(name)):
        raise UnsetVariable(name)
    return value
