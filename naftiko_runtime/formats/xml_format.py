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


class _Element:
    """An element while it is being read: members in order of their first appearance."""

    __slots__ = ("is_nil", "members", "name", "text")

    def __init__(self, name: str) -> None:
        self.name = name
        self.members: dict[str, list[JsonValue]] = {}
        self.text: list[str] = []
        self.is_nil = False

    def add(self, name: str, value: JsonValue) -> None:
        self.members.setdefault(name, []).append(value)

    def end_text(self) -> None:
        """Keeps the text so far as one piece; blank text between elements is layout."""
        piece = "".join(self.text)
        self.text.clear()
        if piece.strip():
            self.add("", piece)

    def value(self, *, is_root: bool = False) -> JsonValue:
        if self.is_nil:
            return None
        text = "".join(self.text)
        if not self.members and not is_root:
            return text
        self.end_text()
        return {
            name: values[0] if len(values) == 1 else values for name, values in self.members.items()
        }


def read_xml(body: bytes, charset: str | None) -> JsonValue:
    """The value of a document. Raises ValueError: not well-formed, nested too deeply, or with
    entities of its own, which could blow it up or reach elsewhere."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    open_elements: list[_Element] = []
    result: list[JsonValue] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(open_elements) >= _DEPTH:
            raise ValueError(f"it is nested deeper than {_DEPTH} elements")
        if open_elements:
            open_elements[-1].end_text()
        element = _Element(_local(name))
        for key, value in attributes.items():
            if key == _NIL:
                element.is_nil = value.strip() in ("true", "1")
            else:
                element.add(_local(key), value)
        open_elements.append(element)

    def end(name: str) -> None:
        element = open_elements.pop()
        if open_elements:
            open_elements[-1].add(element.name, element.value())
        else:
            result.append(element.value(is_root=True))

    def text(data: str) -> None:
        if open_elements:
            open_elements[-1].text.append(data)

    def doctype(name: str, system: str | None, public: str | None, has_subset: int) -> None:
        if has_subset:
            raise ValueError("it declares a document type of its own, which is not read")

    def entity(name: str, *_: object) -> None:
        raise ValueError(f'it holds the entity "{name}", which is not read')

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = entity
    parser.SkippedEntityHandler = entity
    try:
        parser.Parse(body if charset is None else decode_text(body, charset), True)
    except expat.ExpatError as error:
        reason = expat.errors.messages[error.code] if error.code else "not well-formed"
        raise ValueError(
            f"it is not well-formed XML: {reason} at line {error.lineno}, column {error.offset + 1}"
        ) from None
    except LookupError:
        raise ValueError("the character set that it declares is not known") from None
    return result[0]


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
