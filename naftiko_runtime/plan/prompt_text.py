"""Reads the texts of prompts, where `{{name}}` stands for an argument (McpPromptMessage)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.lazy_dataclasses import dataclass

_PLACEHOLDER: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """The name in a placeholder, and how the text spells it, braces included."""

    name: str
    spelt: str


@dataclass(frozen=True, slots=True)
class PromptText:
    """Literal pieces and placeholders in order."""

    parts: tuple[str | Placeholder, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(part.name for part in self.parts if isinstance(part, Placeholder))

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with each placeholder replaced, once: braces inside a value are just text.

        A name finds a value under its own spelling, or under one that differs in case, `-` and
        `_` only. What finds none stays as written.
        """
        loose = {fold_name(name): value for name, value in values.items()}
        return "".join(
            part
            if isinstance(part, str)
            else values.get(part.name, loose.get(fold_name(part.name), part.spelt))
            for part in self.parts
        )


def read_prompt_text(text: str) -> PromptText:
    """Any text can be read: braces that hold no name are themselves."""
    parts: list[str | Placeholder] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        if match[1]:
            parts += [text[end : match.start()], Placeholder(match[1], match.group())]
            end = match.end()
    parts.append(text[end:])
    return PromptText(tuple(part for part in parts if part != ""))
