"""The documentation page of a listener."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from naftiko_runtime.document.model import ParameterType
from tests.exposes.rest.listener import listening
from tests.exposes.rest.plans import BODY, HEADER, QUERY, adapter, given, labelled, served

EVIL = "</script><img src=x onerror=alert(1)>\"'><script>alert(2)</script>&amp;"
VOID = {"meta", "input", "link", "br"}


class Page(HTMLParser):
    """Elements with their attributes, the visible text, and whether all tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.inside: list[str] = []
        self.contents: dict[str, str] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.inside and self.inside[-1] in ("script", "style"):
            self.contents[self.inside[-1]] = data
        else:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(*parts: Any) -> tuple[Page, str]:
    with listening(*parts) as listener:
        answered = listener.get("/docs")
    assert answered.status == 200
    policy = answered.header("content-security-policy")
    assert policy is not None
    return Page(answered.body.decode()), policy


ORDER = served(
    "POST",
    "/v1/{account}/orders",
    given("account", variable="account", required=True, description="Your account."),
    given("limit", QUERY, type_=ParameterType.INTEGER, default=50),
    given("X-Trace", HEADER),
    given("side", BODY, type_=ParameterType.STRING),
    name="place-order",
    label="Place an order",
    description="Places one order.",
    body=True,
)


def test_the_page_shows_operations_with_a_form_to_try_them() -> None:
    page, _ = page_of(adapter(ORDER, served("GET", "/tickle"), description="Orders here."))
    for text in ("2 operations", "Orders here.", "POST", "/v1/{account}/orders", "Your account."):
        assert text in page.text
    forms = page.all("form")
    assert [(form["data-method"], form["data-path"]) for form in forms] == [
        ("POST", "/v1/{account}/orders"),
        ("GET", "/tickle"),
    ]
    fields = [i for i in page.all("input") if "data-name" in i]
    assert [(f["data-name"], f["data-place"], "required" in f) for f in fields] == [
        ("account", "path", True),
        ("limit", "query", False),
        ("X-Trace", "header", False),
    ]
    assert '"side": ""' in page.text


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page, policy = page_of(ORDER)
    for _, attributes in page.elements:
        for name, value in attributes.items():
            assert name not in ("src", "srcset", "action", "style")
            assert not name.startswith("on")
            if name == "href":
                assert value == "/openapi.json"
    assert "http" not in page.contents["style"]
    assert "url(" not in page.contents["style"]
    assert "http" not in page.contents["script"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_the_policy_allows_no_script_and_no_style_but_the_pages_own() -> None:
    page, policy = page_of(ORDER)
    for kind in ("script", "style"):
        digest = hashlib.sha256(page.contents[kind].encode()).digest()
        wanted = f"{kind}-src 'sha256-{base64.b64encode(digest).decode()}'"
        assert re.search(re.escape(wanted) + "(;|$)", policy)
        assert len(page.all(kind)) == 1
    assert "unsafe" not in policy


def test_c9_texts_of_a_capability_cannot_become_part_of_the_page() -> None:
    hostile = served(
        "POST",
        "/a/{" + EVIL.replace("/", "") + "}",
        given(EVIL, QUERY, description=EVIL, default=EVIL, schema={"type": EVIL, "title": EVIL}),
        given("b", BODY, description=EVIL, default=EVIL),
        name=EVIL,
        label=EVIL,
        description=EVIL,
        body=True,
        output={"description": EVIL},
    )
    page, _ = page_of(adapter(hostile, namespace=EVIL, description=EVIL))
    assert len(page.all("script")) == 1
    assert page.all("img") == []
    assert page.inside == []
    assert EVIL in page.text


def test_the_page_is_light_and_dark_and_fits_a_phone() -> None:
    page, _ = page_of(ORDER)
    assert "color-scheme: light dark" in page.contents["style"]
    assert "prefers-color-scheme: dark" in page.contents["style"]
    viewport = {"name": "viewport", "content": "width=device-width, initial-scale=1"}
    assert viewport in page.all("meta")


def test_operations_stand_under_the_name_of_their_file() -> None:
    from naftiko_runtime.exposes.rest.docs_page import docs_page
    from naftiko_runtime.exposes.rest.table import build_rest_table

    adapters = [("Sessions", adapter(served("GET", "/s"))), *labelled(adapter(ORDER))]
    page, _ = docs_page(build_rest_table(adapters)[0])
    headings = re.findall("<h2>(.*?)</h2>", page.decode())
    assert headings == ["Sessions", "Orders"]


SCRIPT_TEST = """
const text = require("node:fs").readFileSync(process.argv[1], "utf8");
const page = text.split("for (const form of")[0];
const input = (name, place, type, value) => ({ value, dataset: { name, place, type } });
const form = (method, path, inputs, body) => ({
  dataset: { method, path },
  querySelectorAll: () => inputs,
  querySelector: () => (body === undefined ? null : { value: body }),
});
globalThis.location = { origin: "http://localhost:8080" };
const { request, curl, readable } = new Function(page + "; return { request, curl, readable };")();
const order = form("POST", "/a/{id}/{x}", [
  input("id", "path", "", "a/b'$&"), input("x", "path", "", ""),
  input("q[1]", "query", "array", "1,2 3"), input("none", "query", "", ""),
  input("X-A", "header", "", "it's"), input("c", "cookie", "", "1"),
], ' {"p": 1.10} ');
console.log(JSON.stringify({
  call: request(order),
  curl: curl(request(order)),
  readable: readable('{"id":12345678901234567890,"t":"a, {b}","l":[1.10]}'),
}));
"""


def test_the_script_builds_the_request_that_the_form_says(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    page, _ = page_of(ORDER)
    script = tmp_path / "page.js"
    script.write_text(page.contents["script"])
    done = subprocess.run(
        [node, "-e", SCRIPT_TEST, str(script)], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr

    result = json.loads(done.stdout)
    url = "/a/a%2Fb'%24%26/{x}?q%5B1%5D=1&q%5B1%5D=2%203"
    assert result["call"] == {
        "method": "POST",
        "url": url,
        "headers": {"X-A": "it's", "Content-Type": "application/json"},
        "cookies": ["c=1"],
        "body": '{"p": 1.10}',
    }
    assert result["curl"] == (
        "curl -X POST 'http://localhost:8080" + url.replace("'", "'\\''") + "' -H 'X-A: it'\\''s'"
        " -H 'Content-Type: application/json' -b 'c=1' --data-raw '{\"p\": 1.10}'"
    )
    assert result["readable"] == (
        '{\n  "id": 12345678901234567890,\n  "t": "a, {b}",\n  "l": [\n    1.10\n  ]\n}'
    )
