"""XML answers, in the shape that the reference engine gives.

The root element disappears: its content is the value. Attributes and child elements are members
by their local names; repeated ones make a list. Text beside attributes or elements is the member
`""`. An empty element is `""`, an empty root `{}`. All text stays text, blanks included.
"""

from __future__ import annotations

from xml.parsers import expat

from naftiko_runtime.formats.text import decode_text
from naftiko_runtime.json_values import JsonValue

_DEPTH = 200
_NIL = "http://www.w3.org/2001/XMLSchema-instance nil"


class _Reading:
    """One document on its way to a value; its methods are what the parser calls."""

    __slots__ = ("_is_nil", "_members", "_names", "_outer", "_pieces", "result")

    def __init__(self) -> None:
        self.result: JsonValue = None
        self._members: dict[str, JsonValue] = {}
        """Of the element that is being read, in the order of their first appearance."""
        self._is_nil = False
        self._pieces: list[str] = []
        self._outer: list[tuple[dict[str, JsonValue], bool]] = []
        """What the parent of each open element has so far."""
        self._names = _LocalNames()

    def attach(self, parser: expat.XMLParserType) -> None:
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._pieces.append

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        outer = self._outer
        if len(outer) >= _DEPTH:
            raise ValueError(f"it is nested deeper than {_DEPTH} elements")
        if self._pieces:
            self._end_text()
        outer.append((self._members, self._is_nil))
        self._members = {}
        self._is_nil = False
        if attributes:
            self._note(attributes)

    def _note(self, attributes: dict[str, str]) -> None:
        for key, value in attributes.items():
            if key == _NIL:
                self._is_nil = value.strip() in ("true", "1")
            else:
                _add(self._members, self._names[key], value)

    def _end(self, name: str) -> None:
        pieces, members, outer = self._pieces, self._members, self._outer
        value: JsonValue
        if self._is_nil:
            pieces.clear()
            value = None
        elif members or len(outer) == 1:
            if pieces:
                self._end_text()
            value = members
        elif len(pieces) == 1:
            value = pieces.pop()
        else:
            value = "".join(pieces)
            pieces.clear()
        self._members, self._is_nil = outer.pop()
        if outer:
            _add(self._members, self._names[name], value)
        else:
            self.result = value

    def _end_text(self) -> None:
        """Keeps the text so far as one piece; blank text between elements is layout."""
        piece = "".join(self._pieces)
        self._pieces.clear()
        if piece and not piece.isspace():
            _add(self._members, "", piece)


class _LocalNames(dict[str, str]):
    """Names without their namespaces."""

    def __missing__(self, name: str) -> str:
        local = self[name] = name.rpartition(" ")[2]
        return local


def _add(members: dict[str, JsonValue], name: str, value: JsonValue) -> None:
    """A list is a member that is repeated: no element is a list by itself."""
    if name not in members:
        members[name] = value
        return
    known = members[name]
    if isinstance(known, list):
        known.append(value)
    else:
        members[name] = [known, value]


def read_xml(body: bytes, charset: str | None) -> JsonValue:
    """The value of a document. Raises ValueError: not well-formed, nested too deeply, or with
    entities of its own, which could blow it up or reach elsewhere."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _doctype
    parser.EntityDeclHandler = _entity
    parser.SkippedEntityHandler = _entity
    reading = _Reading()
    reading.attach(parser)
    try:
        parser.Parse(body if charset is None else decode_text(body, charset), True)
    except expat.ExpatError as error:
        reason = expat.errors.messages[error.code] if error.code else "not well-formed"
        raise ValueError(
            f"it is not well-formed XML: {reason} at line {error.lineno}, column {error.offset + 1}"
        ) from None
    except LookupError:
        raise ValueError("the character set that it declares is not known") from None
    return reading.result


def _doctype(name: str, system: str | None, public: str | None, has_subset: int) -> None:
    if has_subset:
        raise ValueError("it declares a document type of its own, which is not read")


def _entity(name: str, *_: object) -> None:
    raise ValueError(f'it holds the entity "{name}", which is not read')
