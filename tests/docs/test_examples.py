"""Runs every example of the language reference against the real command."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from naftiko_runtime.document.schema_check import check_schema
from naftiko_runtime.document.yaml_reader import read_yaml
from tests.docs.examples import Example, language_pages, read_examples
from tests.docs.stage import Stage, staged

PAGES = {page.stem: read_examples(page) for page in language_pages()}
ALONE = {"control"}
"""Pages whose examples show the whole process: each is served by one of its own."""
STAGED = [
    (page, group, example)
    for page, examples in PAGES.items()
    for group in ([[each] for each in examples] if page in ALONE else [examples])
    for example in group
]
"""Each example with those that the same process serves."""
BEYOND = {"published-dialect", "beyond-the-specification", "extensions"}
"""Pages whose examples show what the official schema does not know."""
OFFICIAL = [each for page, examples in PAGES.items() if page not in BEYOND for each in examples]


class Stages:
    """Has one stage open, that of the examples asked for last."""

    def __init__(self, make_folder: Callable[[str], Path]) -> None:
        self._make_folder = make_folder
        self._open = ExitStack()
        self._examples: list[Example] = []
        self._stage: Stage

    def of(self, page: str, examples: list[Example]) -> Stage:
        if examples is not self._examples:
            self.close()
            self._stage = self._open.enter_context(staged(examples, self._make_folder(page)))
            self._examples = examples
        return self._stage

    def close(self) -> None:
        self._examples = []
        self._open.close()


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    opened = Stages(tmp_path_factory.mktemp)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("page", "group", "example"),
    [
        pytest.param(
            page,
            group,
            example,
            marks=pytest.mark.xdist_group(f"{page}:{group[0].line}"),
            id=example.name,
        )
        for page, group, example in STAGED
    ],
)
def test_example_does_what_its_page_says(
    stages: Stages, page: str, group: list[Example], example: Example
) -> None:
    assert example.exchanges, f"{example.name} shows no call"
    if "::1" in example.capability and not has_ipv6():
        pytest.skip("this machine has no IPv6 loopback address")
    stage = stages.of(page, group)
    assert stage.problems_of(example) == example.problems
    for exchange in example.exchanges:
        try:
            stage.perform(example, exchange)
        except AssertionError as error:
            raise AssertionError(f"{example.where(exchange.call)}: {error}") from None


@pytest.mark.parametrize("example", OFFICIAL, ids=[example.name for example in OFFICIAL])
def test_example_is_what_the_official_schema_accepts(example: Example, tmp_path: Path) -> None:
    for name, text in {**example.files, "capability.yaml": example.capability}.items():
        if not text.startswith("naftiko:"):
            continue
        document, problems = read_yaml(text.encode(), name)
        assert document is not None
        found = [*problems, *check_schema(document, strict=True)]
        assert [str(problem) for problem in found if not example.problems] == []
