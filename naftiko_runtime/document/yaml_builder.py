"""From parser events to plain data with positions, in one pass and within a budget.

PyYAML's own composer recurses (50,000 opening brackets end the process when libyaml composes)
and knows no limits; events come one at a time, so each limit is checked before the next is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import yaml

from naftiko_runtime.document import yaml_faults as faults
from naftiko_runtime.document.yaml_faults import Refused
from naftiko_runtime.document.yaml_marks import LineColumn, Marks
from naftiko_runtime.document.yaml_scalars import (
    ScalarFault,
    check_collection_tag,
    has_leading_zero,
    resolve_plain,
    resolve_tagged,
    unknown_tag,
)
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.problems import DocumentPath, Place, Problem

LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)
"""libyaml's parser where PyYAML was built with it; the other one is some ten times slower."""

_TEMPLATE = re.compile(r"\{\{\s*[\w.$@-]+\s*\}\}")
_KEY_TAGS = frozenset({"!", "tag:yaml.org,2002:str"})
_MERGE = "<<"

_Collection = dict[str, JsonValue] | list[JsonValue]


class _Anchored(NamedTuple):
    """What an anchor names: a value, where it stands, and of how many nodes and levels."""

    value: JsonValue
    path: DocumentPath
    marks: Marks
    nodes: int
    levels: int


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is being read.

    `into` and `into_marks` take the next value. They are the frame's own but for a value that
    is dropped (no usable key leads to it) or merged when the mapping ends (`<<`).
    """

    value: _Collection
    path: DocumentPath
    marks: Marks
    into: _Collection
    into_marks: Marks
    is_mapping: bool
    is_key: bool = False
    key: str | None = None
    anchor: str | None = None
    first_node: int = 0
    levels: int = 1
    merges: list[tuple[dict[str, JsonValue], Marks]] | None = None

    def divert(self, key: str) -> tuple[dict[str, JsonValue], Marks]:
        """Lets the next value go elsewhere; returns where."""
        into: dict[str, JsonValue] = {}
        self.key, self.into, self.into_marks = key, into, Marks()
        return into, self.into_marks


class Builder:
    """Reads one document. `value` and `marks` hold it afterwards, `problems` what is wrong in it.

    What cannot be read on from raises Refused, a syntax error yaml.YAMLError.
    """

    def __init__(self, text: str, file: str) -> None:
        self.value: JsonValue = None
        self.marks = Marks()
        self.problems: list[Problem] = []
        self.documents = 0
        self._text = text
        self._file = file
        self._frames: list[_Frame] = []
        self._frame: _Frame | None = None
        """The innermost open one."""
        self._nodes = 0
        self._aliased_nodes = 0
        self._anchors: dict[str, _Anchored | None] = {}
        """None while the anchor's own value is still being read."""

    def build(self) -> None:
        handlers: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._start,
            yaml.SequenceStartEvent: self._start,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        loader = LOADER(self._text)
        self._next_event = loader.get_event
        try:
            while (event := loader.get_event()).__class__ is not yaml.StreamEndEvent:
                handler = handlers.get(event.__class__)
                if handler is not None:
                    handler(event)
        finally:
            loader.dispose()

    # --- events ---------------------------------------------------------------------------

    def _document(self, event: yaml.Event) -> None:
        self.documents += 1
        if self.documents > 1:
            raise Refused(faults.second_document(self._place(event)))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._count(event)
        frame = self._frame
        if frame is not None and frame.key is None and frame.is_mapping:
            self._key(frame, event)
            return
        path, marks = self._spot(frame)
        marks.positions[path] = _line_column(event)
        value: JsonValue = event.value
        if event.tag is not None or event.implicit[0]:
            value = self._resolved(event, path)
        self._put(frame, value)
        if event.anchor is not None:
            self._name(event, _Anchored(value, path, marks, 1, 0))

    def _start(self, event: yaml.CollectionStartEvent) -> None:
        self._count(event)
        frame = self._frame
        is_key = frame is not None and frame.key is None and frame.is_mapping
        if frame is not None and is_key:
            self._refuse_key(frame, event, "the key is a mapping or a list")
        elif event.flow_style and self._take_template(frame, event):
            return
        if len(self._frames) >= faults.MAX_DEPTH:
            raise Refused(faults.too_deep(self._place(event)))
        path, marks = self._spot(frame)
        marks.positions[path] = _line_column(event)
        is_mapping = event.__class__ is yaml.MappingStartEvent
        value: _Collection = {} if is_mapping else []
        self._put(frame, value)
        self._frame = _Frame(value, path, marks, value, marks, is_mapping, is_key)
        self._frames.append(self._frame)
        if event.tag is not None:
            self._check_tag(event.tag, event, path)
        if event.anchor is not None:
            self._frame.anchor = event.anchor
            self._frame.first_node = self._nodes
            self._name(event, None)

    def _end(self, event: yaml.Event) -> None:
        frame = self._frames.pop()
        if frame.merges is not None:
            self._merge(frame)
        if frame.anchor is not None:
            nodes = self._nodes - frame.first_node + 1
            self._anchors[frame.anchor] = _Anchored(
                frame.value, frame.path, frame.marks, nodes, frame.levels
            )
        self._frame = parent = self._frames[-1] if self._frames else None
        if parent is not None:
            parent.levels = max(parent.levels, frame.levels + 1)
            if frame.is_key:
                parent.divert("")

    def _alias(self, event: yaml.AliasEvent) -> None:
        self._count(event)
        frame = self._frame
        if frame is not None and frame.key is None and frame.is_mapping:
            self._refuse_key(frame, event, f'the key is the alias "*{event.anchor}"')
            return
        path, marks = self._spot(frame)
        value: JsonValue = None
        anchored = self._anchored(event, path)
        if anchored is not None:
            self._check_alias(event, anchored)
            value = marks.copy(anchored.value, anchored.marks, anchored.path, path)
            if frame is not None:
                frame.levels = max(frame.levels, anchored.levels + 1)
        marks.positions[path] = _line_column(event)
        self._put(frame, value)

    # --- keys -----------------------------------------------------------------------------

    def _key(self, frame: _Frame, event: yaml.ScalarEvent) -> None:
        key: str = event.value
        if event.tag is not None and event.tag not in _KEY_TAGS:
            self._report_fault(unknown_tag(event.tag), event, frame.path)
            frame.divert(key)
        elif not key:
            self._refuse_key(frame, event, "the key is empty")
        elif key == _MERGE and event.implicit[0] and event.tag is None:
            frame.merges = [*(frame.merges or ()), frame.divert(key)]
        elif key in frame.value:
            path = (*frame.path, key)
            first = frame.marks.key_positions[path]
            self.problems.append(faults.duplicate_key(key, first, self._place(event), path))
            frame.divert(key)
        else:
            frame.key = key
            frame.into = frame.value
            frame.into_marks = frame.marks
            frame.marks.key_positions[(*frame.path, key)] = _line_column(event)
        if event.anchor is not None:
            marks = Marks({(): _line_column(event)})
            self._name(event, _Anchored(key, (), marks, 1, 0))

    def _refuse_key(self, frame: _Frame, event: yaml.Event, what: str) -> None:
        self.problems.append(faults.unusable_key(what, self._place(event), frame.path))
        frame.divert("")

    def _merge(self, frame: _Frame) -> None:
        """Adds what `<<` names: keys of the mapping itself win, then earlier mappings."""
        target = frame.value
        assert isinstance(target, dict)
        at = (*frame.path, _MERGE)
        for into, marks in frame.merges or ():
            merged = into[_MERGE]
            sources: list[tuple[DocumentPath, JsonValue]] = [(at, merged)]
            if isinstance(merged, list):
                sources = [((*at, index), source) for index, source in enumerate(merged)]
            for source_path, source in sources:
                if not isinstance(source, dict):
                    place = Place(self._file, *marks.positions[source_path])
                    self.problems.append(faults.not_mergeable(place, frame.path))
                    continue
                for key, value in source.items():
                    if key not in target:
                        path = (*frame.path, key)
                        target[key] = frame.marks.copy(value, marks, (*source_path, key), path)

    # --- values ---------------------------------------------------------------------------

    def _count(self, event: yaml.Event) -> None:
        self._nodes += 1
        if self._nodes > faults.MAX_NODES:
            raise Refused(faults.too_many_nodes(self._place(event)))

    def _spot(self, frame: _Frame | None) -> tuple[DocumentPath, Marks]:
        """The path of the next value, and where its marks go."""
        if frame is None:
            return (), self.marks
        if frame.key is not None:
            return (*frame.path, frame.key), frame.into_marks
        return (*frame.path, len(frame.value)), frame.marks

    def _put(self, frame: _Frame | None, value: JsonValue) -> None:
        if frame is None:
            self.value = value
        elif isinstance(frame.into, dict):
            assert frame.key is not None
            frame.into[frame.key] = value
            frame.key = None
        else:
            frame.into.append(value)

    def _resolved(self, event: yaml.ScalarEvent, path: DocumentPath) -> JsonValue:
        try:
            if event.tag is not None:
                return resolve_tagged(event.tag, event.value)
            value = resolve_plain(event.value)
        except ScalarFault as fault:
            self._report_fault(fault, event, path)
            return str(event.value)
        if value.__class__ is int and has_leading_zero(event.value):
            place = self._place(event)
            self.problems.append(faults.leading_zero(event.value, value, place, path))
        return value

    def _take_template(self, frame: _Frame | None, event: yaml.CollectionStartEvent) -> bool:
        """Reads an unquoted `{{NAME}}`, a mapping to YAML, as the text that is meant."""
        assert event.start_mark is not None
        match = _TEMPLATE.match(self._text, event.start_mark.index)
        if match is None:
            return False
        path, marks = self._spot(frame)
        marks.positions[path] = _line_column(event)
        self.problems.append(faults.unquoted_template(match[0], self._place(event), path))
        self._put(frame, match[0])
        open_collections = 1
        while open_collections:
            inner = self._next_event()
            open_collections += isinstance(inner, yaml.CollectionStartEvent)
            open_collections -= isinstance(inner, yaml.CollectionEndEvent)
        return True

    def _check_tag(self, tag: str, event: yaml.Event, path: DocumentPath) -> None:
        try:
            check_collection_tag(tag)
        except ScalarFault as fault:
            self._report_fault(fault, event, path)

    # --- anchors and aliases --------------------------------------------------------------

    def _name(self, event: yaml.NodeEvent, anchored: _Anchored | None) -> None:
        assert event.anchor is not None
        self._anchors[event.anchor] = anchored
        if len(self._anchors) > faults.MAX_ANCHORS:
            raise Refused(faults.too_many_anchors(self._place(event)))

    def _anchored(self, event: yaml.AliasEvent, path: DocumentPath) -> _Anchored | None:
        name = event.anchor
        assert name is not None
        if name not in self._anchors:
            self.problems.append(faults.unknown_alias(name, self._place(event), path))
            return None
        anchored = self._anchors[name]
        if anchored is None:
            self.problems.append(faults.cyclic_alias(name, self._place(event), path))
        return anchored

    def _check_alias(self, event: yaml.AliasEvent, anchored: _Anchored) -> None:
        self._nodes += anchored.nodes
        self._aliased_nodes += anchored.nodes
        if self._nodes > faults.MAX_NODES or self._aliased_nodes > faults.MAX_ALIASED_NODES:
            raise Refused(faults.too_many_aliases(self._place(event)))
        if len(self._frames) + anchored.levels > faults.MAX_DEPTH:
            raise Refused(faults.too_deep(self._place(event)))

    def _report_fault(self, fault: ScalarFault, event: yaml.Event, path: DocumentPath) -> None:
        self.problems.append(faults.scalar_fault(fault, self._place(event), path))

    def _place(self, event: yaml.Event) -> Place:
        return Place(self._file, *_line_column(event))


def _line_column(event: yaml.Event) -> LineColumn:
    mark = event.start_mark
    assert mark is not None
    return mark.line + 1, mark.column + 1
