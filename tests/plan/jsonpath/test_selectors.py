"""What each selector and segment of RFC 9535 finds, and in which order."""

from __future__ import annotations

import pytest

from naftiko_runtime.plan.jsonpath import MISSING, JsonValue, compile_jsonpath

SHOP: JsonValue = {
    "name": "Corner",
    "shelves": [
        {"label": "tea", "boxes": [1, 2, 3]},
        {"label": "jam", "boxes": [], "open": None},
        "empty",
    ],
    "owner": {"name": "Ada", "address": {"city": "Ulm"}},
}
LETTERS: list[JsonValue] = ["a", "b", "c", "d", "e", "f"]

FOUND: list[tuple[str, JsonValue, list[JsonValue]]] = [
    ("$", 5, [5]),
    ("$", None, [None]),
    ("$.name", SHOP, ["Corner"]),
    ("$.owner.address.city", SHOP, ["Ulm"]),
    ("$['owner'][\"address\"]['city']", SHOP, ["Ulm"]),
    ("$.shelves[1].open", SHOP, [None]),
    ("$.absent", SHOP, []),
    ("$.name.first", SHOP, []),
    ("$.shelves.label", SHOP, []),
    ("$.name", ["name"], []),
    ("$['']", {"": 1}, [1]),
    ("$.ünï_1", {"ünï_1": 1}, [1]),
    ("$.true.null", {"true": {"null": 1}}, [1]),
    (r"$['\'']", {"'": 1}, [1]),
    (r'$["\""]', {'"': 1}, [1]),
    (r"$['\\\/\b\f\n\r\t']", {"\\/\b\f\n\r\t": 1}, [1]),
    (r"$['\u00e9\u00E9']", {"éé": 1}, [1]),
    (r"$['\ud83D\uDe00']", {"😀": 1}, [1]),
    ("$['😀']", {"😀": 1}, [1]),
    ("$['\x7f']", {"\x7f": 1}, [1]),
    ("$[0]", LETTERS, ["a"]),
    ("$[-1]", LETTERS, ["f"]),
    ("$[-6]", LETTERS, ["a"]),
    ("$[6]", LETTERS, []),
    ("$[-7]", LETTERS, []),
    ("$[9007199254740991]", LETTERS, []),
    ("$[-9007199254740991]", LETTERS, []),
    ("$[0]", {"0": 1}, []),
    ("$['0']", LETTERS, []),
    ("$[0]", "text", []),
    ("$.name[0]", SHOP, []),
    ("$[1:3]", LETTERS, ["b", "c"]),
    ("$[4:]", LETTERS, ["e", "f"]),
    ("$[:2]", LETTERS, ["a", "b"]),
    ("$[:]", LETTERS, LETTERS),
    ("$[::]", LETTERS, LETTERS),
    ("$[::2]", LETTERS, ["a", "c", "e"]),
    ("$[1:5:2]", LETTERS, ["b", "d"]),
    ("$[-2:]", LETTERS, ["e", "f"]),
    ("$[:-4]", LETTERS, ["a", "b"]),
    ("$[3:1]", LETTERS, []),
    ("$[::-1]", LETTERS, ["f", "e", "d", "c", "b", "a"]),
    ("$[4:1:-2]", LETTERS, ["e", "c"]),
    ("$[:-3:-1]", LETTERS, ["f", "e"]),
    ("$[2::-1]", LETTERS, ["c", "b", "a"]),
    ("$[-1:-4:-1]", LETTERS, ["f", "e", "d"]),
    ("$[99:0:-1]", LETTERS, ["f", "e", "d", "c", "b"]),
    ("$[-99:99]", LETTERS, LETTERS),
    ("$[3:-99:-1]", LETTERS, ["d", "c", "b", "a"]),
    ("$[1:5:0]", LETTERS, []),
    ("$[1:9:9007199254740991]", LETTERS, ["b"]),
    ("$[1:2]", {"1": 1}, []),
    ("$[0:2]", "text", []),
    ("$[ 1 : 5 : 2 ]", LETTERS, ["b", "d"]),
    ("$.*", {"x": 1, "y": 2}, [1, 2]),
    ("$[*]", [3, [4]], [3, [4]]),
    ("$.*", "text", []),
    ("$.*", {}, []),
    ("$.shelves[*].label", SHOP, ["tea", "jam"]),
    ("$.shelves[*].boxes[*]", SHOP, [1, 2, 3]),
    ("$.*.name", SHOP, ["Ada"]),
    ("$[*].a", {"x": {"a": 1}, "y": {"a": 2}, "z": 3}, [1, 2]),
    ("$[*].a.b", [{"a": {"b": 1}}, {"a": {}}, {"a": 2}, {}], [1]),
    ("$[*].a.b.c", [{"a": {"b": {"c": 1}}}, {"a": {"b": []}}], [1]),
    ("$[*][0]", [[1, 2], [], {"0": 3}, [4]], [1, 4]),
    ("$[0,2]", LETTERS, ["a", "c"]),
    ("$[1,1]", LETTERS, ["b", "b"]),
    ("$[4:,0,*]", ["a", "b"], ["a", "a", "b"]),
    ("$['x',0]", {"x": 1}, [1]),
    ("$['x',0]", [2], [2]),
    ("$['y', 'x']", {"x": 1, "y": 2}, [2, 1]),
    ("$[*]['b','a']", [{"a": 1, "b": 2}, {"a": 3}], [2, 1, 3]),
    ("$..name", SHOP, ["Corner", "Ada"]),
    ("$..[0]", [[1, 2], {"x": [3]}], [[1, 2], 1, 3]),
    ("$..*", {"a": [1, {"b": 2}]}, [[1, {"b": 2}], 1, {"b": 2}, 2]),
    ("$..[*]", [[1], [2]], [[1], [2], 1, 2]),
    ("$..['a','b']", {"a": {"b": 1}, "b": 2}, [{"b": 1}, 2, 1]),
    ("$..a..b", {"a": {"a": {"b": 1}}}, [1, 1]),
    ("$.x..y", {"x": [{"y": 1}], "y": 2}, [1]),
    ("$..boxes[1:]", SHOP, [2, 3]),
    ("$..a", 5, []),
    ("$ .name", SHOP, ["Corner"]),
    ("$\n.owner\t['name']\r", {"owner": {"name": 1}}, [1]),
    ("$[\n'a' ,\t'b'\r]", {"a": 1, "b": 2}, [1, 2]),
]


@pytest.mark.parametrize(("path", "document", "found"), FOUND)
def test_path_finds_values_in_order(path: str, document: JsonValue, found: list[JsonValue]) -> None:
    assert compile_jsonpath(path).find(document) == found


@pytest.mark.parametrize(
    ("path", "definite"),
    [
        ("$", True),
        ("$.a", True),
        ("$['a'][0][-1].b", True),
        ("$[*]", False),
        ("$..a", False),
        ("$[0,1]", False),
        ("$[0:1]", False),
        ("$[?@]", False),
        ("$.a[?@.b].c", False),
    ],
)
def test_definite_paths_are_those_of_single_names_and_indexes(path: str, definite: bool) -> None:
    assert compile_jsonpath(path).definite is definite


def test_reading_a_definite_path_gives_the_value_or_missing() -> None:
    read = compile_jsonpath("$.a[0].b").read

    assert read({"a": [{"b": None}]}) is None
    assert read({"a": [{"b": [1]}]}) == [1]
    without: list[JsonValue] = [
        {"a": [{}]},
        {"a": []},
        {"a": {"0": {"b": 1}}},
        {"a": "b"},
        [],
        None,
    ]
    for document in without:
        assert read(document) is MISSING


def test_reading_an_indefinite_path_gives_a_list_even_of_one_or_none() -> None:
    read = compile_jsonpath("$.a[*].b").read

    assert read({"a": [{"b": 1}]}) == [1]
    assert read({"a": []}) == []
    assert read({}) == []


def test_results_can_be_changed_without_changing_the_document() -> None:
    document: JsonValue = {"a": [1, 2], "o": {"x": 1}}
    for path in ("$.a[*]", "$.o[*]", "$[*][*]", "$.a[0:]", "$.a[?@]"):
        compile_jsonpath(path).find(document).append(3)

    assert document == {"a": [1, 2], "o": {"x": 1}}


def test_very_long_paths_are_read_without_exhausting_the_stack() -> None:
    depth = 20_000
    nested: JsonValue = "leaf"
    for _ in range(depth):
        nested = {"a": [nested]}

    assert compile_jsonpath("$" + ".a[0]" * depth).read(nested) == "leaf"
    assert compile_jsonpath("$..a").find(nested)[-1] == ["leaf"]


def test_only_the_root_path_is_the_root() -> None:
    assert compile_jsonpath("$").is_root
    assert not compile_jsonpath("$.a").is_root
    assert not compile_jsonpath("$[*]").is_root
