"""Reads template texts into references and literal pieces.

The language is Mustache's variables: `{{name}}`, `{{{name}}}` and `{{&name}}` alike (nothing is
HTML-escaped), `{{! comment }}`, dots into objects. Paths also know `{name}`. What a name refers
to is the business of `dialects`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from naftiko_runtime.document.model import Reference, Template

_DOUBLE = re.compile(r"\{\{\{\s*([^{}]*?)\s*\}\}\}|\{\{\s*([^{}]*?)\s*\}\}")
_BOTH = re.compile(
    r"\{\{\{\s*([^{}]*?)\s*\}\}\}|\{\{\s*([^{}]*?)\s*\}\}|\{\s*([^{}]*?)\s*\}",
)


class TemplateSyntaxError(ValueError):
    """A template that cannot be read; the message says why."""


def parse_template(
    text: str,
    resolve: Callable[[str], Reference],
    *,
    resolve_single: Callable[[str], Reference] | None = None,
) -> Template:
    """A text with its placeholders resolved, those in single braces too if there is what does it.

    Raises TemplateSyntaxError for an empty placeholder and for Mustache's sections, partials and
    delimiter changes, which the language does not have.
    """
    parts: list[str | Reference] = []
    literal = ""
    end = 0
    for match in (_DOUBLE if resolve_single is None else _BOTH).finditer(text):
        literal += text[end : match.start()]
        end = match.end()
        name = next(group for group in match.groups() if group is not None)
        if name.startswith("!"):
            continue
        if literal:
            parts.append(literal)
            literal = ""
        is_double = resolve_single is None or match.group().startswith("{{")
        read = resolve if is_double else resolve_single
        assert read is not None
        parts.append(read(_checked(name, match.group())))
    literal += text[end:]
    if literal or not parts:
        parts.append(literal)
    return Template(tuple(parts), text)


def _checked(name: str, placeholder: str) -> str:
    if name.startswith("&"):
        name = name[1:].strip()
    if not name:
        raise TemplateSyntaxError(f'the placeholder "{placeholder}" names nothing')
    if name[0] in "#^/>=<$" and not name.startswith("$this."):
        raise TemplateSyntaxError(
            f'"{placeholder}" is not a variable: sections, partials and delimiter changes '
            "of Mustache are not part of the language"
        )
    return name
