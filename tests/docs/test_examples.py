"""Runs every example of the language reference against the real command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from naftiko_runtime.document.schema_check import check_schema
from naftiko_runtime.document.yaml_reader import read_yaml
from tests.docs.examples import Example, language_pages, read_examples
from tests.docs.stage import Stage, staged

PAGES = {page.stem: read_examples(page) for page in language_pages()}
EXAMPLES = [(page, example) for page, examples in PAGES.items() for example in examples]
ALONE = {"control"}
"""Pages whose examples show the whole process: each is served by one of its own."""
BEYOND = {"published-dialect", "beyond-the-specification"}
"""Pages whose examples show what the official schema does not know."""


@pytest.fixture(scope="module")
def page(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    name, line = request.param
    examples = [example for example in PAGES[name] if line in (0, example.line)]
    with staged(examples, tmp_path_factory.mktemp(name)) as stage:
        yield stage


@pytest.mark.parametrize(
    ("page", "example"),
    [((page, example.line if page in ALONE else 0), example) for page, example in EXAMPLES],
    indirect=["page"],
    ids=[example.name for _, example in EXAMPLES],
)
def test_example_does_what_its_page_says(page: Stage, example: Example) -> None:
    assert example.exchanges, f"{example.name} shows no call"
    assert page.problems_of(example) == example.problems
    for exchange in example.exchanges:
        try:
            page.perform(example, exchange)
        except AssertionError as error:
            raise AssertionError(f"{example.where(exchange.call)}: {error}") from None


@pytest.mark.parametrize(
    "example",
    [example for page, example in EXAMPLES if page not in BEYOND],
    ids=[example.name for page, example in EXAMPLES if page not in BEYOND],
)
def test_example_is_what_the_official_schema_accepts(example: Example, tmp_path: Path) -> None:
    for name, text in {**example.files, "capability.yaml": example.capability}.items():
        if not text.startswith("naftiko:"):
            continue
        document, problems = read_yaml(text.encode(), name)
        assert document is not None
        found = [*problems, *check_schema(document, strict=True)]
        assert [str(problem) for problem in found if not example.problems] == []
