"""Reading YAML: what scalars mean, where things stand, and what is refused."""

from __future__ import annotations

import tracemalloc

import pytest
import yaml

from naftiko_runtime.document import yaml_builder
from naftiko_runtime.document.yaml_reader import YamlDocument, read_yaml
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.problems import Consequence, Problem, Severity

LOADERS = {
    name: getattr(yaml, name) for name in ("CSafeLoader", "SafeLoader") if hasattr(yaml, name)
}


@pytest.fixture(params=LOADERS, autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test runs with libyaml's parser and with PyYAML's own."""
    name: str = request.param
    monkeypatch.setattr(yaml_builder, "LOADER", LOADERS[name])
    return name


def read(text: str | bytes) -> tuple[YamlDocument | None, list[Problem]]:
    data = text if isinstance(text, bytes) else text.encode()
    return read_yaml(data, "a.yaml")


def value_of(text: str | bytes) -> JsonValue:
    document, problems = read(text)
    assert problems == []
    assert document is not None
    return document.value


def problem_of(text: str | bytes) -> Problem:
    _, problems = read(text)
    assert len(problems) == 1, problems
    return problems[0]


def at(problem: Problem) -> tuple[int, int]:
    return problem.place.line, problem.place.column


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("No", "No"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("12:30", "12:30"),
        ("12:30:45", "12:30:45"),
        ("2026-05-06", "2026-05-06"),
        ("2026-05-06T10:00:00Z", "2026-05-06T10:00:00Z"),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1e3", 1000.0),
        ("1.5e-2", 0.015),
        (".5", 0.5),
        ("-7", -7),
        ("+7", 7),
        ("0", 0),
        ("-0", 0),
        ("1_000", "1_000"),
        ("1.2.3", "1.2.3"),
        ("1.0.0-alpha2", "1.0.0-alpha2"),
        ("null", None),
        ("~", None),
        ("", None),
        ("nULL", "nULL"),
        ("-", "-"),
        ("<<", "<<"),
        ("=", "="),
        ("$.", "$."),
        ("'on'", "on"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("!!float 12", 12.0),
        ("! 12", "12"),
        ("12345678901234567890", 12345678901234567890),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(written: str, meant: JsonValue) -> None:
    text = f"key: {written}\n" if written != "-" else "key: '-'\n"
    document = value_of(text)
    assert document == {"key": meant}
    assert isinstance(document, dict)
    assert type(document["key"]) is type(meant)


@pytest.mark.parametrize("key", ["on", "12", "null", "true", "1.5", "2026-05-06", "~", "0x1F"])
def test_keys_are_text_as_it_is_written(key: str) -> None:
    assert value_of(f"{key}: 1") == {key: 1}


def test_a_number_with_a_leading_zero_is_decimal_and_warned_of() -> None:
    document, problems = read("port: 0017\nzip: 08\n")
    assert document is not None
    assert document.value == {"port": 17, "zip": 8}
    assert [(p.rule, at(p), p.severity) for p in problems] == [
        ("yaml-leading-zero", (1, 7), Severity.WARNING),
        ("yaml-leading-zero", (2, 6), Severity.WARNING),
    ]
    assert "0o17" in problems[0].remedy
    assert "0o" not in problems[1].remedy


@pytest.mark.parametrize(
    "number",
    [".inf", "-.INF", "+.Inf", ".nan", ".NaN", "1e999", "-1e999", "9" * 41, "0x" + "f" * 50],
)
def test_numbers_that_json_cannot_hold_are_refused(number: str) -> None:
    problem = problem_of(f"a:\n  b: {number}\n")
    assert (problem.rule, at(problem), problem.path) == ("yaml-number", (2, 6), ("a", "b"))
    assert "quotes" in problem.remedy


def test_an_unquoted_template_is_read_as_text_with_a_warning() -> None:
    document, problems = read("token: {{API_TOKEN}}\nlist: [{{ env.A }}, 1]\nnext: 1\n")
    assert document is not None
    assert document.value == {"token": "{{API_TOKEN}}", "list": ["{{ env.A }}", 1], "next": 1}
    assert [(p.rule, at(p), p.path) for p in problems] == [
        ("yaml-unquoted-template", (1, 8), ("token",)),
        ("yaml-unquoted-template", (2, 8), ("list", 0)),
    ]


def test_text_after_an_unquoted_template_says_to_quote_the_value() -> None:
    problem = problem_of("url: {{HOST}}/v1\n")
    assert (problem.rule, problem.place.line) == ("yaml-syntax", 1)
    assert "quotes altogether" in problem.remedy


def test_every_value_and_key_knows_its_line_and_column() -> None:
    document, _ = read("é: ü\nlist:\n  - name: x\n    n:   5\n  - {a: [1, two]}\n")
    assert document is not None
    assert document.positions == {
        (): (1, 1),
        ("é",): (1, 4),
        ("list",): (3, 3),
        ("list", 0): (3, 5),
        ("list", 0, "name"): (3, 11),
        ("list", 0, "n"): (4, 10),
        ("list", 1): (5, 5),
        ("list", 1, "a"): (5, 9),
        ("list", 1, "a", 0): (5, 10),
        ("list", 1, "a", 1): (5, 13),
    }
    assert document.key_positions == {
        ("é",): (1, 1),
        ("list",): (2, 1),
        ("list", 0, "name"): (3, 5),
        ("list", 0, "n"): (4, 5),
        ("list", 1, "a"): (5, 6),
    }


def test_the_place_of_an_absent_value_is_that_of_its_nearest_ancestor() -> None:
    document, _ = read("a:\n  b: 1\n")
    assert document is not None
    assert str(document.place(("a", "b"))) == "a.yaml:2:6"
    assert str(document.place(("a", "b"), key=True)) == "a.yaml:2:3"
    assert str(document.place(("a", "c", 0))) == "a.yaml:2:3"
    assert str(document.place(("x",), key=True)) == "a.yaml:1:1"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_are_counted_whatever_ends_them(newline: str) -> None:
    document, _ = read(newline.join(["# c", "a: 1", "b:", "  - 2"]))
    assert document is not None
    assert document.positions["b", 0] == (4, 5)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert value_of(b"\xef\xbb\xbfa: 1") == {"a": 1}


def test_a_duplicate_key_names_both_places_and_the_first_value_stays() -> None:
    document, problems = read("a: 1\nb:\n  c: 2\n  d: 3\n  c: {e: 4}\nf: 5\n")
    assert document is not None
    assert document.value == {"a": 1, "b": {"c": 2, "d": 3}, "f": 5}
    assert document.positions["b", "c"] == (3, 6)
    assert ("b", "c", "e") not in document.positions
    assert [(p.rule, at(p), p.path) for p in problems] == [
        ("yaml-duplicate-key", (5, 3), ("b", "c"))
    ]
    assert "3:3" in problems[0].message


def test_a_duplicate_key_in_one_tool_takes_out_that_tool_alone() -> None:
    problem = problem_of("capability:\n  exposes:\n  - tools:\n    - {name: a, name: b}\n")
    assert problem.consequence is Consequence.PART
    assert problem_of("a: 1\na: 2\n").consequence is Consequence.FILE


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("? [a]\n: 1\nb: 2\n", (1, 3)),
        ("? {a: 1}\n: {c: 2}\nb: 2\n", (1, 3)),
        ("'': 1\nb: 2\n", (1, 1)),
        ("!!int 3: 1\nb: 2\n", (1, 1)),
        ("? *x\n: 1\nb: 2\n", (1, 3)),
    ],
)
def test_a_key_that_is_no_text_is_refused_and_the_rest_is_read(
    text: str, place: tuple[int, int]
) -> None:
    document, problems = read(text)
    assert document is not None
    assert document.value == {"b": 2}
    assert [at(problem) for problem in problems] == [place]


@pytest.mark.parametrize(
    "tag", ["!!python/object:os.system", "!!python/name:os.system", "!x", "!!binary", "!!set"]
)
def test_tags_are_refused(tag: str) -> None:
    problem = problem_of(f"a: 1\nb: {tag} {{}}\n")
    assert (problem.rule, at(problem), problem.path) == ("yaml-tag", (2, 4), ("b",))
    assert tag in problem.message


def test_a_tag_that_contradicts_its_value_is_refused() -> None:
    assert problem_of("a: !!int x").message == '"x" is tagged "!!int" but is not a whole number'


def test_aliases_are_copies_that_know_where_the_anchor_stands() -> None:
    document, problems = read("a: &x [1, {b: 2}]\nc: *x\nd: &x three\ne: *x\n")
    assert problems == []
    assert document is not None
    assert document.value == {"a": [1, {"b": 2}], "c": [1, {"b": 2}], "d": "three", "e": "three"}
    assert isinstance(document.value, dict)
    assert document.value["a"] is not document.value["c"]
    assert document.positions["c",] == (2, 4)
    assert document.positions["c", 1, "b"] == (1, 15)
    assert document.key_positions["c", 1, "b"] == (1, 12)


def test_merge_keys_add_what_the_mapping_does_not_give_itself() -> None:
    document, problems = read(
        "base: &b {a: 1, n: {c: 2}}\n"
        "one:\n  <<: *b\n  a: 5\n"
        "two:\n  z: 0\n  <<: [*b, {a: 9, y: 8}]\n"
        "'<<': text\n"
    )
    assert problems == []
    assert document is not None
    assert document.value == {
        "base": {"a": 1, "n": {"c": 2}},
        "one": {"a": 5, "n": {"c": 2}},
        "two": {"z": 0, "a": 1, "n": {"c": 2}, "y": 8},
        "<<": "text",
    }
    assert document.positions["one", "n", "c"] == (1, 24)
    assert document.positions["two", "y"] == (7, 22)


def test_merging_something_else_than_a_mapping_is_refused() -> None:
    problem = problem_of("a:\n  <<: 3\n  b: 1\n")
    assert (problem.rule, at(problem), problem.path) == ("yaml-key", (2, 7), ("a",))


def test_an_alias_without_an_anchor_is_refused() -> None:
    problem = problem_of("a: *b\n")
    assert (problem.rule, at(problem)) == ("yaml-alias", (1, 4))
    assert '"*b"' in problem.message


@pytest.mark.parametrize("text", ["a: &x [*x]", "a: &x {b: {c: *x}}", "&x a: &y\n  - *y\n"])
def test_a_value_that_holds_itself_is_refused(text: str) -> None:
    assert problem_of(text).rule == "yaml-alias"


def test_c1_an_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    for before, after in zip("abcdefghijkl", "bcdefghijklm", strict=True):
        lines.append(f"{after}: &{after} [{','.join([f'*{before}'] * 10)}]")
    tracemalloc.start()
    try:
        document, problems = read("\n".join(lines))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert document is None
    assert [problem.rule for problem in problems] == ["yaml-alias"]
    assert peak < 50_000_000


def test_c1_an_alias_bomb_of_merge_keys_is_refused() -> None:
    keys = ", ".join(f"k{n}: {n}" for n in range(100))
    merges = "".join(f"m{n}: {{<<: *a}}\n" for n in range(300))
    assert problem_of(f"a: &a {{{keys}}}\n{merges}").rule == "yaml-alias"


def test_c1_a_million_anchors_are_refused_at_the_first_thousand() -> None:
    problem = problem_of("".join(f"- &a{n} x\n" for n in range(200_000)))
    assert (problem.rule, problem.place.line) == ("yaml-alias", 1001)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_c1_nesting_of_a_hundred_thousand_levels_is_refused(opening: str) -> None:
    problem = problem_of(opening * 100_000)
    assert (problem.rule, problem.place.line) == ("yaml-too-deep", 1)


def test_c1_nesting_through_aliases_counts_too() -> None:
    lines = ["a0: &a0 [1]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 80)]
    assert problem_of("\n".join(lines)).rule == "yaml-too-deep"


def test_sixty_four_levels_are_allowed() -> None:
    assert value_of("[" * 64 + "]" * 64) is not None


def test_c1_a_file_of_too_many_values_is_refused() -> None:
    problem = problem_of("[" + "1," * 250_000 + "]")
    assert problem.rule == "yaml-too-large"


def test_c1_a_file_of_too_many_bytes_is_refused_unread() -> None:
    problem = problem_of(b"#" * 100_000_000)
    assert problem.rule == "yaml-too-large"
    assert "100,000,000 bytes" in problem.message


@pytest.mark.parametrize(
    ("data", "place", "words"),
    [
        ("a: ü".encode("utf-16"), (1, 1), "UTF-16"),
        ("a: ü".encode("utf-16-be"), (1, 1), "binary"),
        (b"\xfe\xff\x00a", (1, 1), "UTF-16"),
        (b"\x89PNG\r\n\x1a\n\x00", (3, 1), "binary"),
        (b"a: 1\nb: caf\xe9\n", (2, 7), "0xE9"),
        (b"a: \x1b[31m\n", (1, 4), "U+001B"),
        ("a: \ufffe".encode(), (1, 4), "U+FFFE"),
    ],
)
def test_a_file_that_is_not_utf_8_text_is_refused(
    data: bytes, place: tuple[int, int], words: str
) -> None:
    problem = problem_of(data)
    assert problem.rule == "yaml-encoding"
    assert at(problem) == place
    assert words in problem.message
    assert problem.remedy


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "empty"), (b" \n\n", "empty"), (b"# a\n", "comments"), (b"\xef\xbb\xbf", "empty")],
)
def test_an_empty_file_is_refused(data: bytes, words: str) -> None:
    document, problems = read(data)
    assert document is None
    assert [problem.rule for problem in problems] == ["yaml-empty"]
    assert words in problems[0].message


def test_a_second_document_is_refused_where_it_starts() -> None:
    problem = problem_of("a: 1\n---\nb: 2\n")
    assert (problem.rule, at(problem)) == ("yaml-documents", (2, 1))


def test_one_document_may_have_its_marks() -> None:
    assert value_of("%YAML 1.1\n---\na: 1\n...\n") == {"a": 1}


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: b: c", (1, 5), '":"'),
        ("a\nb: c", (2, 2), '":"'),
        ("a:\n\t- b", (2, 1), "tab"),
        ("\ta: b", (1, 1), "tab"),
        ("a: >\n\tb", (2, 1), "tab"),
        ("a: @x", (1, 4), '"@"'),
        ("a: `x`", (1, 4), '"`"'),
        ("a: %x", (1, 4), '"%"'),
        ("a: 1\nb: 'x\nc: 2\n", (2, 4), "quote"),
        ('a: "x\n', (1, 4), "quote"),
        ("- [a, b\n- c", (1, 3), '"]"'),
        ("a: {b: c", (1, 4), '"}"'),
        ("a: *", (1, 5), '"*"'),
        ("a: & b", (1, 5), '"&"'),
        ("a: |x\n b", (1, 5), '"|"'),
        ("a:\n  b: 1\n c: 2", (3, 2), "mapping above"),
        ("- a\nb: c", (2, 1), "list above"),
        ("a: - b", (1, 4), "list element"),
        ("a: !e!f z", (1, 4), '"!"'),
        ("a: ]", (1, 4), "reserve"),
        ("a: 'x' y", (1, 8), "mapping above"),
        ("a:\n  - b\n  -c\n  d: e", (3, 3), '":"'),
        ("%YAML 2.0\n---\na: 1", (1, 1), "%YAML"),
    ],
)
def test_a_syntax_error_says_where_what_and_how_to_mend_it(
    text: str, place: tuple[int, int], words: str
) -> None:
    document, problems = read(text)
    assert document is None
    assert [problem.rule for problem in problems] == ["yaml-syntax"]
    assert at(problems[0]) == place
    assert words in problems[0].message
    assert problems[0].remedy
    assert "found" not in problems[0].message
    assert "token" not in problems[0].message


def test_an_unknown_escape_is_reported_on_its_line() -> None:
    problem = problem_of('a: "x\n  y \\q z"\n')
    assert (problem.rule, problem.place.line) == ("yaml-syntax", 2)
    assert "escape" in problem.message


def test_problems_before_a_syntax_error_are_reported_with_it() -> None:
    _, problems = read("a: 1\na: 2\nb: .nan\nc: @\n")
    assert [(problem.rule, problem.place.line) for problem in problems] == [
        ("yaml-duplicate-key", 2),
        ("yaml-number", 3),
        ("yaml-syntax", 4),
    ]
