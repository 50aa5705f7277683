"""XML answers as JSON values."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.json_values import JsonValue
from tests.formats.reading import read, refusal

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ("<vessels><vessel>A</vessel><vessel>B</vessel></vessels>", {"vessel": ["A", "B"]}),
        ("<vessels><vessel>A</vessel></vessels>", {"vessel": "A"}),
        ("<r><a>1</a><b>x</b><a>2</a></r>", {"a": ["1", "2"], "b": "x"}),
        ('<r id="7"><a/></r>', {"id": "7", "a": ""}),
        ('<r><a id="7">text</a></r>', {"a": {"id": "7", "": "text"}}),
        ('<r><a id="7"/></r>', {"a": {"id": "7"}}),
        ('<r><a b="1"><b>2</b></a></r>', {"a": {"b": ["1", "2"]}}),
        ("<r>x<a/>y</r>", {"": ["x", "y"], "a": ""}),
        ("<r> x <a/></r>", {"": " x ", "a": ""}),
        ("<r>\n  <a>\n  1 </a>\n</r>", {"a": "\n  1 "}),
        ("<r/>", {}),
        ("<r></r>", {}),
        ("<r>text</r>", {"": "text"}),
        ("<r> </r>", {}),
        (
            '<n:r xmlns:n="u" xmlns="v" n:x="1"><n:a>1</n:a><a>2</a></n:r>',
            {"x": "1", "a": ["1", "2"]},
        ),
        (f'<r {XSI}><a xsi:nil="true"/><b xsi:nil="false">1</b></r>', {"a": None, "b": "1"}),
        (f'<r {XSI} xsi:nil="1"/>', None),
        ("<r><a><![CDATA[<b> & ]]>c</a></r>", {"a": "<b> & c"}),
        ("<r><a>&lt;&amp;&#233;&#x1F600;</a></r>", {"a": "<&é😀"}),
        ("<?xml version='1.0'?><!-- c --><r><!-- c --><?pi x?><a>1</a></r>", {"a": "1"}),
        ("<r><n>12</n><t>true</t></r>", {"n": "12", "t": "true"}),
        ('<!DOCTYPE r SYSTEM "r.dtd"><r><a>1</a></r>', {"a": "1"}),
    ],
)
def test_an_element_is_an_object_of_its_attributes_and_children(
    document: str, value: JsonValue
) -> None:
    assert read("xml", document) == value


@pytest.mark.parametrize(
    ("encoding", "declared", "charset"),
    [
        ("utf-8", None, None),
        ("utf-8-sig", None, None),
        ("utf-16", None, None),
        ("iso-8859-1", "iso-8859-1", None),
        ("iso-8859-1", None, "ISO-8859-1"),
        ("iso-8859-1", "utf-8", "latin1"),
        ("utf-16-le", None, "UTF-16LE"),
        ("windows-1252", "windows-1252", None),
        ("utf-8", None, "utf8"),
    ],
)
def test_the_charset_of_the_media_type_wins_over_the_documents(
    encoding: str, declared: str | None, charset: str | None
) -> None:
    head = "" if declared is None else f'<?xml version="1.0" encoding="{declared}"?>'
    assert read("xml", f"{head}<r><a>Tromsø</a></r>".encode(encoding), None, charset) == {
        "a": "Tromsø"
    }


@pytest.mark.parametrize(
    ("document", "charset", "reason"),
    [
        ("", None, "it is not well-formed XML: no element found at line 1, column 1"),
        ("<r>\n<a></r>", None, "it is not well-formed XML: mismatched tag at line 2, column 6"),
        (
            "{}",
            None,
            "it is not well-formed XML: not well-formed (invalid token) at line 1, column 1",
        ),
        ("<r/>x", None, "it is not well-formed XML: junk after document element"),
        ("<r a='1' a='2'/>", None, "it is not well-formed XML: duplicate attribute"),
        ("<r>&nbsp;</r>", None, "it is not well-formed XML: undefined entity"),
        ("<r/>", "punycode", 'its character set "punycode" is not known'),
        ("<r/>", "nonsense", 'its character set "nonsense" is not known'),
        ("<?xml version='1.0' encoding='nonsense'?><r/>", None, "character set"),
        (b"<r>\xff</r>", None, "it is not well-formed XML: not well-formed"),
        (b"<r>\xff</r>", "utf-8", "byte 3 is not utf-8 text"),
    ],
)
def test_what_is_no_xml_is_refused(document: str | bytes, charset: str | None, reason: str) -> None:
    assert reason in refusal("xml", document, None, charset)


BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "document",
    [
        f'<!DOCTYPE r [<!ENTITY e0 "ha">{BOMB}]><r>&e9;</r>',
        '<!DOCTYPE r [<!ENTITY x "y">]><r/>',
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>',
        '<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]><r/>',
        '<!DOCTYPE r [<!ATTLIST r a CDATA "default">]><r/>',
        '<!DOCTYPE r SYSTEM "r.dtd" [<!ENTITY x "y">]><r>&x;</r>',
    ],
)
def test_a_document_with_declarations_of_its_own_is_refused(document: str) -> None:
    assert refusal("xml", document) == "it declares a document type of its own, which is not read"


def test_an_entity_of_a_document_type_elsewhere_is_refused_rather_than_lost() -> None:
    document = '<!DOCTYPE r SYSTEM "file:///etc/passwd"><r>a&x;b</r>'
    assert refusal("xml", document) == 'it holds the entity "x", which is not read'


@pytest.mark.parametrize("closing", ["", "</a>" * 100_000])
def test_deep_nesting_is_refused(closing: str) -> None:
    assert refusal("xml", "<a>" * 100_000 + closing) == "it is nested deeper than 200 elements"


def test_nesting_within_the_limit_is_read() -> None:
    value = read("xml", "<a>" * 199 + "<b/>" + "</a>" * 199)
    for _ in range(198):
        assert isinstance(value, dict)
        value = value["a"]
    assert value == {"b": ""}


names = st.sampled_from(["a", "b", "item", "Name"])
trees = st.recursive(
    st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=5),
    lambda inner: st.lists(st.tuples(names, inner), min_size=1, max_size=4),
    max_leaves=15,
)


def written(name: str, tree: object) -> str:
    inner = tree if isinstance(tree, str) else "".join(written(*child) for child in tree)  # type: ignore[attr-defined]
    return f"<{name}>{inner}</{name}>"


def expected(tree: object) -> JsonValue:
    if isinstance(tree, str):
        return tree
    members: dict[str, list[JsonValue]] = {}
    for name, child in tree:  # type: ignore[attr-defined]
        members.setdefault(name, []).append(expected(child))
    return {key: found[0] if len(found) == 1 else list(found) for key, found in members.items()}


@given(st.lists(st.tuples(names, trees), min_size=1, max_size=4))
def test_any_tree_of_elements_comes_out_whole(tree: object) -> None:
    assert read("xml", written("root", tree)) == expected(tree)


@given(st.one_of(st.binary(max_size=80), st.text("<>/&;!ab ='\"[]?-", max_size=80)))
def test_any_bytes_are_read_or_refused(document: str | bytes) -> None:
    with contextlib.suppress(ValueError):
        read("xml", document)
