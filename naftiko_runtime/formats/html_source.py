"""Makes HTML fit to be parsed: parsers of HTML repair it as browsers do, and a small hostile page
can make that take quadratic time or any amount of memory."""

from __future__ import annotations

import re

_DEPTH = 500
_FORMATTING = re.compile(
    r"</?(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?:[\s/][^<>]*)?>", re.IGNORECASE
)
"""Elements that a parser opens again wherever they were not closed; they say nothing of tables."""

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_UNCOUNTED = frozenset(
    "area base br caption col colgroup dd dt embed hr img input li link meta optgroup option p "
    "param rp rt source tbody td tfoot th thead tr track wbr".split()
)
"""Elements that hold nothing, or that the next of their kind closes: they nest in others only."""


def prepare_html(text: str) -> str:
    """The page without formatting elements. Raises ValueError when it is nested too deeply.

    The depth is counted from above: an end tag that does not fit the last start tag counts as
    none, so that no trick with the repairs of the parser makes it nest deeper than this says.
    """
    text = _FORMATTING.sub("", text)
    if _FORMATTING.search(text):
        raise ValueError("it holds tags inside of tags")
    open_elements: list[str] = []
    for match in _TAG.finditer(text):
        name = match[2].lower()
        if name in _UNCOUNTED:
            continue
        if not match[1]:
            open_elements.append(name)
            if len(open_elements) > _DEPTH:
                raise ValueError(f"it is nested deeper than {_DEPTH} elements")
        elif open_elements and open_elements[-1] == name:
            open_elements.pop()
    return text
