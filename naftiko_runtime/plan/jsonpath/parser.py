"""Reads a JSONPath text: the grammar of RFC 9535 sections 2.2 to 2.5, but for filter conditions.

The tolerant reading differs in what may stand before the first name and after a dot, see
`parse_tolerant`; inside brackets it is the strict one.
"""

from __future__ import annotations

from naftiko_runtime.plan.jsonpath.ast import (
    Filter,
    Index,
    Name,
    Query,
    Segment,
    Selector,
    Slice,
    Wildcard,
)
from naftiko_runtime.plan.jsonpath.conditions import parse_condition
from naftiko_runtime.plan.jsonpath.scanner import Scanner

_SELECTORS = "a name in quotes, a number, a slice, * or ?"


def parse_strict(text: str) -> Query:
    """A query as RFC 9535 reads it. Raises JsonPathSyntaxError."""
    scanner = Scanner(text)
    if not scanner.take("$"):
        raise scanner.expected("$", f'write "$.{text.strip()}"' if text.strip() else 'write "$"')
    _check_no_name(scanner)
    query = Query(parse_segments(scanner))
    _end(scanner)
    return query


def parse_tolerant(text: str) -> Query:
    """A query as published files write it and the reference engine reads it.

    Blanks around the path; `$.` for the root; no `$` at all (`a[0].b`) or `@` in its place; wide
    names after a dot (see Scanner); a dot before a bracket (`$.[0]`). Raises JsonPathSyntaxError.
    """
    scanner = Scanner(text, tolerant=True)
    scanner.skip_blank()
    first: tuple[Segment, ...] = ()
    if scanner.take("$") or scanner.take("@"):
        root = scanner.position
        if scanner.take("."):
            scanner.skip_blank()
            if scanner.at_end():
                return Query(())
            scanner.position = root
        _check_no_name(scanner)
    elif not scanner.peek("["):
        first = (Segment((_name_or_wildcard(scanner),)),)
    query = Query(first + parse_segments(scanner))
    scanner.skip_blank()
    _end(scanner)
    return query


def parse_segments(scanner: Scanner) -> tuple[Segment, ...]:
    """All segments that follow; blanks after the last one are left unread."""
    segments: list[Segment] = []
    while True:
        end = scanner.position
        scanner.skip_blank()
        if scanner.take(".."):
            if scanner.peek("["):
                segments.append(Segment(_bracketed(scanner), descendant=True))
            else:
                segments.append(Segment((_name_or_wildcard(scanner),), descendant=True))
        elif scanner.take("."):
            if scanner.tolerant and scanner.peek("["):
                segments.append(Segment(_bracketed(scanner)))
            else:
                segments.append(Segment((_name_or_wildcard(scanner),)))
        elif scanner.peek("["):
            segments.append(Segment(_bracketed(scanner)))
        else:
            scanner.position = end
            return tuple(segments)


def _check_no_name(scanner: Scanner) -> None:
    """`$name` has neither dot nor bracket."""
    position = scanner.position
    if scanner.name() is not None:
        scanner.position = position
        raise scanner.expected("a dot or a bracket", "write a dot before the name")


def _end(scanner: Scanner) -> None:
    if scanner.at_end():
        return
    if scanner.peek("("):
        remedy = "functions stand inside filters only: [?length(@.name) > 2]; `len` is a length"
        raise scanner.expected("the end", remedy)
    raise scanner.expected(
        "a dot, a bracket or the end", "put a name that is not plain in ['quotes']"
    )


def _name_or_wildcard(scanner: Scanner) -> Selector:
    if scanner.take("*"):
        return Wildcard()
    name = scanner.name()
    if name is None:
        if scanner.at_end() and scanner.text[-2:] != "..":
            remedy = 'remove the dot at the end (only "$." may have one)'
        else:
            remedy = "put a name that is not plain in ['quotes']"
        raise scanner.expected("a name or *", remedy)
    return Name(name)


def _bracketed(scanner: Scanner) -> tuple[Selector, ...]:
    scanner.take("[")
    selectors: list[Selector] = []
    while True:
        scanner.skip_blank()
        selectors.append(_selector(scanner))
        scanner.skip_blank()
        if scanner.take("]"):
            return tuple(selectors)
        if not scanner.take(","):
            raise scanner.expected("a comma or ]")


def _selector(scanner: Scanner) -> Selector:
    if scanner.take("*"):
        return Wildcard()
    if scanner.take("?"):
        scanner.enter()
        scanner.skip_blank()
        condition = parse_condition(scanner, parse_segments)
        scanner.leave()
        return Filter(condition)
    name = scanner.string()
    if name is not None:
        return Name(name)
    return _index_or_slice(scanner)


def _index_or_slice(scanner: Scanner) -> Selector:
    start = scanner.integer()
    after_start = scanner.position
    scanner.skip_blank()
    if not scanner.take(":"):
        if start is None:
            word = scanner.function_name()
            remedy = f"write ['{word}']" if word else "write names in quotes"
            scanner.position = after_start
            raise scanner.expected(_SELECTORS, remedy)
        scanner.position = after_start
        return Index(start)
    scanner.skip_blank()
    end = scanner.integer()
    after_end = scanner.position
    scanner.skip_blank()
    step = None
    if scanner.take(":"):
        scanner.skip_blank()
        step = scanner.integer()
    else:
        scanner.position = after_end
    return Slice(start, end, step)
