"""Properties of the YAML reader, held against PyYAML's composer and the JSON module."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.document import yaml_builder
from naftiko_runtime.document.yaml_reader import YamlDocument, read_yaml
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.problems import DocumentPath

# JSON text is YAML but for characters that YAML wants escaped or takes for line breaks.
text = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn"), exclude_characters="\u2028\u2029\ufeff")
    | st.sampled_from("\n\t\"'\\{}[]:#&*!|>%@`-?,")
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
)
keys = text.filter(lambda key: 0 < len(key) < 100)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)

INDICATORS = st.text(
    "abc019.:-#&*!|>%@`?,[]{}'\"\\ \n\t~<=/_$é\u2028\ufeff\x85\r\x00\x1b", max_size=60
)


def read(source: str) -> YamlDocument:
    document, problems = read_yaml(source.encode(), "a.yaml")
    assert problems == []
    assert document is not None
    return document


def nodes(node: yaml.Node, path: DocumentPath = ()) -> Iterator[tuple[DocumentPath, yaml.Node]]:
    yield path, node
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            yield from nodes(child, (*path, index))
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            yield from nodes(child, (*path, key.value))


def key_nodes(node: yaml.Node) -> Iterator[tuple[DocumentPath, yaml.Node]]:
    for path, parent in nodes(node):
        if isinstance(parent, yaml.MappingNode):
            for key, _ in parent.value:
                yield (*path, key.value), key


def start(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


@given(values, st.sampled_from([None, 1, 4]))
def test_json_text_reads_as_the_json_module_reads_it(value: JsonValue, indent: int | None) -> None:
    source = json.dumps(value, ensure_ascii=False, indent=indent)
    document = read(source)
    assert document.value == json.loads(source)
    assert repr(document.value) == repr(json.loads(source))


@given(values, st.booleans(), st.integers(2, 6))
def test_positions_are_those_of_the_nodes(value: JsonValue, flow: bool, indent: int) -> None:
    source = yaml.safe_dump(
        value, allow_unicode=True, default_flow_style=flow, indent=indent, sort_keys=False
    )
    root = yaml.compose(source, yaml.SafeLoader)
    assert root is not None
    document, _ = read_yaml(source.encode(), "a.yaml")
    assert document is not None
    assert document.positions == {path: start(node) for path, node in nodes(root)}
    assert document.key_positions == {path: start(key) for path, key in key_nodes(root)}


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.lists(text)), min_size=1), st.data())
def test_shared_values_read_as_equal_ones(shared: list[JsonValue], data: st.DataObject) -> None:
    picks: list[JsonValue] = data.draw(st.lists(st.sampled_from(shared), max_size=8))
    value: JsonValue = {"list": picks, "first": picks[:1], "nested": {"again": picks}}
    source = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, default_style='"')
    document = read(source)
    assert document.value == value
    assert set(document.positions) == set(_paths(value))


def _paths(value: JsonValue, path: DocumentPath = ()) -> Iterator[DocumentPath]:
    yield path
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _paths(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _paths(child, (*path, index))


@given(
    st.lists(st.dictionaries(st.sampled_from("abcd"), text, max_size=4), min_size=1, max_size=4),
    st.dictionaries(st.sampled_from("cdef"), text, max_size=3),
    st.booleans(),
)
def test_merge_keys_read_as_pyyaml_reads_them(
    bases: list[dict[str, str]], own: dict[str, str], merge_first: bool
) -> None:
    lines = [f"base{n}: &b{n} {_quoted(base)}" for n, base in enumerate(bases)]
    merge = "  <<: [" + ", ".join(f"*b{n}" for n in range(len(bases))) + "]"
    members = [f"  {key}: {_quoted(value)}" for key, value in own.items()]
    members = [merge, *members] if merge_first else [*members, merge]
    source = "\n".join([*lines, "merged:", *members])
    assert read(source).value == yaml.load(source, yaml.SafeLoader)


@given(values, st.data())
def test_a_repeated_key_is_reported_where_it_stands(value: JsonValue, data: st.DataObject) -> None:
    members = data.draw(st.dictionaries(keys, values, min_size=1, max_size=4))
    repeated = data.draw(st.sampled_from(list(members)))
    lines = [f"{_quoted(key)}: {_quoted(child)}" for key, child in members.items()]
    lines.append(f"{_quoted(repeated)}: {_quoted(value)}")
    document, problems = read_yaml("\n".join(lines).encode(), "a.yaml")
    assert document is not None
    assert document.value == members
    assert [(problem.rule, problem.path) for problem in problems] == [
        ("yaml-duplicate-key", (repeated,))
    ]
    assert (problems[0].place.line, problems[0].place.column) == (len(lines), 1)


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
@given(source=INDICATORS)
def test_any_text_is_read_or_refused_with_a_place_inside_it(loader: str, source: str) -> None:
    if not hasattr(yaml, loader):
        pytest.skip("PyYAML was built without libyaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_builder, "LOADER", getattr(yaml, loader))
        document, problems = read_yaml(source.encode(), "a.yaml")
    assert document is not None or problems
    lines = source.count("\n") + source.count("\r") + source.count("\x85") + source.count("\u2028")
    for problem in problems:
        assert 1 <= problem.place.line <= lines + 1
        assert problem.place.column >= 1
        assert problem.message
        assert problem.remedy


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    document, problems = read_yaml(data, "a.yaml")
    assert document is not None or problems


# A byte order mark inside the text is the one thing over which the two disagree.
@given(INDICATORS.map(lambda source: source.replace("\ufeff", "")))
def test_both_parsers_read_the_same(source: str) -> None:
    if not hasattr(yaml, "CSafeLoader"):
        pytest.skip("PyYAML was built without libyaml")
    found = []
    for loader in (yaml.CSafeLoader, yaml.SafeLoader):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(yaml_builder, "LOADER", loader)
            found.append(read_yaml(source.encode(), "a.yaml")[0])
    first, second = found
    if first is not None and second is not None:
        assert first.value == second.value
