"""Reads the condition of a filter: RFC 9535 section 2.3.5.1, and the types of section 2.4.3."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from naftiko_runtime.plan.jsonpath.ast import (
    And,
    Argument,
    Call,
    Comparable,
    Comparison,
    Condition,
    Constant,
    Holds,
    Not,
    Operator,
    Or,
    Query,
    Segment,
)
from naftiko_runtime.plan.jsonpath.functions import SIGNATURES, Kind
from naftiko_runtime.plan.jsonpath.iregexp import IRegexpTooLarge, NotIRegexp, parse_iregexp
from naftiko_runtime.plan.jsonpath.scanner import Scanner

SegmentsParser: TypeAlias = Callable[[Scanner], tuple[Segment, ...]]
"""Given by the parser of paths, as paths hold filters and filters hold paths."""

_OPERATORS: tuple[Operator, ...] = ("==", "!=", "<=", ">=", "<", ">")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_KNOWN = ", ".join(f"{name}()" for name in sorted(SIGNATURES))


def parse_condition(scanner: Scanner, segments: SegmentsParser) -> Condition:
    """A logical expression; `&&` binds tighter than `||`. Raises JsonPathSyntaxError."""
    operands = [_all_of(scanner, segments)]
    while _take_between_blanks(scanner, "||"):
        operands.append(_all_of(scanner, segments))
    return operands[0] if len(operands) == 1 else Or(tuple(operands))


def _all_of(scanner: Scanner, segments: SegmentsParser) -> Condition:
    operands = [_basic(scanner, segments)]
    while _take_between_blanks(scanner, "&&"):
        operands.append(_basic(scanner, segments))
    return operands[0] if len(operands) == 1 else And(tuple(operands))


def _basic(scanner: Scanner, segments: SegmentsParser) -> Condition:
    if scanner.take("!"):
        scanner.skip_blank()
        if scanner.peek("("):
            return Not(_parenthesized(scanner, segments))
        return Not(_test(scanner, _operand(scanner, segments)))
    if scanner.peek("("):
        return _parenthesized(scanner, segments)
    start = scanner.position
    left = _operand(scanner, segments)
    operator = _operator(scanner)
    if operator is None:
        return _test(scanner, left, start)
    _check_comparable(scanner, left, start)
    start = scanner.position
    right = _operand(scanner, segments)
    _check_comparable(scanner, right, start)
    return Comparison(operator, left, right)


def _parenthesized(scanner: Scanner, segments: SegmentsParser) -> Condition:
    scanner.take("(")
    scanner.enter()
    scanner.skip_blank()
    condition = parse_condition(scanner, segments)
    scanner.skip_blank()
    if not scanner.take(")"):
        raise scanner.expected(")")
    scanner.leave()
    return condition


def _operator(scanner: Scanner) -> Operator | None:
    before = scanner.position
    scanner.skip_blank()
    start = scanner.position
    for operator in _OPERATORS:
        if scanner.take(operator):
            scanner.skip_blank()
            return operator
    if scanner.peek("=~"):
        raise scanner.fault('has the operator "=~"', "write match(@.name, 'pattern')", at=start)
    if scanner.peek("="):
        raise scanner.fault('has a single "="', "write ==", at=start)
    scanner.position = before
    return None


def _test(scanner: Scanner, subject: Comparable, at: int | None = None) -> Condition:
    if isinstance(subject, Query):
        return Holds(subject)
    if isinstance(subject, Call):
        if SIGNATURES[subject.function].result is Kind.LOGICAL:
            return Holds(subject)
        raise scanner.fault(
            f'has "{subject.function}()" as a condition', "compare its result with a value", at=at
        )
    raise scanner.fault("has a constant as a condition", "compare it with something", at=at)


def _check_comparable(scanner: Scanner, operand: Comparable, at: int) -> None:
    if isinstance(operand, Query) and operand.singular_keys() is None:
        raise scanner.fault(
            "compares a path that may find several values",
            "use names and indexes only, or value(...) or count(...)",
            at=at,
        )
    if isinstance(operand, Call) and SIGNATURES[operand.function].result is not Kind.VALUE:
        raise scanner.fault(
            f'compares "{operand.function}()", which answers true or false by itself',
            "leave the comparison out",
            at=at,
        )


def _operand(scanner: Scanner, segments: SegmentsParser) -> Comparable:
    if scanner.take("@"):
        return Query(segments(scanner), relative=True)
    if scanner.take("$"):
        return Query(segments(scanner))
    text = scanner.string()
    if text is not None:
        return Constant(text)
    number = scanner.number()
    if number is not None:
        return Constant(number)
    start = scanner.position
    word = scanner.function_name()
    if word is None:
        raise scanner.expected("a path, a constant or a function", "paths start with @ or $")
    if scanner.peek("("):
        return _call(scanner, segments, word, start)
    if word not in _WORDS:
        raise scanner.fault(
            f'has the word "{word}" in a filter',
            f"write @.{word} for a path, '{word}' for a text",
            at=start,
        )
    return Constant(_WORDS[word])


def _call(scanner: Scanner, segments: SegmentsParser, name: str, start: int) -> Call:
    signature = SIGNATURES.get(name)
    if signature is None:
        raise scanner.fault(
            f'calls the unknown function "{name}()"', f"there are {_KNOWN}", at=start
        )
    scanner.enter()
    arguments = _arguments(scanner, segments)
    scanner.leave()
    wanted = len(signature.parameters)
    if len(arguments) != wanted:
        raise scanner.fault(
            f'gives "{name}()" {len(arguments)} arguments', f"it takes {wanted}", at=start
        )
    for argument, kind in zip(arguments, signature.parameters, strict=True):
        if not _fits(argument, kind):
            raise scanner.fault(
                f'gives "{name}()" an argument of the wrong kind',
                f"it takes {kind.value}",
                at=start,
            )
    if signature.result is Kind.LOGICAL:
        _check_pattern(scanner, arguments[1], start)
    return Call(name, tuple(arguments))


def _check_pattern(scanner: Scanner, pattern: Argument, at: int) -> None:
    """A pattern that does not conform matches nothing, by section 2.4.6; a huge one is refused."""
    if isinstance(pattern, Constant) and isinstance(pattern.value, str):
        try:
            parse_iregexp(pattern.value)
        except NotIRegexp:
            return
        except IRegexpTooLarge as fault:
            raise scanner.fault(f"is refused: {fault}", "repeat less", at=at) from None


def _arguments(scanner: Scanner, segments: SegmentsParser) -> list[Argument]:
    scanner.take("(")
    scanner.skip_blank()
    if scanner.take(")"):
        return []
    arguments: list[Argument] = []
    while True:
        arguments.append(_operand(scanner, segments))
        scanner.skip_blank()
        if scanner.take(")"):
            return arguments
        if not scanner.take(","):
            raise scanner.expected("a comma or )")
        scanner.skip_blank()


def _fits(argument: Argument, kind: Kind) -> bool:
    if isinstance(argument, Query):
        return kind is Kind.NODES or argument.singular_keys() is not None
    if isinstance(argument, Call):
        return SIGNATURES[argument.function].result is kind
    return kind is Kind.VALUE


def _take_between_blanks(scanner: Scanner, literal: str) -> bool:
    before = scanner.position
    scanner.skip_blank()
    if scanner.take(literal):
        scanner.skip_blank()
        return True
    scanner.position = before
    return False
