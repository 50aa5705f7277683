"""The problems that reading YAML can find in well-formed text, and the limits it keeps."""

from __future__ import annotations

from naftiko_runtime.document.yaml_scalars import ScalarFault
from naftiko_runtime.problems import Consequence, DocumentPath, Place, Problem, Severity

MAX_BYTES = 5_000_000
MAX_DEPTH = 64
MAX_NODES = 200_000
"""Keys and values, aliases expanded."""
MAX_ALIASED_NODES = 20_000
"""How many of them may come from aliases."""
MAX_ANCHORS = 1_000


class Refused(Exception):
    """The rest of a text must not be read; carries the problem to report."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def scalar_fault(fault: ScalarFault, place: Place, path: DocumentPath) -> Problem:
    return Problem(fault.rule, place, path, fault.message, fault.remedy)


def leading_zero(text: str, value: object, place: Place, path: DocumentPath) -> Problem:
    digits = text.lstrip("+-0")
    octal = f", or 0o{digits} if it is octal" if not set(digits) & set("89") else ""
    return Problem(
        "yaml-leading-zero",
        place,
        path,
        f'"{text}" is read as the number {value}',
        f"write '{text}' in quotes if it is text{octal}",
        Severity.WARNING,
        Consequence.NOTHING,
    )


def unquoted_template(text: str, place: Place, path: DocumentPath) -> Problem:
    return Problem(
        "yaml-unquoted-template",
        place,
        path,
        f"{text} is read as text, though without quotes it means a mapping to other programs",
        f"write '{text}' in quotes",
        Severity.WARNING,
        Consequence.NOTHING,
    )


def duplicate_key(key: str, first: tuple[int, int], place: Place, path: DocumentPath) -> Problem:
    line, column = first
    return Problem(
        "yaml-duplicate-key",
        place,
        path,
        f'the key "{key}" is given twice in one mapping, first at {line}:{column}',
        "remove one of the two, or rename it",
    )


def unusable_key(what: str, place: Place, path: DocumentPath) -> Problem:
    return Problem(
        "yaml-key",
        place,
        path,
        f"{what}, where text is expected",
        "write the key as text; put a value that starts with {{ in quotes",
    )


def not_mergeable(place: Place, path: DocumentPath) -> Problem:
    return Problem(
        "yaml-key",
        place,
        path,
        '"<<" is followed by something else than a mapping',
        'name an anchored mapping ("<<: *defaults"), or put the key in quotes',
    )


def second_document(place: Place) -> Problem:
    return Problem(
        "yaml-documents",
        place,
        (),
        "a second document starts here",
        'keep one document per file and remove the "---" line',
    )


def unknown_alias(name: str, place: Place, path: DocumentPath) -> Problem:
    return Problem(
        "yaml-alias",
        place,
        path,
        f'the alias "*{name}" names no anchor above it',
        f'mark a value with "&{name}", or put the text in quotes',
    )


def cyclic_alias(name: str, place: Place, path: DocumentPath) -> Problem:
    return Problem(
        "yaml-alias",
        place,
        path,
        f'the alias "*{name}" stands inside the very value it names',
        "remove it; a value cannot hold itself",
    )


def too_many_aliases(place: Place) -> Problem:
    return Problem(
        "yaml-alias",
        place,
        (),
        f"aliases expand to more than {MAX_ALIASED_NODES:,} values",
        "write the values out, or split the file",
    )


def too_many_anchors(place: Place) -> Problem:
    return Problem(
        "yaml-alias",
        place,
        (),
        f"the file has more than {MAX_ANCHORS:,} anchors",
        "remove those that no alias names, or split the file",
    )


def too_deep(place: Place) -> Problem:
    return Problem(
        "yaml-too-deep",
        place,
        (),
        f"values are nested more than {MAX_DEPTH} levels deep",
        "flatten the document",
    )


def too_many_nodes(place: Place) -> Problem:
    return Problem(
        "yaml-too-large",
        place,
        (),
        f"the file holds more than {MAX_NODES:,} keys and values",
        "split the file",
    )
