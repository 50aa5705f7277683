"""The page at /redoc, to read what a listener serves from top to bottom."""

from __future__ import annotations

from naftiko_runtime.document.model import ParameterType
from tests.exposes.rest.listener import listening
from tests.exposes.rest.plans import BODY, QUERY, given, served
from tests.exposes.rest.test_rest_docs_page import EVIL, ORDER, Page


def page_of(*parts: object) -> tuple[Page, str]:
    with listening(*parts) as listener:  # type: ignore[arg-type]
        answered = listener.get("/redoc")
    assert answered.status == 200
    policy = answered.header("content-security-policy")
    assert policy is not None
    return Page(answered.body.decode()), policy


def test_it_shows_every_operation_with_its_inputs() -> None:
    page, policy = page_of(ORDER, served("GET", "/books", name="list-books"))
    for text in ("POST /v1/{account}/orders", "GET /books", "Place an order", "X-Trace", "side"):
        assert text in page.text
    links = {link["href"] for link in page.all("a")}
    targets = {section["id"] for section in page.all("section")}
    assert {f"#{target}" for target in targets} | {"/docs", "/openapi.json"} == links
    assert page.inside == []
    assert "script-src" not in policy
    assert page.all("script") == []


def test_texts_of_files_stay_texts() -> None:
    hostile = served(
        "POST",
        "/x",
        given("a", QUERY, type_=ParameterType.STRING, description=EVIL),
        given("b", BODY, type_=ParameterType.STRING, description=EVIL),
        name="evil",
        label=EVIL,
        description=EVIL,
        body=True,
    )
    page, _ = page_of(hostile)
    assert EVIL in page.text
    assert page.all("img") == []
    assert page.all("script") == []


def test_a_path_of_the_file_wins_over_it() -> None:
    with listening(served("GET", "/redoc", name="mine")) as listener:
        assert listener.get("/redoc").json()["operation"] == "mine"
